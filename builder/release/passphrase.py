"""The passphrase of the offline keys: from the environment, a file, or the terminal."""

import getpass
import os
import sys
from pathlib import Path

from builder.errors import BuildError

VARIABLE = "SATCHEL_PASSPHRASE"
FILE_VARIABLE = "SATCHEL_PASSPHRASE_FILE"

ELSEWHERE = f"Set {VARIABLE}, or let {FILE_VARIABLE} name a file that holds it."


class Passphrase:
    """Asks once, and only when somebody needs to know."""

    def __init__(self) -> None:
        self._known: bytes | None = None

    def read(self, *, new: bool = False) -> bytes:
        """Return the passphrase.

        Args:
            new: It is being chosen: ask for it twice.

        Raises:
            BuildError: There is none, or nobody to ask.
        """
        if self._known is None:
            self._known = (_given() or _asked(new=new)).encode()
        return self._known


def _given() -> str | None:
    if VARIABLE in os.environ:
        return _not_empty(os.environ[VARIABLE], VARIABLE)
    if FILE_VARIABLE in os.environ:
        path = Path(os.environ[FILE_VARIABLE])
        try:
            text = path.read_text("utf-8")
        except OSError as error:
            raise BuildError(
                f"{FILE_VARIABLE} names {path}, which can't be read: {error.strerror}."
            ) from error
        return _not_empty(text.rstrip("\r\n"), path)
    return None


def _asked(*, new: bool) -> str:
    if not sys.stdin.isatty():
        raise BuildError(
            f"The offline keys' passphrase is needed and nobody can be asked. {ELSEWHERE}"
        )
    answer = _not_empty(getpass.getpass("Passphrase of the offline keys: "), "The passphrase")
    if new and getpass.getpass("Once more: ") != answer:
        raise BuildError("The two passphrases differ; no key was made.")
    return answer


def _not_empty(text: str, what: object) -> str:
    if not text:
        raise BuildError(f"{what} is empty; offline keys need a passphrase.")
    return text
