"""What the library knows of an installed model, and which blobs it needs. Pure data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from satchel.errors import ModelNotFoundError
from satchel.manifest import Manifest, Reference, Release, Variant, release_from, release_tree
from satchel.versions import Version

__all__ = ["InstalledModel", "InstalledVersion", "Probation", "unreferenced"]

PROBATION_RUNS = 20
"""After so many runs a new version has proved itself."""

PROBATION_FAILURES = 3
"""So many of them may not fail. One alone can have another cause than the model."""


@dataclass(frozen=True, slots=True)
class Probation:
    """How a new version does in its first real runs."""

    runs: int = 0
    failures: int = 0

    @property
    def over(self) -> bool:
        """Whether it has had all its runs."""
        return self.runs >= PROBATION_RUNS

    @property
    def failed(self) -> bool:
        """Whether it failed too often to be kept."""
        return self.failures >= PROBATION_FAILURES


@dataclass(frozen=True, slots=True)
class InstalledVersion:
    """One version on this device.

    Attributes:
        release: As published.
        chosen: Name of the variant in use.
        platform: The platform whose variants it was chosen from.
        installed_at: UTC in ISO 8601.
        validated_in: Seconds that its golden set took on this device; None: it had none.
        others: Names of further variants that are here, to switch to.
        insisted: Whether somebody insisted on the variant in use; otherwise the device chose it.
        reason: Why no better variant is in use: a sentence for people; empty: there is none.
    """

    release: Release
    chosen: str
    platform: str
    installed_at: str
    validated_in: float | None = None
    others: tuple[str, ...] = ()
    insisted: bool = False
    reason: str = ""

    @property
    def published(self) -> tuple[Variant, ...]:
        """All variants of the release for this platform, best first, wherever they are."""
        return self.release.variants(self.platform)

    @property
    def here(self) -> tuple[Variant, ...]:
        """The variants on this device, best first."""
        names = {self.chosen, *self.others}
        return tuple(variant for variant in self.published if variant.name in names)

    @property
    def variant(self) -> Variant:
        """The variant in use."""
        return self.named(self.chosen)

    def named(self, name: str) -> Variant:
        """A variant of the release, wherever it is.

        Raises:
            ModelNotFoundError: It has none of that name.
        """
        for variant in self.published:
            if variant.name == name:
                return variant
        known = ", ".join(f"'{variant.name}'" for variant in self.published)
        raise ModelNotFoundError(
            f"The release {self.release.version} has no variant '{name}'; it has {known}"
        )

    @property
    def references(self) -> tuple[Reference, ...]:
        """Every blob that stays for it, once: what its variants need, and what they can share."""
        found = [item for variant in self.here for item in variant.references()]
        found += [variant.chunks for variant in self.here if variant.chunks]
        return tuple(dict.fromkeys(found))


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
        probation: How the active version does, as long as it is new.
        set_aside: Versions that are not to be offered again, and why: a sentence.
        minimum_version: The oldest version that may be used, by the newest manifest seen.
        revoked: Versions that may not be used, by the newest manifest seen.
        used_at: When it was last opened, to the day: UTC in ISO 8601.
    """

    model: str
    task: str
    title: str
    active: Version
    versions: Mapping[Version, InstalledVersion]
    previous: Version | None = None
    pinned: Version | None = None
    probation: Probation | None = None
    set_aside: Mapping[Version, str] = field(default_factory=dict)
    minimum_version: Version | None = None
    revoked: tuple[Version, ...] = ()
    used_at: str = ""

    @property
    def current(self) -> InstalledVersion:
        """The active version."""
        return self.versions[self.active]

    @property
    def reason(self) -> str:
        """Why no better variant is in use: a sentence for people; empty: there is none."""
        return self.current.reason

    @property
    def size(self) -> int:
        """Bytes of all its blobs on this device."""
        needed = {item for version in self.versions.values() for item in version.references}
        return sum(item.size for item in needed)

    def withdrawn(self, version: Version) -> bool:
        """Whether a version may not be used any more."""
        older = self.minimum_version is not None and version < self.minimum_version
        return older or version in self.revoked

    @property
    def way_back(self) -> Version | None:
        """The version before, if it is here and may be used."""
        before = self.previous
        return None if before is None or self.withdrawn(before) else before

    def informed(self, manifest: Manifest) -> InstalledModel:
        """This model, with what a newer manifest says may be used.

        What was withdrawn stays so: a device that lost its memory of the repository may be shown an
        older manifest that is still signed.
        """
        known = (self.minimum_version, manifest.minimum_version)
        minimum = max((version for version in known if version is not None), default=None)
        revoked = tuple(sorted({*self.revoked, *manifest.revoked}))
        return replace(self, minimum_version=minimum, revoked=revoked)

    def followed_by(self, new: InstalledModel) -> InstalledModel:
        """This model after ``new``'s version was installed: the one before stays to go back to."""
        previous = self.active if self.active != new.active else self.previous
        versions = {**self.versions, **new.versions}
        changed = replace(
            new,
            versions=versions,
            previous=previous,
            pinned=self.pinned,
            set_aside={key: why for key, why in self.set_aside.items() if key != new.active},
            used_at=self.used_at,
        )
        return changed.tidied()

    def back_to(self, version: Version, *, why: str, keep: bool = True) -> InstalledModel:
        """This model at another installed version.

        Args:
            version: Which.
            why: Why the version so far is not to be offered again: a sentence.
            keep: Whether the version so far stays on the device, to go back to in turn.
        """
        aside = {**self.set_aside, self.active: why}
        aside.pop(version, None)
        return replace(
            self,
            active=version,
            previous=self.active if keep else None,
            probation=None,
            set_aside=aside,
        ).tidied()

    def without_previous(self) -> InstalledModel:
        """This model with nothing kept to go back to."""
        return replace(self, previous=None).tidied()

    def with_current(self, current: InstalledVersion) -> InstalledModel:
        """This model with another state of its active version."""
        return replace(self, versions={**self.versions, self.active: current})

    def without_others(self) -> InstalledModel:
        """This model with nothing but the variant in use, of each version."""
        slim = {key: replace(item, others=()) for key, item in self.versions.items()}
        return replace(self, versions=slim)

    def tidied(self) -> InstalledModel:
        """This model without the versions that nothing leads to any more."""
        kept = {self.active, self.previous, self.pinned}
        return replace(
            self, versions={key: item for key, item in self.versions.items() if key in kept}
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
            "probation": self.probation and [self.probation.runs, self.probation.failures],
            "set_aside": {str(version): why for version, why in self.set_aside.items()},
            "minimum_version": self.minimum_version and str(self.minimum_version),
            "revoked": [str(version) for version in self.revoked],
            "used_at": self.used_at,
            "versions": [
                {
                    "release": release_tree(item.release),
                    "chosen": item.chosen,
                    "platform": item.platform,
                    "installed_at": item.installed_at,
                    "validated_in": item.validated_in,
                    "others": list(item.others),
                    "insisted": item.insisted,
                    "reason": item.reason,
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
                item["validated_in"],
                tuple(item["others"]),
                item["insisted"],
                item["reason"],
            )
            for item in record["versions"]
        ]
        return cls(
            record["model"],
            record["task"],
            record["title"],
            Version.parse(record["active"]),
            {item.release.version: item for item in versions},
            _version(record["previous"]),
            _version(record["pinned"]),
            record["probation"] and Probation(*record["probation"]),
            {Version.parse(version): why for version, why in record["set_aside"].items()},
            _version(record["minimum_version"]),
            tuple(Version.parse(version) for version in record["revoked"]),
            record["used_at"],
        )


def _version(text: str | None) -> Version | None:
    return Version.parse(text) if text else None


def unreferenced(stored: Iterable[str], models: Iterable[InstalledModel]) -> frozenset[str]:
    """Digests in the store that no installed version needs."""
    needed = {
        item.sha256
        for model in models
        for version in model.versions.values()
        for item in version.references
    }
    return frozenset(stored) - needed
