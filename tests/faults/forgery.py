"""Signed metadata that somebody has changed, replayed or forged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile
from tuf.api.serialization.json import JSONSerializer

from builder.release import expiry, layout
from builder.release.keys import ROLES, KeyFolders


@dataclass
class Spoil:
    """The metadata of one state, to be changed."""

    folder: Path
    keys: KeyFolders
    states: Path

    def read(self, role: str) -> Metadata:
        """The newest metadata of a role."""
        return Metadata.from_bytes(self._newest(role).read_bytes())

    def sign(self, role: str, metadata: Metadata) -> Metadata:
        """Sign with the role's own keys."""
        metadata.signatures.clear()
        for signer in self.keys.signers(role, self.read("root").signed):
            metadata.sign(signer, append=True)
        return metadata

    def write(self, role: str, metadata: Metadata | bytes, *, vouch: bool = True) -> None:
        """Put it where the next version of the role is, and let those that vouch for it say so."""
        content = metadata
        if isinstance(metadata, Metadata):
            content = metadata.to_bytes(JSONSerializer(compact=True))
        path = self._newest(role)
        if isinstance(metadata, Metadata) and role != "timestamp":
            path = self.folder / f"{metadata.signed.version}.{role}.json"
        path.unlink(missing_ok=True)  # the file may be another state's, too
        path.write_bytes(content)
        above = {"targets": "snapshot", "snapshot": "timestamp"}.get(role)
        if not vouch or above is None:
            return
        vouching = self.read(above)
        vouching.signed.version += 1
        version = Metadata.from_bytes(content).signed.version
        entry = MetaFile.from_data(version, content, ["sha256"])
        if above == "timestamp":
            vouching.signed.snapshot_meta = entry
        else:
            vouching.signed.meta["targets.json"] = entry
        self.write(above, self.sign(above, vouching))

    def next_root(self) -> Metadata:
        """A second root, well signed."""
        root = self.read("root")
        root.signed.version = 2
        return self.sign("root", root)

    def write_root(self, root: Metadata | bytes) -> None:
        """Publish it as the second one."""
        content = (
            root.to_bytes(JSONSerializer(compact=True)) if isinstance(root, Metadata) else root
        )
        (self.folder / "2.root.json").write_bytes(content)

    def file(self, role: str) -> Path:
        """The role's newest file."""
        return self._newest(role)

    def other(self, state: str) -> Spoil:
        """Another state's metadata."""
        return Spoil(self.states / state / layout.METADATA, self.keys, self.states)

    def _newest(self, role: str) -> Path:
        if role == "timestamp":
            return self.folder / "timestamp.json"
        found = self.folder.glob(f"*.{role}.json")
        return max(found, key=lambda path: int(path.name.split(".")[0]))


def wrong_key(metadata: Metadata) -> Metadata:
    """Signed in due form, by a key of somebody else's, under the right key's name."""
    stranger = CryptoSigner.generate_ed25519()
    for keyid, signature in metadata.signatures.items():
        forged = stranger.sign(metadata.signed_bytes)
        signature.signature = forged.signature
        assert signature.keyid == keyid
    return metadata


def strange_key(metadata: Metadata) -> Metadata:
    """Signed in due form, by a key that nobody knows, under its own name."""
    metadata.signatures.clear()
    metadata.sign(CryptoSigner.generate_ed25519())
    return metadata


def flipped_bit(metadata: Metadata) -> Metadata:
    """One bit of the signature is another one."""
    for signature in metadata.signatures.values():
        raw = bytearray(bytes.fromhex(signature.signature))
        raw[5] ^= 1
        signature.signature = raw.hex()
    return metadata


def unsigned(metadata: Metadata) -> Metadata:
    """No signature."""
    metadata.signatures.clear()
    return metadata


def changed(metadata: Metadata) -> Metadata:
    """Changed after it was signed."""
    metadata.signed.expires += timedelta(days=1)
    return metadata


FORGERIES = {
    "wrong-key": wrong_key,
    "strange-key": strange_key,
    "flipped-bit": flipped_bit,
    "unsigned": unsigned,
    "changed": changed,
}


def _forged(role: str, forge: Callable[[Metadata], Metadata]) -> Callable[[Spoil], None]:
    def spoil(state: Spoil) -> None:
        if role == "root":
            state.write_root(forge(state.next_root()))
        else:
            state.write(role, forge(state.sign(role, state.read(role))))

    return spoil


def _expired(role: str) -> Callable[[Spoil], None]:
    def spoil(state: Spoil) -> None:
        metadata = state.next_root() if role == "root" else state.read(role)
        metadata.signed.expires = expiry.now() - timedelta(days=1)
        state.sign(role, metadata)
        state.write_root(metadata) if role == "root" else state.write(role, metadata)

    return spoil


def _skipping_root(state: Spoil) -> None:
    root = state.next_root()
    root.signed.version = 3
    state.write_root(state.sign("root", root))


def _older(role: str) -> Callable[[Spoil], None]:
    """The first state's file of a role, in whose favour those above it testify."""

    def spoil(state: Spoil) -> None:
        old = state.other("v1").file(role).read_bytes()
        if role == "timestamp":
            state.write(role, old, vouch=False)
        else:
            state.write(role, Metadata.from_bytes(old))

    return spoil


def _mixed(role: str) -> Callable[[Spoil], None]:
    """The first state's file in the place of the newest, which nobody vouches for."""

    def spoil(state: Spoil) -> None:
        state.write(role, state.other("v1").file(role).read_bytes(), vouch=False)

    return spoil


def _renewed(state: Spoil) -> None:
    """Signed again, as an owner does who found out: under versions that nobody has seen yet."""
    for role in ("targets", "snapshot", "timestamp"):
        metadata = state.read(role)
        metadata.signed.version += 5
        state.write(role, state.sign(role, metadata))


def _renewed_root(state: Spoil) -> None:
    _expired("root")(state)
    root = state.next_root()
    root.signed.version = 3
    root.signed.expires = expiry.now() + timedelta(days=100)
    content = state.sign("root", root).to_bytes(JSONSerializer(compact=True))
    (state.folder / "3.root.json").write_bytes(content)


STATES: dict[str, Callable[[Spoil], None]] = {
    **{
        f"{role}-{name}": _forged(role, forge)
        for role in ROLES
        for name, forge in FORGERIES.items()
    },
    **{f"{role}-expired": _expired(role) for role in ROLES},
    **{f"{role}-older": _older(role) for role in ROLES if role != "root"},
    **{f"{role}-mixed": _mixed(role) for role in ("targets", "snapshot")},
    "root-skipping": _skipping_root,
    "root-renewed": _renewed_root,
    "renewed": _renewed,
}
"""What may have become of the second release's metadata."""
