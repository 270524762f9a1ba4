"""The commands that change a release repository: sequences of the steps in this package."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from rich.table import Column, Table

from builder import models
from builder.errors import BuildError
from builder.files import write_whole
from builder.paths import ROOT
from builder.progress import console, doing, say
from builder.release import (
    artefact,
    catalogue,
    development,
    expiry,
    founding,
    layout,
    source,
    tidy,
    trust,
)
from builder.release.founding import Quorum
from builder.release.keys import ROLES, KeyFolders, Kind
from builder.release.roles import Roles, newest_root
from builder.release.stage import Stage, changing, first_root, lock
from builder.site import Site, SiteModel
from satchel.manifest import Manifest


def release(
    site: Site,
    model: str,
    *,
    version: str | None = None,
    changelog: str | None = None,
    mandatory: bool = False,
    rollout: float = catalogue.EVERYONE,
    files: Sequence[Path] = (),
    minimum: str | None = None,
    repository: Path | None = None,
) -> None:
    """Publish a new version of a model.

    Args:
        site: Whose model.
        model: Its id.
        version: By SemVer, above every earlier one; None: the recipe's.
        changelog: What changed, for the people who get it; None: the recipe's.
        mandatory: Devices fetch it without being asked to.
        rollout: Percentage of the devices that it is offered to.
        files: Model files instead of the recipe's artefacts, one for each of its variants that the
            release is to have.
        minimum: From now on the oldest version that may be used.
        repository: None: the site's own.

    Raises:
        BuildError: Something isn't right; the repository is as it was.
    """
    entry = _entry(site, model)
    place, keys = _place(site, repository), _keys(site, repository)
    with doing(f"Making the release of {model} …"):
        made = artefact.make(entry.recipe, only=entry.variant, files=files)
    asked = replace(
        made.release,
        version=catalogue.version(version) if version else made.release.version,
        changelog=changelog if changelog is not None else made.release.changelog,
        mandatory=mandatory,
        rollout=_percent(rollout),
    )
    lowest = catalogue.version(minimum) if minimum else None
    if repository is None and trust.committed(site) is None and not place.exists():
        # Visitors of what was built so far find their models and their root again.
        source.copy(development.follow(site, keys), place)
    with changing(place, keys, trust.committed(site)) as stage:
        _begin(site, stage, keys)
        known = artefact.manifest(entry.recipe, entry.variant)
        before = stage.current(model)
        known = replace(
            known,
            releases=before.releases if before else (),
            minimum_version=before.minimum_version if before else None,
            revoked=before.revoked if before else (),
        )
        stage.put(catalogue.released(known, asked, lowest), made.blobs)
    sizes = ", ".join(
        f"{variant.name}: {variant.blob.size / 1e6:.1f} MB"
        for variant in asked.variants(models.PLATFORM)
    )
    say(f"Released {model} {asked.version} ({sizes}) for {asked.rollout:g} % of the devices.")
    _next_steps(site, place)


def rollout(
    site: Site, model: str, *, version: str, percent: float, repository: Path | None = None
) -> None:
    """Offer a release to more devices. It is no release: no version of a model changes.

    Raises:
        BuildError: Something isn't right; the repository is as it was.
    """
    wanted, share = catalogue.version(version), _percent(percent)
    place = _change(site, model, repository, lambda now: catalogue.widened(now, wanted, share))
    say(f"{model} {wanted} is offered to {share:g} % of the devices.")
    _next_steps(site, place)


def withdraw(site: Site, model: str, *, version: str, repository: Path | None = None) -> None:
    """Take a release back, for good.

    Raises:
        BuildError: Something isn't right; the repository is as it was.
    """
    wanted = catalogue.version(version)
    place = _change(site, model, repository, lambda now: catalogue.withdrawn(now, wanted))
    say(f"{model} {wanted} is withdrawn: devices that have it go to another release.")
    _next_steps(site, place)


def refresh(site: Site, *, repository: Path | None = None) -> None:
    """Sign snapshot and timestamp anew; targets as well if it expires soon and its keys are here.

    Raises:
        BuildError: A key is missing, or there is nothing to sign.
    """
    place, keys = _existing(site, repository), _keys(site, repository)
    with changing(place, keys, trust.committed(site), renew=True) as stage:
        signed = stage.roles.open("targets").signed
        late = expiry.warnings({"targets": signed}, stage.roles.at)
        if late and _has_keys(stage, keys, "targets"):
            stage.renew_targets()
    say(f"Signed {place} anew.")
    _next_steps(site, place)


def clean(site: Site, *, repository: Path | None = None) -> None:
    """Delete what no supported manifest names any more."""
    place = _existing(site, repository)
    with lock(place):
        gone = tidy.remove(place, expiry.now())
    for path in gone:
        say(f"Deleted {path.relative_to(place)}")
    say(f"{len(gone)} files deleted; the rest is still needed.")


def make_keys(
    site: Site, *, kind: Kind, root: str, targets: str, repository: Path | None = None
) -> None:
    """Make real keys, and found the site's repository with them.

    Raises:
        BuildError: There is a root already.
    """
    place, keys = _place(site, repository), _keys(site, repository)
    if site.root is None or site.root.exists() or newest_root(place / layout.METADATA):
        raise BuildError(
            f"{site.root} or {place} has a root already. New keys for it: python3 build.py keys "
            "rotate. To begin anew, delete both; devices that know the old root get no updates."
        )
    quorums = {"root": Quorum.parse(root), "targets": Quorum.parse(targets)}
    with changing(place, keys, None) as stage:
        founding.found(stage, keys, kind, quorums)
    write_whole(site.root, first_root([place]))
    say(f"Made the keys: offline in {keys.offline}, online in {keys.online}.")
    say(f"Commit {site.root}: it says whom the page trusts. Back up the offline keys elsewhere.")


def rotate_keys(
    site: Site,
    *,
    kind: Kind,
    roles: tuple[str, ...],
    quorums: dict[str, str],
    repository: Path | None = None,
) -> None:
    """Replace keys, all or some roles', by new ones.

    Raises:
        BuildError: The old root keys are missing.
    """
    place, keys = _existing(site, repository), _keys(site, repository)
    given = {role: Quorum.parse(text) for role, text in quorums.items()}
    with changing(place, keys, trust.committed(site), renew=True) as stage:
        founding.rotate(stage, keys, kind, given, roles or ROLES)
    newest = newest_root(place / layout.METADATA)
    if newest is None or site.root is None:
        raise BuildError(f"{place} lost its root metadata.")
    write_whole(site.root, newest.read_bytes())
    say(f"{newest.name} is signed by the old keys and the new. Commit {site.root}.")
    say("The old private keys are needed no more, once the new root is on the host.")
    _next_steps(site, place)


def show_keys(site: Site, *, repository: Path | None = None) -> Table:
    """Return a table of the keys that count, and which of them this machine has."""
    place, keys = _existing(site, repository), KeyFolders.default()
    folder = place / layout.METADATA
    roles = Roles(folder, folder, keys, expiry.now())
    root = roles.root()
    names = ("role", "signs", "key", "type", "here", "expires")
    table = Table(*(Column(name, no_wrap=True) for name in names), box=None)
    for role in ROLES:
        expires = roles.open(role).signed.expires
        for keyid in root.roles[role].keyids:
            where = keys.file(role, keyid)
            table.add_row(
                role,
                f"{root.roles[role].threshold} of {len(root.roles[role].keyids)}",
                keyid[:16],
                root.keys[keyid].scheme,
                str(where.parent) if where else "no",
                f"{expires:%Y-%m-%d}",
            )
    if trust.is_development(root):
        table.caption = "DEVELOPMENT KEYS: not for a site that others use"
    return table


def _change(
    site: Site, model: str, repository: Path | None, decide: Callable[[Manifest], Manifest]
) -> Path:
    place, keys = _existing(site, repository), _keys(site, repository)
    with changing(place, keys, trust.committed(site)) as stage:
        before = stage.current(model)
        if before is None:
            raise BuildError(f"{place} has no release of {model}.")
        stage.put(decide(before), {})
    return place


def _begin(site: Site, stage: Stage, keys: KeyFolders) -> None:
    """Give a repository that is new its first root: the committed one, or development keys."""
    if not stage.root.version:
        if trust.committed(site) is not None:
            raise BuildError(
                f"{site.root} belongs to a repository that isn't at {stage.repository}. Give its "
                "place with --repository."
            )
        founding.development(stage, keys)
    if not trust.is_development(stage.root):
        return
    console.print(
        f"DEVELOPMENT KEYS sign {stage.repository}: they lie unprotected in {keys.offline} and "
        f"{keys.online}. Before others use the site, make real ones: python3 build.py keys rotate",
        style="bold red",
        markup=False,
    )


def _entry(site: Site, model: str) -> SiteModel:
    for entry in site.models:
        if entry.id == model:
            return entry
    known = ", ".join(entry.id for entry in site.models)
    raise BuildError(f"{site.file} has no model {model!r}; it has {known}.")


def _place(site: Site, repository: Path | None) -> Path:
    return repository or site.repository or site.file.parent / "repository"


def _existing(site: Site, repository: Path | None) -> Path:
    place = _place(site, repository)
    if newest_root(place / layout.METADATA) is None:
        raise BuildError(
            f"There is no release repository at {place}. Give its place with --repository, or "
            f"release a model into it: python3 build.py release {site.models[0].id}"
        )
    return place


def _keys(site: Site, repository: Path | None) -> KeyFolders:
    keys = KeyFolders.default()
    keys.outside([ROOT, site.file.parent, _place(site, repository)])
    return keys


def _has_keys(stage: Stage, keys: KeyFolders, role: str) -> bool:
    root = stage.roles.root()
    here = [keyid for keyid in root.roles[role].keyids if keys.file(role, keyid)]
    return len(here) >= int(root.roles[role].threshold)


def _percent(value: float) -> float:
    if not 0 < value <= catalogue.EVERYONE:
        raise BuildError(f"A roll-out of {value:g} % isn't one: it is above 0 and at most 100.")
    return value


def _next_steps(site: Site, place: Path) -> None:
    folder = place / layout.METADATA
    roles = Roles(folder, folder, KeyFolders.default(), expiry.now()).everything()
    for sentence in expiry.warnings({name: md.signed for name, md in roles.items()}, expiry.now()):
        console.print(f"Warning: {sentence}", style="yellow", markup=False)
    if site.models_url:
        say(f"Upload {place} to {site.models_url} in the order of {layout.UPLOAD}.")
    else:
        say("Build the site and upload it in the order of its _upload.txt (docs/updates.md).")
