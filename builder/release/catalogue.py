"""What a model's manifest says after a release, a wider roll-out, a withdrawal: pure decisions."""

from dataclasses import replace

from builder.errors import BuildError
from satchel.errors import ManifestError
from satchel.manifest import Manifest, Release
from satchel.versions import Version

SUPPORTED = 3
"""How many releases for everyone a manifest keeps: the newest, and those that devices may go back
to. Staged ones that are newer come on top."""

EVERYONE = 100.0


def version(text: str) -> Version:
    """Read a version.

    Raises:
        BuildError: It is none by SemVer.
    """
    try:
        return Version.parse(text)
    except ManifestError as error:
        raise BuildError(str(error)) from error


def released(manifest: Manifest, release: Release, minimum: Version | None = None) -> Manifest:
    """Add a release.

    Args:
        manifest: What there is; one without releases for a new model.
        release: Newer than all that ever was.
        minimum: From now on the oldest version that may be used; None: as before.

    Raises:
        BuildError: The version isn't higher than every one before, or nobody would get a model.
    """
    known = [*(one.version for one in manifest.releases), *manifest.revoked]
    newest = max(known, default=None)
    if newest is not None and not newest < release.version:
        state = "withdrawn" if newest in manifest.revoked else "published"
        raise BuildError(
            f"{manifest.model} {release.version} can't be released: {newest} was {state} already, "
            "and devices only go to higher versions. Choose one above it; an old model comes back "
            "under a new version, too."
        )
    lowest = minimum or manifest.minimum_version
    usable = [one for one in manifest.releases if lowest is None or one.version >= lowest]
    return _checked(
        replace(manifest, releases=_in_support((*usable, release)), minimum_version=lowest)
    )


def widened(manifest: Manifest, wanted: Version, percent: float) -> Manifest:
    """Offer a release to more devices.

    Raises:
        BuildError: There is no such release, or it would be offered to fewer.
    """
    release = _find(manifest, wanted)
    if percent <= release.rollout:
        raise BuildError(
            f"{manifest.model} {wanted} is at {release.rollout:g} % already. A roll-out only "
            "grows; to take a release back, use `withdraw`."
        )
    changed = replace(release, rollout=percent)
    releases = tuple(changed if one is release else one for one in manifest.releases)
    return _checked(replace(manifest, releases=_in_support(releases)))


def withdrawn(manifest: Manifest, wanted: Version) -> Manifest:
    """Take a release back: devices that have it go to another one, for good.

    Raises:
        BuildError: There is no such release, or nothing would be left.
    """
    release = _find(manifest, wanted)
    left = tuple(one for one in manifest.releases if one is not release)
    if not any(one.rollout >= EVERYONE for one in left):
        raise BuildError(
            f"{manifest.model} {wanted} is the only release for everyone; without it there would "
            "be no model. Release a higher version first (it may hold an older model: --file)."
        )
    return _checked(replace(manifest, releases=left, revoked=(*manifest.revoked, wanted)))


def _in_support(releases: tuple[Release, ...]) -> tuple[Release, ...]:
    """Those to keep, newest first."""
    ordered = sorted(releases, key=lambda one: one.version, reverse=True)
    full = [one.version for one in ordered if one.rollout >= EVERYONE]
    if not full:
        return tuple(ordered)
    oldest = full[:SUPPORTED][-1]
    # A staged release below a full one is past: nobody would be offered it.
    return tuple(
        one
        for one in ordered
        if one.version > full[0] or (one.rollout >= EVERYONE and one.version >= oldest)
    )


def _checked(manifest: Manifest) -> Manifest:
    try:
        first = manifest.release()
    except ManifestError as error:
        raise BuildError(
            f"{manifest.model} would have no release for everyone: a first one can't be staged. "
            "Leave --rollout out."
        ) from error
    if manifest.minimum_version is not None and first.version < manifest.minimum_version:
        raise BuildError(
            f"{manifest.model}: nothing for everyone is as new as the minimum version "
            f"{manifest.minimum_version}; the newest is {first.version}."
        )
    return manifest


def _find(manifest: Manifest, wanted: Version) -> Release:
    for release in manifest.releases:
        if release.version == wanted:
            return release
    known = ", ".join(str(release.version) for release in manifest.releases)
    raise BuildError(f"{manifest.model} has no release {wanted} in support; it has {known}.")
