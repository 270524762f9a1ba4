"""A release on offer to this device: what a check found, kept until it is installed or replaced.

It is kept so that a download goes on after a reload, and a page that is offline still knows what
is there. One record for each model, "offer:<id>" in the table "meta".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from satchel.errors import UnsupportedModelError
from satchel.installed import InstalledVersion
from satchel.manifest import Manifest, Reference, Release, Variant, release_from, release_tree
from satchel.platform import Change, DeleteParts, DeleteRecord, Platform, PutRecord
from satchel.unfit import now
from satchel.variants import Abilities, Choice, against, best, none_runs
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
        others: Names of further variants that come along: those that the device has of the version
            in use.
        insisted: Whether somebody insisted on the variant; otherwise the device chose it.
        reason: Why no better variant was chosen: a sentence for people; empty: there is none.
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
    others: tuple[str, ...] = ()
    insisted: bool = False
    reason: str = ""

    @property
    def variants(self) -> tuple[Variant, ...]:
        """The variants that come: the one for this device first."""
        found = {variant.name: variant for variant in self.release.variants(self.platform)}
        return tuple(found[name] for name in (self.chosen, *self.others))

    @property
    def variant(self) -> Variant:
        """The variant for this device."""
        return self.variants[0]

    @property
    def size(self) -> int:
        """Bytes of all that the version needs."""
        found = {item for variant in self.variants for item in variant.references()}
        return sum(item.size for item in found)

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
                "others": list(self.others),
                "insisted": self.insisted,
                "reason": self.reason,
            },
        )

    def followed_by(self, newer: Offer) -> Offer:
        """A newer check's offer, with what is known already where it is of the same files."""
        if files(newer) != files(self):
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
    found: dict[Reference, None] = {}
    for variant in offer.variants:
        found.update(dict.fromkeys(variant.references()))
        found.update(dict.fromkeys(filter(None, (variant.chunks, variant.golden))))
    return tuple(found)


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
    others = tuple(record.get("others", ()))  # an offer of before there were variants has none
    return Offer(**{**record, "release": release_from(record["release"]), "others": others})


def made(
    manifest: Manifest,
    release: Release,
    platform: Platform,
    *,
    variant: str | None = None,
    mandatory: bool = False,
    abilities: Abilities | None = None,
    after: InstalledVersion | None = None,
) -> Offer:
    """A release as an offer, with its best variant that runs here.

    Args:
        manifest: The model's.
        release: One of its releases.
        platform: Where.
        variant: Insist on this variant.
        mandatory: Whether its maker wants it on every device.
        abilities: What this device can do; default: what its platform says.
        after: The version in use: its further variants come along, and what somebody insisted on
            stays so, as far as the release has them and the device can use them.

    Raises:
        UnsupportedModelError: No variant runs here.
    """
    able = abilities or now(platform)
    insisted = variant or _insisted(release, platform, able, after)
    choice = variant_here(release, platform, manifest.model, insisted, able)
    return Offer(
        manifest.model,
        manifest.task,
        manifest.title,
        release,
        choice.variant.name,
        platform.name,
        mandatory,
        others=_others(release, platform, able, after, choice.variant.name),
        insisted=insisted is not None,
        reason=choice.reason,
    )


def _insisted(
    release: Release, platform: Platform, able: Abilities, after: InstalledVersion | None
) -> str | None:
    """The variant of a release that somebody insists on, by the version in use."""
    if after is None or not after.insisted:
        return None
    names = [one.name for one in release.variants(platform.name) if not against(one, able)]
    return after.chosen if after.chosen in names else None


def _others(
    release: Release,
    platform: Platform,
    able: Abilities,
    after: InstalledVersion | None,
    chosen: str,
) -> tuple[str, ...]:
    """The further variants of a release that come along, by the version in use."""
    return tuple(
        variant.name
        for variant in release.variants(platform.name)
        if after is not None
        and variant.name in after.others
        and variant.name != chosen
        and not against(variant, able)
    )


def variant_here(
    release: Release,
    platform: Platform,
    model_id: str,
    name: str | None = None,
    abilities: Abilities | None = None,
) -> Choice:
    """The best variant of a release that runs here, and why no better one.

    Args:
        release: The release.
        platform: Where.
        model_id: For messages.
        name: Insist on this variant.
        abilities: What this device can do; default: what its platform says.

    Raises:
        UnsupportedModelError: None does; the message says why of each.
    """
    able = abilities or now(platform)
    variants = release.variants(platform.name)
    wanted = [variant for variant in variants if name in (None, variant.name)]
    choice = best(wanted, able)
    if choice is not None:
        return choice
    raise UnsupportedModelError(
        f"'{model_id}' {release.version} has no variant{f' {name!r}' if name else ''} that runs"
        " here",
        why=none_runs(wanted, able),
        todo=f"Publish one for an engine of this platform: {', '.join(platform.engines)}",
    )


def choose(
    manifest: Manifest,
    *,
    active: Version | None,
    set_aside: Mapping[Version, str],
    included: Mapping[Version, bool],
    app: Version,
    abilities: Abilities,
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
        abilities: What this device can do.
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
        and best(release.variants(platform), abilities) is not None
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
