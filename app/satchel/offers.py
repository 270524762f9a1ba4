"""A release on offer to this device: what a check found, kept until it is installed or replaced.

It is kept so that a download goes on after a reload, and a page that is offline still knows what
is there. One record for each model, "offer:<id>" in the table "meta".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from satchel.errors import UnsupportedModelError
from satchel.manifest import Manifest, Reference, Release, Variant, release_from, release_tree
from satchel.platform import Change, DeleteParts, DeleteRecord, Platform, PutRecord
from satchel.versions import Version

__all__ = [
    "Offer",
    "choose",
    "dropped",
    "files",
    "forgotten",
    "made",
    "of",
    "pending",
    "variant_here",
]

PREFIX = "offer:"

ATTEMPTS = 3
"""How often a version may be too slow or too large for this device before it is set aside."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A release that this device may take.

    Attributes:
        model: The model's id.
        task: The task it serves.
        title: For people.
        release: The release.
        chosen: Name of the variant for this device.
        platform: The platform whose variants it was chosen from.
        mandatory: Whether its maker wants it on every device.
        agreed: Whether the person agreed to fetch it on a connection that may cost money.
        attempts: How often validating it ran out of time or memory here.
        paused: Whether the person stopped it: it does not begin again unasked.
        problem: Why the last attempt failed, a sentence; empty: there was none, or it did not.
        download_size: Bytes to fetch, when it was last looked at; None: not known yet.
    """

    model: str
    task: str
    title: str
    release: Release
    chosen: str
    platform: str
    mandatory: bool = False
    agreed: bool = False
    attempts: int = 0
    paused: bool = False
    problem: str = ""
    download_size: int | None = None

    @property
    def variant(self) -> Variant:
        """The variant for this device."""
        found = self.release.variants(self.platform)
        return next(variant for variant in found if variant.name == self.chosen)

    @property
    def size(self) -> int:
        """Bytes of all that the version needs."""
        return sum(item.size for item in self.variant.references())

    def kept(self) -> PutRecord:
        """The change that keeps it."""
        return PutRecord(
            "meta",
            PREFIX + self.model,
            {
                "model": self.model,
                "task": self.task,
                "title": self.title,
                "release": release_tree(self.release),
                "chosen": self.chosen,
                "platform": self.platform,
                "mandatory": self.mandatory,
                "agreed": self.agreed,
                "attempts": self.attempts,
                "paused": self.paused,
                "problem": self.problem,
                "download_size": self.download_size,
            },
        )

    def followed_by(self, newer: Offer) -> Offer:
        """A newer check's offer, with what is known already where it is the same file."""
        if newer.variant.blob != self.variant.blob:
            return newer
        return replace(
            newer,
            agreed=self.agreed,
            attempts=self.attempts,
            paused=self.paused,
            download_size=self.download_size,
        )


def files(offer: Offer) -> tuple[Reference, ...]:
    """All that has to come for an offer, what only validates it included."""
    variant = offer.variant
    return (*variant.references(), *filter(None, (variant.chunks, variant.golden)))


def forgotten(model_id: str) -> DeleteRecord:
    """The change that forgets a model's offer."""
    return DeleteRecord("meta", PREFIX + model_id)


def dropped(offer: Offer, instead: Offer | None = None) -> tuple[Change, ...]:
    """The changes that forget an offer, and what has come of it.

    Args:
        offer: What goes.
        instead: What takes its place, and may use some of it.
    """
    still = files(instead) if instead else ()
    parts = tuple(DeleteParts(item.sha256) for item in files(offer) if item not in still)
    return (*parts, instead.kept() if instead else forgotten(offer.model))


async def of(platform: Platform, model_id: str) -> Offer | None:
    """A model's offer."""
    record = await platform.store.record("meta", PREFIX + model_id)
    return None if record is None else _parsed(record)


async def pending(platform: Platform) -> tuple[Offer, ...]:
    """All offers."""
    records = await platform.store.records("meta")
    return tuple(_parsed(record) for key, record in records.items() if key.startswith(PREFIX))


def _parsed(record: Mapping[str, Any]) -> Offer:
    return Offer(**{**record, "release": release_from(record["release"])})


def made(
    manifest: Manifest,
    release: Release,
    platform: Platform,
    *,
    variant: str | None = None,
    mandatory: bool = False,
) -> Offer:
    """A release as an offer, with its best variant that runs here.

    Args:
        manifest: The model's.
        release: One of its releases.
        platform: Where.
        variant: Insist on this variant.
        mandatory: Whether its maker wants it on every device.

    Raises:
        UnsupportedModelError: No variant runs here.
    """
    chosen = variant_here(release, platform, manifest.model, variant)
    return Offer(
        manifest.model,
        manifest.task,
        manifest.title,
        release,
        chosen.name,
        platform.name,
        mandatory,
    )


def variant_here(
    release: Release, platform: Platform, model_id: str, name: str | None = None
) -> Variant:
    """The best variant of a release that runs here.

    Args:
        release: The release.
        platform: Where.
        model_id: For messages.
        name: Insist on this variant.

    Raises:
        UnsupportedModelError: None does.
    """
    for variant in release.variants(platform.name):
        if variant.engine in platform.engines and name in (None, variant.name):
            return variant
    raise UnsupportedModelError(
        f"'{model_id}' {release.version} has no variant{f' {name!r}' if name else ''} that runs"
        " here",
        todo=f"Publish one for an engine of this platform: {', '.join(platform.engines)}",
    )


def choose(
    manifest: Manifest,
    *,
    active: Version | None,
    set_aside: Mapping[Version, str],
    included: Mapping[Version, bool],
    app: Version,
    engines: Mapping[str, object],
    platform: str,
) -> tuple[Release, bool] | None:
    """The release that a device should take, and whether it must.

    Pure. The newest one that may be used, unless the device has it, or a newer one. A device whose
    version was withdrawn takes the newest there is, even an older one.

    Args:
        manifest: The newest one, verified.
        active: The version in use; None: the model is not here.
        set_aside: Versions not to be offered again.
        included: Whether this device is in the staged roll-out of a version; missing: it is.
        app: Satchel's own version.
        engines: The engines of this platform, by name.
        platform: Whose variants to look at.
    """

    def withdrawn(version: Version) -> bool:
        older = manifest.minimum_version is not None and version < manifest.minimum_version
        return older or version in manifest.revoked

    fitting = [
        release
        for release in manifest.releases
        if not withdrawn(release.version)
        and release.version not in set_aside
        and included.get(release.version, True)
        and Version.parse(release.minimum_app) <= app
        and any(variant.engine in engines for variant in release.variants(platform))
    ]
    if not fitting:
        return None
    newest = max(fitting, key=lambda release: release.version)
    if active is None:
        return newest, False
    if withdrawn(active):
        return newest, True
    if newest.version <= active:
        return None
    passed = [release for release in fitting if active < release.version]
    return newest, any(release.mandatory for release in passed)
