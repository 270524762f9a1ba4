"""Versions by Semantic Versioning 2.0.0 (https://semver.org), without build metadata."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

from satchel.errors import ManifestError

__all__ = ["Version"]

_NUMBER = r"(0|[1-9]\d*)"
_LABEL = r"(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)"
_PATTERN = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_LABEL}(?:\.{_LABEL})*))?")


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
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise ManifestError(
                f"'{text}' is no version", todo="Write it like 1.0.0 (see semver.org)"
            )
        major, minor, patch, labels = match.groups()
        return cls(int(major), int(minor), int(patch), tuple(labels.split(".")) if labels else ())

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
