"""Where a build takes its models from, verified: what the page pins, and what is copied."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from builder import models
from builder.errors import BuildError
from builder.progress import console, say
from builder.release import development, expiry, layout, trust, verify
from builder.release.keys import KeyFolders
from builder.release.roles import Roles
from builder.release.stage import lock
from builder.site import Site, SiteModel
from satchel.manifest import Release, Variant
from satchel_models import Recipe


@dataclass(frozen=True)
class Pinned:
    """A model as a page's first visit takes it.

    Attributes:
        recipe: What it is, for its task and its notices.
        signed: The manifest.
        release: The one in it that a first visit installs.
    """

    recipe: Recipe
    signed: verify.Signed
    release: Release

    @property
    def variants(self) -> tuple[Variant, ...]:
        """Among which a device finds its own."""
        return self.release.variants(models.PLATFORM)


def download_size(variant: Variant) -> int:
    """Return the bytes that installing a variant downloads, manifest and golden set apart."""
    return sum(reference.size for reference in set(variant.references()))


def locate(site: Site, given: Path | None) -> Path:
    """Return the repository that a site is built from; a development one is brought up to date.

    Args:
        site: The site.
        given: The folder that was asked for; None: the site's own, else a development repository.

    Raises:
        BuildError: There is none where one must be.
    """
    repository = given or site.repository
    absent = repository is None or not repository.is_dir()
    if given is None and absent and trust.committed(site) is None:
        return development.follow(site, KeyFolders.default())
    if repository is None or not repository.is_dir():
        raise BuildError(
            f"There is no release repository at {repository}. Give its place with --repository, or "
            f"release a model into it: python3 build.py release {site.models[0].id}"
        )
    return repository


def inputs(site: Site, repository: Path) -> list[Path]:
    """Return the files that say all of a repository: its metadata names the rest by hash."""
    return [*([site.root] if site.root else []), repository / layout.METADATA]


def read(site: Site, repository: Path) -> tuple[trust.Trust, list[Pinned]]:
    """Verify a repository as a device would, and return what the page trusts and pins.

    Raises:
        BuildError: The repository doesn't match the site's root, isn't whole, has expired, or lacks
            one of the site's models.
    """
    trusted = trust.of(site, repository)
    with lock(repository):
        signed = verify.read([repository], trusted.root)
    _warn(repository, trusted)
    return trusted, [_pinned(site, entry, signed, repository) for entry in site.models]


def copy(repository: Path, target: Path) -> None:
    """Copy all that a host serves of a repository."""
    with lock(repository):
        for path in served(repository):
            place = target / path.relative_to(repository)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)


def served(repository: Path) -> Iterator[Path]:
    """Yield the files of a repository that a host serves."""
    for folder in layout.SERVED:
        yield from (path for path in sorted((repository / folder).glob("*")) if path.is_file())


def _pinned(
    site: Site, entry: SiteModel, signed: dict[str, verify.Signed], repository: Path
) -> Pinned:
    recipe = models.load(entry.recipe)
    if (recipe.id, recipe.task) != (entry.id, entry.task):
        raise BuildError(
            f"{site.file} says {entry.id!r} for {entry.task!r}, but {entry.recipe} "
            f"is {recipe.id!r} for {recipe.task!r}."
        )
    if entry.id not in signed:
        raise BuildError(
            f"{repository} has no release of {entry.id}. Make one: "
            f"python3 build.py release {entry.id} --repository {repository} --site {site.file}"
        )
    found = signed[entry.id]
    if found.manifest.task != entry.task:
        raise BuildError(
            f"{repository} has {entry.id!r} for {found.manifest.task!r}, not for {entry.task!r}."
        )
    return Pinned(recipe, found, found.manifest.release())


def _warn(repository: Path, trusted: trust.Trust) -> None:
    folder = repository / layout.METADATA
    roles = Roles(folder, folder, KeyFolders.default(), expiry.now()).everything()
    for sentence in expiry.warnings({name: md.signed for name, md in roles.items()}, expiry.now()):
        console.print(f"Warning: {sentence}", style="yellow", markup=False)
    if trusted.development:
        say(
            "DEVELOPMENT KEYS sign this site's models: they lie unprotected on this machine. "
            "Before others use the site, make real ones: docs/updates.md"
        )
