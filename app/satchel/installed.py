"""What the library knows of an installed model, and which blobs it needs. Pure data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from satchel.errors import LibraryError
from satchel.manifest import Reference, Release, Variant, release_from, release_tree
from satchel.versions import Version

__all__ = ["InstalledModel", "InstalledVersion", "unreferenced"]


@dataclass(frozen=True, slots=True)
class InstalledVersion:
    """One version on this device.

    Attributes:
        release: As published.
        chosen: Name of the variant that was installed.
        platform: The platform whose variants it was chosen from.
        installed_at: UTC in ISO 8601.
    """

    release: Release
    chosen: str
    platform: str
    installed_at: str

    @property
    def variant(self) -> Variant:
        """The variant that was installed."""
        for variant in self.release.variants(self.platform):
            if variant.name == self.chosen:
                return variant
        raise LibraryError(f"The release {self.release.version} has no variant '{self.chosen}'")

    @property
    def references(self) -> tuple[Reference, ...]:
        """Every blob that it needs."""
        return self.variant.references()


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model on this device.

    Attributes:
        model: Its id.
        task: The task it serves; empty when it came without a manifest.
        title: For people.
        active: The version in use.
        versions: The installed versions: active, previous and pinned.
        previous: The version before, kept to go back to.
        pinned: The version it is to stay at.
    """

    model: str
    task: str
    title: str
    active: Version
    versions: Mapping[Version, InstalledVersion]
    previous: Version | None = None
    pinned: Version | None = None

    @property
    def current(self) -> InstalledVersion:
        """The active version."""
        return self.versions[self.active]

    @property
    def size(self) -> int:
        """Bytes of all its blobs on this device."""
        needed = {item for version in self.versions.values() for item in version.references}
        return sum(item.size for item in needed)

    def followed_by(self, new: InstalledModel) -> InstalledModel:
        """This model after ``new``'s version was installed: the one before stays to go back to."""
        previous = self.active if self.active != new.active else self.previous
        kept = {new.active, previous, self.pinned}
        versions = {**self.versions, **new.versions}
        return replace(
            new,
            versions={version: item for version, item in versions.items() if version in kept},
            previous=previous,
            pinned=self.pinned,
        )

    def record(self) -> dict[str, Any]:
        """As the store keeps it."""
        return {
            "model": self.model,
            "task": self.task,
            "title": self.title,
            "active": str(self.active),
            "previous": self.previous and str(self.previous),
            "pinned": self.pinned and str(self.pinned),
            "versions": [
                {
                    "release": release_tree(item.release),
                    "chosen": item.chosen,
                    "platform": item.platform,
                    "installed_at": item.installed_at,
                }
                for item in self.versions.values()
            ],
        }

    @classmethod
    def parse(cls, record: Mapping[str, Any]) -> InstalledModel:
        """Read what `record` gave."""
        versions = [
            InstalledVersion(
                release_from(item["release"]),
                item["chosen"],
                item["platform"],
                item["installed_at"],
            )
            for item in record["versions"]
        ]
        previous, pinned = record["previous"], record["pinned"]
        return cls(
            record["model"],
            record["task"],
            record["title"],
            Version.parse(record["active"]),
            {item.release.version: item for item in versions},
            Version.parse(previous) if previous else None,
            Version.parse(pinned) if pinned else None,
        )


def unreferenced(stored: Iterable[str], models: Iterable[InstalledModel]) -> frozenset[str]:
    """Digests in the store that no installed version needs."""
    needed = {
        item.sha256
        for model in models
        for version in model.versions.values()
        for item in version.references
    }
    return frozenset(stored) - needed
