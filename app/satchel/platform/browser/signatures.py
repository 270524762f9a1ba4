"""Signatures verified by the Web Cryptography API (https://w3c.github.io/webcrypto/)."""

from __future__ import annotations

import base64
from typing import Any

import js
from pyodide.ffi import JsException, to_js

from satchel.errors import TrustError
from satchel.platform import PublicKey
from satchel.platform.browser.host import options

__all__ = ["WebCryptoSignatures"]

ED25519 = ("ed25519", "ed25519")

CURVES = {
    "ecdsa-sha2-nistp256": ("P-256", "SHA-256", 32),
    "ecdsa-sha2-nistp384": ("P-384", "SHA-384", 48),
}
"""Curve, hash, and bytes of a coordinate, by scheme."""

PADDED = {f"rsassa-pss-sha{bits}": (f"SHA-{bits}", bits // 8) for bits in (256, 384, 512)}
"""Hash, and bytes of a digest, by scheme."""


class WebCryptoSignatures:
    """Ed25519, ECDSA and RSA-PSS."""

    kinds = frozenset(
        {
            ED25519,
            *(("ecdsa", scheme) for scheme in CURVES),
            *(("rsa", scheme) for scheme in PADDED),
        }
    )

    async def verify(self, key: PublicKey, signature: bytes, data: bytes) -> bool:
        try:
            if (key.keytype, key.scheme) == ED25519:
                return await _ed25519(key, signature, data)
            if key.keytype == "ecdsa":
                return await _ecdsa(key, signature, data)
            return await _rsa_pss(key, signature, data)
        except (JsException, ValueError, IndexError):
            return False  # a key, or a signature, that is none


async def _ed25519(key: PublicKey, signature: bytes, data: bytes) -> bool:
    public = bytes.fromhex(key.public)
    if _subtle() is not None:
        try:
            return await _verified("raw", public, "Ed25519", "Ed25519", signature, data)
        except JsException:
            pass  # browsers of before 2025 don't know it
    from securesystemslib._vendor.ed25519 import ed25519

    try:
        ed25519.checkvalid(signature, data, public)  # type: ignore[no-untyped-call]
    except ed25519.SignatureMismatch:
        return False
    return True


async def _ecdsa(key: PublicKey, signature: bytes, data: bytes) -> bool:
    curve, digest, width = CURVES[key.scheme]
    kind, use = options(name="ECDSA", namedCurve=curve), options(name="ECDSA", hash=digest)
    return await _verified("spki", _spki(key), kind, use, _coordinates(signature, width), data)


async def _rsa_pss(key: PublicKey, signature: bytes, data: bytes) -> bool:
    digest, width = PADDED[key.scheme]
    kind = options(name="RSA-PSS", hash=digest)
    # The salt is as long as the digest, or as long as it may be: signers do the one or the other.
    for salt in (width, len(signature) - width - 2):
        use = options(name="RSA-PSS", saltLength=salt)
        if await _verified("spki", _spki(key), kind, use, signature, data):
            return True
    return False


def _subtle() -> Any:
    """Web Crypto; None on pages without HTTPS."""
    return getattr(js.crypto, "subtle", None)


async def _verified(
    form: str, public: bytes, kind: Any, use: Any, signature: bytes, data: bytes
) -> bool:
    subtle = _subtle()
    if subtle is None:
        raise TrustError(
            "No update: this page cannot verify signatures of this kind",
            why="Browsers offer Web Crypto to pages with HTTPS only",
            todo="Open the page by its address with https://",
        )
    key = await subtle.importKey(form, to_js(public), kind, False, to_js(["verify"]))
    return bool(await subtle.verify(use, key, to_js(signature), to_js(data)))


def _spki(key: PublicKey) -> bytes:
    """The bytes inside PEM (RFC 7468)."""
    lines = key.public.strip().splitlines()
    if (lines[0], lines[-1]) != ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"):
        raise ValueError("no public key")
    return base64.b64decode("".join(lines[1:-1]), validate=True)


def _coordinates(signature: bytes, width: int) -> bytes:
    """Both numbers, r and s, one after the other, out of their DER sequence (RFC 3279, 2.2.3)."""
    sequence, rest = _element(signature, 0x30)
    r, after = _element(sequence, 0x02)
    s, end = _element(after, 0x02)
    if rest or end:
        raise ValueError("more than a signature")
    try:
        return b"".join(int.from_bytes(part).to_bytes(width) for part in (r, s))
    except OverflowError as error:
        raise ValueError("a coordinate that is too large") from error


def _element(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """The content of a DER element, and what comes after it."""
    if data[0] != tag or data[1] > 0x7F:  # a signature is shorter than 128 bytes
        raise ValueError("no signature")
    end = 2 + data[1]
    if len(data) < end:
        raise ValueError("a signature that was cut short")
    return data[2:end], data[end:]
