"""The keys that sign a repository: files in two folders, each named by the id of its key.

Root and targets are signed with offline keys, which belong on a medium that is put away, and carry
a passphrase. Snapshot and timestamp are signed with online keys, which an unattended job may hold.
Which keys count for what is said by the repository's root metadata alone; a folder is a mere bunch.
"""

import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from platformdirs import user_data_path
from securesystemslib.exceptions import KeyMismatchError
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import Key, Root

from builder.errors import BuildError
from builder.release.passphrase import Passphrase

Kind = Literal["ed25519", "ecdsa", "rsa"]

KINDS: Mapping[str, Callable[[], CryptoSigner]] = {
    "ed25519": CryptoSigner.generate_ed25519,
    "ecdsa": CryptoSigner.generate_ecdsa,  # P-256, SHA-256
    "rsa": CryptoSigner.generate_rsa,  # PSS, SHA-256, 3072 bits
}

OFFLINE = ("root", "targets")
ONLINE = ("snapshot", "timestamp")
ROLES = (*OFFLINE, *ONLINE)

DEVELOPMENT = "development."
"""What the names of development keys begin with."""

OFFLINE_VARIABLE = "SATCHEL_OFFLINE_KEYS"
ONLINE_VARIABLE = "SATCHEL_ONLINE_KEYS"


def default_folder(name: str) -> Path:
    """Return where keys of one sort are kept unless told otherwise: with this person's own data."""
    return user_data_path("satchel") / "keys" / name


@dataclass(frozen=True)
class KeyFolders:
    """Where this machine has keys.

    Attributes:
        offline: Of root and targets.
        online: Of snapshot and timestamp.
        passphrase: Of the offline keys.
    """

    offline: Path
    online: Path
    passphrase: Passphrase = field(default_factory=Passphrase)

    @classmethod
    def default(cls) -> "KeyFolders":
        """Return the folders that the environment names, or the usual ones."""
        return cls(
            Path(os.environ.get(OFFLINE_VARIABLE) or default_folder("offline")),
            Path(os.environ.get(ONLINE_VARIABLE) or default_folder("online")),
        )

    def outside(self, trees: Iterable[Path]) -> None:
        """Make sure that no key lies where it might be committed or published.

        Raises:
            BuildError: A folder is inside one of the trees, or both folders are one.
        """
        for folder in (self.offline, self.online):
            for tree in trees:
                if folder.resolve().is_relative_to(tree.resolve()):
                    raise BuildError(
                        f"{folder} is inside {tree}: a private key there is soon committed or "
                        "published. Choose a folder elsewhere."
                    )
        if self.offline.resolve() == self.online.resolve():
            raise BuildError(
                f"{self.offline} can't hold both offline and online keys: whoever can refresh "
                "could release as well. Choose two folders."
            )

    def make(self, role: str, kind: Kind = "ed25519", *, development: bool = False) -> SSlibKey:
        """Make a key for a role and return its public half.

        Args:
            role: One of `ROLES`.
            kind: Ed25519, ECDSA on P-256, or RSA-PSS.
            development: Without a passphrase, and named so.
        """
        signer = KINDS[kind]()
        # python-tuf's own signer writes no passphrase; the key itself can.
        key = load_pem_private_key(signer.private_bytes, None)
        encrypted = role in OFFLINE and not development
        pem = key.private_bytes(
            Encoding.PEM,
            PrivateFormat.PKCS8,
            BestAvailableEncryption(self.passphrase.read(new=True))
            if encrypted
            else NoEncryption(),
        )
        name = f"{DEVELOPMENT if development else ''}{role}.{signer.public_key.keyid}.pem"
        _write_secret(self._of(role) / name, pem)
        return signer.public_key

    def development(self, role: str) -> SSlibKey:
        """Return this machine's development key for a role, made on first use."""
        for path in sorted(self._of(role).glob(f"{DEVELOPMENT}{role}.*.pem")):
            return self._load(path, None).public_key
        return self.make(role, development=True)

    def signers(self, role: str, root: Root) -> list[CryptoSigner]:
        """Return those of a role's keys that are here.

        Raises:
            BuildError: There are fewer than the role's threshold.
        """
        wanted = [root.keys[keyid] for keyid in root.roles[role].keyids]
        found = [signer for key in wanted if (signer := self.signer(role, key))]
        if len(found) < root.roles[role].threshold:
            raise BuildError(
                f"Signing {role} takes {root.roles[role].threshold} of {len(wanted)} keys; "
                f"{self._of(role)} has {len(found)}. Its keys are named "
                f"{' or '.join(f'{role}.{key.keyid[:10]}….pem' for key in wanted)}."
            )
        return found

    def signer(self, role: str, key: Key) -> CryptoSigner | None:
        """Return the private half of a key; None: it isn't here."""
        path = self.file(role, key.keyid)
        return self._load(path, key) if path else None

    def file(self, role: str, keyid: str) -> Path | None:
        """Return the file with a key of a role; None: it isn't here."""
        return next(iter(sorted(self._of(role).glob(f"*.{keyid}.pem"))), None)

    def _of(self, role: str) -> Path:
        return self.offline if role in OFFLINE else self.online

    def _load(self, path: Path, key: Key | None) -> CryptoSigner:
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise BuildError(f"{path} can be read by others than you: chmod 600 {path}")
        if key is not None and not isinstance(key, SSlibKey):
            raise BuildError(f"The key {key.keyid} is of a kind that no file can hold.")
        pem = path.read_bytes()
        try:
            private = load_pem_private_key(
                pem, self.passphrase.read() if b"ENCRYPTED" in pem else None
            )
            return CryptoSigner(private, key)
        except (ValueError, TypeError, UnsupportedAlgorithm, KeyMismatchError) as error:
            raise BuildError(
                f"{path} can't be opened: the passphrase is wrong, or the file is damaged."
            ) from error


def _write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, from its first byte on."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
            file.write(content)
    except OSError as error:
        raise BuildError(
            f"The key {path} can't be written: {error.strerror}. Name other folders with "
            f"{OFFLINE_VARIABLE} and {ONLINE_VARIABLE}."
        ) from error
