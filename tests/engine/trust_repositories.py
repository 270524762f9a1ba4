"""Signed repositories for the tests of trust, each at several moments; runs on CPython only.

`write(folder)` makes `<scenario>/<moment>/{metadata,manifests}/…`, which a device is shown one
after the other, and `<scenario>/root.json`, what its page trusts from the start.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

ROLES = ("root", "targets", "snapshot", "timestamp")
KINDS = {
    "ed25519": CryptoSigner.generate_ed25519,
    "ecdsa": CryptoSigner.generate_ecdsa,
    "rsa": CryptoSigner.generate_rsa,
}
LATER = timedelta(days=400)
LONG_AGO = timedelta(days=-1)


class Repository:
    """All four roles, in memory."""

    def __init__(self, kind: str = "ed25519", roots: int = 1, threshold: int = 1) -> None:
        now = datetime.now(UTC).replace(microsecond=0)
        self.kind, self.now = kind, now
        self.signers = {role: [KINDS[kind]()] for role in ROLES}
        self.signers["root"] += [KINDS[kind]() for _ in range(roots - 1)]
        self.root = Root(expires=now + LATER, consistent_snapshot=True)
        self.targets = Targets(expires=now + LATER)
        self.snapshot = Snapshot(expires=now + LATER)
        self.timestamp = Timestamp(expires=now + LATER)
        for role, signers in self.signers.items():
            for signer in signers:
                self.root.add_key(signer.public_key, role)
        self.root.roles["root"].threshold = threshold
        self.files: dict[str, bytes] = {}
        for role in ROLES:
            getattr(self, role).version = 0  # signing counts on
        self.sign_root()

    def sign_root(self, *more: CryptoSigner) -> None:
        self.root.version += 1
        self._sign("root", f"{self.root.version}.root.json", *more)

    def release(self, **models: str) -> Repository:
        """New manifests, and all metadata that leads to them."""
        for model, version in models.items():
            data = json.dumps({"model": model, "version": version}).encode()
            target = TargetFile.from_data(f"{model}.json", data, ["sha256"])
            self.targets.targets[target.path] = target
            name = f"manifests/{hashlib.sha256(data).hexdigest()}.{model}.json"
            self.files[name] = data
        self.sign_targets()
        return self

    def sign_targets(self) -> None:
        self.targets.version += 1
        data = self._sign("targets", f"{self.targets.version}.targets.json")
        self.snapshot.meta["targets.json"] = MetaFile.from_data(
            self.targets.version, data, ["sha256"]
        )
        self.refresh()

    def refresh(self) -> None:
        self.snapshot.version += 1
        data = self._sign("snapshot", f"{self.snapshot.version}.snapshot.json")
        self.timestamp.snapshot_meta = MetaFile.from_data(self.snapshot.version, data, ["sha256"])
        self.sign_timestamp()

    def sign_timestamp(self) -> None:
        self.timestamp.version += 1
        self._sign("timestamp", "timestamp.json")

    def rotate(self, *roles: str, kind: str | None = None) -> None:
        """New keys for some roles; a new root is signed by the old ones, too."""
        before = self.signers
        self.signers = dict(before)
        for role in roles:
            self.signers[role] = [KINDS[kind or self.kind]() for _ in before[role]]
            for signer in before[role]:
                self.root.revoke_key(signer.public_key.keyid, role)
            for signer in self.signers[role]:
                self.root.add_key(signer.public_key, role)
        self.sign_root(*before["root"])

    def _sign(self, role: str, name: str, *more: CryptoSigner) -> bytes:
        metadata = Metadata(getattr(self, role))
        for signer in {id(s): s for s in [*self.signers[role], *more]}.values():
            metadata.sign(signer, append=True)
        data = metadata.to_bytes(JSONSerializer(compact=True))
        self.files[f"metadata/{name}"] = data
        return data

    def write(self, folder: Path) -> None:
        for name, data in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def ordinary(show: Callable, kind: str = "ed25519") -> None:
    """A release, and another one."""
    repository = Repository(kind)
    show("1", repository.release(tiny="1.0.0", other="1.0.0"))
    show("2", repository.release(tiny="1.1.0"))


SCENARIOS: dict[str, Callable] = {
    "ordinary": ordinary,
    "ecdsa": lambda show: ordinary(show, "ecdsa"),
    "rsa": lambda show: ordinary(show, "rsa"),
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
