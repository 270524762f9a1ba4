"""Signed repositories for the tests of trust, each at several moments; runs on CPython only.

`write(folder)` makes `<scenario>/<moment>/{metadata,manifests}/…`, which a device is shown one
after the other, and `<scenario>/root.json`, what its page trusts from the start.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from securesystemslib.signer import CryptoSigner, Signature
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

ROLES = ("root", "targets", "snapshot", "timestamp")
KINDS = {
    "ed25519": CryptoSigner.generate_ed25519,
    "ecdsa": CryptoSigner.generate_ecdsa,
    "rsa": lambda: CryptoSigner.generate_rsa(size=2048),  # quicker to make
}
YEAR = timedelta(days=400)
NOW = datetime.now(UTC).replace(microsecond=0)

Show = Callable[[str, "Repository"], None]


class Repository:
    """All four roles, in memory.

    Attributes:
        signers: Keys by role.
        forged: Roles that somebody signs who hasn't got the keys, but writes their names.
        files: Everything that was ever written, by its name.
    """

    def __init__(self, kind: str = "ed25519", roots: int = 1, threshold: int = 1) -> None:
        self.kind = kind
        self.signers = {role: [KINDS[kind]()] for role in ROLES}
        self.signers["root"] += [KINDS[kind]() for _ in range(roots - 1)]
        self.forged: set[str] = set()
        self.files: dict[str, bytes] = {}
        self.root = Root(expires=NOW + YEAR, consistent_snapshot=True)
        self.targets = Targets(expires=NOW + YEAR)
        self.snapshot = Snapshot(expires=NOW + YEAR)
        self.timestamp = Timestamp(expires=NOW + YEAR)
        for role in ROLES:
            getattr(self, role).version = 0  # signing counts on
            for signer in self.signers[role]:
                self.root.add_key(signer.public_key, role)
        self.root.roles["root"].threshold = threshold
        self.sign_root()

    def branch(self) -> Repository:
        """Another future of the same repository."""
        other = copy.copy(self)
        for role in ROLES:
            setattr(other, role, copy.deepcopy(getattr(self, role)))
        other.signers, other.files = dict(self.signers), dict(self.files)
        other.forged = set(self.forged)
        return other

    def release(self, **models: str) -> Repository:
        """New manifests, and all metadata that leads to them."""
        manifests = {
            model: json.dumps({"model": model, "version": version}).encode()
            for model, version in models.items()
        }
        return self.publish(**manifests)

    def publish(self, **manifests: bytes) -> Repository:
        """New manifests as they are, and all metadata that leads to them."""
        for model, data in manifests.items():
            target = TargetFile.from_data(f"{model}.json", data, ["sha256"])
            self.targets.targets[target.path] = target
            self.files[self.manifest(model)] = data
        self.sign_targets()
        return self

    def manifest(self, model: str) -> str:
        digest = self.targets.targets[f"{model}.json"].hashes["sha256"]
        return f"manifests/{digest}.{model}.json"

    def sign_root(self, *more: CryptoSigner) -> None:
        self.root.version += 1
        self._sign("root", *more)

    def sign_targets(self) -> None:
        self.targets.version += 1
        data = self._sign("targets")
        self.snapshot.meta["targets.json"] = MetaFile.from_data(
            self.targets.version, data, ["sha256"]
        )
        self.sign_snapshot()

    def sign_snapshot(self) -> None:
        self.snapshot.version += 1
        data = self._sign("snapshot")
        self.timestamp.snapshot_meta = MetaFile.from_data(self.snapshot.version, data, ["sha256"])
        self.sign_timestamp()

    def sign_timestamp(self) -> None:
        self.timestamp.version += 1
        self._sign("timestamp")

    def rotate(self, *roles: str, kind: str | None = None) -> Repository:
        """New keys for some roles; a new root is signed by the old ones, too."""
        before = self.signers["root"]
        for role in roles:
            for signer in self.signers[role]:
                self.root.revoke_key(signer.public_key.keyid, role)
            self.signers[role] = [KINDS[kind or self.kind]() for _ in self.signers[role]]
            for signer in self.signers[role]:
                self.root.add_key(signer.public_key, role)
        self.sign_root(*before)
        return self

    def name(self, role: str) -> str:
        """The newest metadata file of a role."""
        version = "" if role == "timestamp" else f"{getattr(self, role).version}."
        return f"metadata/{version}{role}.json"

    def _sign(self, role: str, *more: CryptoSigner) -> bytes:
        metadata = Metadata(getattr(self, role))
        for signer in {id(each): each for each in [*self.signers[role], *more]}.values():
            if role in self.forged:
                keyid = signer.public_key.keyid
                made = KINDS[self.kind]().sign(metadata.signed_bytes).signature
                metadata.signatures[keyid] = Signature(keyid, made)
            else:
                metadata.sign(signer, append=True)
        data = metadata.to_bytes(JSONSerializer(compact=True))
        self.files[self.name(role)] = data
        return data

    def write(self, folder: Path) -> None:
        for name, data in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


# ---- scenarios


def ordinary(show: Show, kind: str = "ed25519") -> None:
    """A release, another one, and the same signed anew."""
    repository = Repository(kind)
    show("1", repository.release(tiny="1.0.0", other="1.0.0"))
    show("2", repository.release(tiny="1.1.0"))
    repository.sign_snapshot()
    show("refreshed", repository)


def rotation(show: Show) -> None:
    """Root keys change twice, 2 of 3 each time, and all other keys once, to another kind."""
    repository = Repository(roots=3, threshold=2)
    show("1", repository.release(tiny="1.0.0"))
    half, rogue = repository.branch(), repository.branch()
    show("2", repository.rotate("root").release(tiny="1.1.0"))
    repository.rotate("root").rotate("targets", "snapshot", "timestamp", kind="ecdsa")
    show("3", repository.release(tiny="1.2.0"))
    # Only one of the old keys has signed the new root, where two must.
    _, *others = half.signers["root"]
    lost = {other.public_key.keyid for other in others}
    half.rotate("root").release(tiny="9.0.0")
    metadata = json.loads(half.files["metadata/2.root.json"])
    metadata["signatures"] = [sig for sig in metadata["signatures"] if sig["keyid"] not in lost]
    half.files["metadata/2.root.json"] = json.dumps(metadata).encode()
    show("half-signed", half)
    # None of them has, but somebody wrote their names.
    rogue.forged = {"root"}
    show("rogue", rogue.rotate("root").release(tiny="9.0.0"))


def expiry(show: Show) -> None:
    """Each role's time is over once, and then it is signed anew."""
    repository = Repository()
    show("1", repository.release(tiny="1.0.0"))
    for role in ROLES:
        late = repository.branch()
        getattr(late, role).expires = NOW - timedelta(days=1)
        if role == "root":
            late.sign_root()
        late.release(tiny="1.1.0")
        show(f"expired-{role}", late)
        renewed = late.branch()
        getattr(renewed, role).expires = NOW + YEAR
        if role == "root":
            renewed.sign_root()
        show(f"renewed-{role}", renewed.release(tiny="1.2.0"))


def replays(show: Show) -> None:
    """What somebody could do who has the online keys, or none, and everything that was signed."""
    repository = Repository().release(tiny="1.0.0", huge="1.0.0")
    show("1", repository)
    old = repository.branch()
    show("2", repository.release(tiny="1.1.0"))
    show("older-timestamp", old)
    # A newer timestamp that leads to the older snapshot.
    forged = repository.branch()
    forged.timestamp.snapshot_meta = old.timestamp.snapshot_meta
    forged.sign_timestamp()
    show("older-snapshot", forged)
    # A newer snapshot that leads to the older targets.
    forged = repository.branch()
    forged.snapshot.meta = copy.deepcopy(old.snapshot.meta)
    forged.sign_snapshot()
    show("older-targets", forged)
    # Everything is signed by the right keys, but of another future than the timestamp says.
    future = repository.branch().release(tiny="1.2.0")
    other = repository.branch().release(tiny="1.2.1")
    for role in ("snapshot", "targets"):
        mixed = future.branch()
        mixed.files[mixed.name(role)] = other.files[other.name(role)]
        show(f"mixed-{role}", mixed)
    mixed = future.branch()
    mixed.files[mixed.manifest("tiny")] = mixed.files[mixed.manifest("huge")]
    show("mixed-manifest", mixed)
    show("honest", _later(future))


def spoilt(show: Show) -> None:
    """Each file that a device needs is spoilt in each way, one at a time."""
    first = Repository().release(tiny="1.0.0")
    show("1", first)
    honest = first.branch().rotate("root").release(tiny="1.1.0")
    show("2", honest)
    show("next", _later(honest.branch()))
    for role in ROLES:
        forged = first.branch()
        forged.forged = {role}
        show(f"wrong-key-{role}", forged.rotate("root").release(tiny="1.1.0"))
    files = {role: honest.name(role) for role in ROLES} | {"manifest": honest.manifest("tiny")}
    for role, name in files.items():
        for how, spoil in SPOILING.items():
            bad = honest.branch()
            data = spoil(honest.files[name])
            if data is None:
                del bad.files[name]
            else:
                bad.files[name] = data
            show(f"{how}-{role}", bad)
    # The signature is the old one, and what leads to the file has been adapted.
    for role in ("targets", "snapshot"):
        show(f"adapted-{role}", _adapted(honest.branch(), role))


def _later(repository: Repository) -> Repository:
    """Signed anew: whoever has an online key can raise version numbers, but not hold them there."""
    for _ in range(3):
        repository.sign_targets()
    return repository


def _adapted(bad: Repository, role: str) -> Repository:
    name = bad.name(role)
    data = bad.files[name] = SPOILING["flipped-content"](bad.files[name])
    info = MetaFile.from_data(getattr(bad, role).version, data, ["sha256"])
    if role == "targets":
        bad.snapshot.meta["targets.json"] = info
        bad.sign_snapshot()
    else:
        bad.timestamp.snapshot_meta = info
        bad.sign_timestamp()
    return bad


def _flipped(data: bytes, after: bytes) -> bytes:
    """One bit is another one: the lowest of the digit that comes next."""
    at = data.index(after) + len(after)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _flipped_content(data: bytes) -> bytes:
    return _flipped(data, b'"version":' if b'"signed"' in data else b'"version": "')


def _flipped_signature(data: bytes) -> bytes:
    return _flipped(data, b'"sig":"') if b'"sig"' in data else _flipped_content(data)


SPOILING: dict[str, Callable[[bytes], bytes | None]] = {
    "flipped-content": _flipped_content,
    "flipped-signature": _flipped_signature,
    "cut": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "oversized": lambda data: data + b" " * (2 << 20),
    "not-json": lambda data: b"\x00\xff" + b"?" * 9,
    "other-json": lambda data: b'{"signed": {"_type": "cake"}, "signatures": []}',
    "deep": lambda data: b"[" * 9000,
    "missing": lambda data: None,
    "web-page": lambda data: b"\n<!doctype html><title>Sign in</title>",
}


SCENARIOS: dict[str, Callable[[Show], None]] = {
    "ordinary": ordinary,
    "ecdsa": lambda show: ordinary(show, "ecdsa"),
    "rsa": lambda show: ordinary(show, "rsa"),
    "rotation": rotation,
    "expiry": expiry,
    "replays": replays,
    "spoilt": spoilt,
}


def write(folder: Path) -> None:
    """Write every scenario."""
    for name, play in SCENARIOS.items():

        def show(moment: str, repository: Repository, name: str = name) -> None:
            repository.write(folder / name / moment)
            root = folder / name / "root.json"
            if not root.exists():
                root.write_bytes(repository.files["metadata/1.root.json"])

        play(show)
