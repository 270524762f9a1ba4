"""Versions by Semantic Versioning 2.0.0 (https://semver.org), without build metadata."""

from __future__ import annotations

from dataclasses import dataclass
from functools import total_ordering

from satchel.errors import ManifestError

__all__ = ["Version"]


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A version that can be compared.

    >>> Version.parse("1.10.0") > Version.parse("1.9.0") > Version.parse("1.9.0-rc.1")
    True
    """

    major: int
    minor: int
    patch: int
    pre_release: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read a version.

        Raises:
            ManifestError: It is none.
        """
        # No regular expression: each costs milliseconds when a page opens.
        core, dash, rest = text.partition("-")
        numbers = core.split(".")
        labels = tuple(rest.split(".")) if dash else ()
        if len(numbers) != 3 or not all(map(_number, numbers)) or not all(map(_label, labels)):
            raise ManifestError(
                f"'{text}' is no version", todo="Write it like 1.0.0 (see semver.org)"
            )
        major, minor, patch = map(int, numbers)
        return cls(major, minor, patch, labels)

    def __str__(self) -> str:
        core = f"{self.major}.{self.minor}.{self.patch}"
        return core + ("-" + ".".join(self.pre_release) if self.pre_release else "")

    def __lt__(self, other: Version) -> bool:
        return self._key() < other._key()

    def _key(self) -> tuple[object, ...]:
        # A release comes after its pre-releases; numeric labels compare as numbers, before words.
        labels = tuple(
            (0, int(label), "") if label.isdigit() else (1, 0, label) for label in self.pre_release
        )
        return (self.major, self.minor, self.patch, not self.pre_release, labels)


def _number(text: str) -> bool:
    """Whether it is a number without leading zeros."""
    return text.isascii() and text.isdigit() and (text == "0" or text[0] != "0")


def _label(text: str) -> bool:
    """Whether it is a label of a pre-release: letters, digits and hyphens, or a number."""
    plain = text.isascii() and text.replace("-", "a").isalnum()
    return plain and (not text.isdigit() or _number(text))
