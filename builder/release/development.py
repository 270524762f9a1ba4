"""The repository of a site that has none: kept in the cache, signed with development keys.

So a first `build` or `serve` needs nothing to be set up, and its page goes through the same steps
as one with a real repository. It follows the recipes: a recipe's new version is released into it
when the site is built, and the same version with other files takes the old one's place.
"""

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from builder import models
from builder.errors import BuildError
from builder.files import fingerprint, short, write_whole
from builder.paths import CACHE, ROOT
from builder.progress import doing
from builder.release import artefact, catalogue, expiry, founding, layout, tidy, verify
from builder.release.keys import ROLES, KeyFolders
from builder.release.roles import Roles
from builder.release.stage import Stage, changing, first_root, lock
from builder.site import Site, SiteModel
from satchel.manifest import Manifest, Release

STORE = CACHE / "repositories"

SOURCES = "sources.json"
"""What each model was made from, so that nothing is made twice."""


def place(site: Site) -> Path:
    """Return where a site's development repository is, or will be."""
    models = [f"{entry.id} {entry.variant} {entry.recipe.resolve()}" for entry in site.models]
    return STORE / short("\n".join([str(site.file.resolve()), *sorted(models)]))


def follow(site: Site, keys: KeyFolders) -> Path:
    """Bring a site's development repository up to date with its recipes, and return it.

    Raises:
        BuildError: A recipe is wrong, or what it names isn't there.
    """
    repository = place(site)
    keys.outside([ROOT, site.file.parent])
    with lock(repository):
        if not _is_sound(repository, keys):
            # Of no worth to anybody, and made again in seconds.
            shutil.rmtree(repository, ignore_errors=True)
        sources = {entry.id: _source(entry) for entry in site.models}
        known = _known(repository)
        changed = [entry for entry in site.models if known.get(entry.id) != sources[entry.id]]
        if changed or _ages(repository, keys):
            with (
                doing(f"Signing {', '.join(entry.id for entry in changed) or 'again'} …"),
                changing(repository, keys, None, renew=True) as stage,
            ):
                if not known:
                    founding.development(stage, keys)
                for entry in changed:
                    _put(stage, entry)
            write_whole(repository / SOURCES, json.dumps(sources, indent=1))
            # What a recipe was while it was worked on would go into every build.
            tidy.remove(repository, expiry.now(), grace=timedelta())
    return repository


def _is_sound(repository: Path, keys: KeyFolders) -> bool:
    """Tell whether devices would accept it and this machine can sign for it."""
    folder = repository / layout.METADATA
    if not (folder / "1.root.json").is_file():
        return False
    try:
        verify.read([repository], first_root([repository]))
    except BuildError:
        return False
    root = Roles(folder, folder, keys, expiry.now()).root()
    return all(keys.file(role, keyid) for role in ROLES for keyid in root.roles[role].keyids)


def _put(stage: Stage, entry: SiteModel) -> None:
    made = artefact.make(entry.recipe, only=entry.variant)
    before = stage.current(entry.id)
    empty = artefact.manifest(entry.recipe, entry.variant)
    stage.put(_following(before, replace(empty, releases=()), made.release), made.blobs)


def _following(before: Manifest | None, empty: Manifest, release: Release) -> Manifest:
    """The manifest once a recipe says `release`."""
    if before is None:
        return catalogue.released(empty, release)
    newest = max(one.version for one in before.releases)
    if release.version > newest:
        return catalogue.released(replace(empty, releases=before.releases), release)
    # A recipe under work: whatever it was before has never been anybody's release.
    older = tuple(one for one in before.releases if one.version < release.version)
    return replace(empty, releases=(release, *older))


def _source(entry: SiteModel) -> str:
    code = [ROOT / "builder/release", ROOT / "builder/models.py", ROOT / "app/satchel/golden.py"]
    recipe = models.load(entry.recipe)
    return fingerprint([*models.inputs(recipe), *code], str(entry.variant))


def _known(repository: Path) -> dict[str, str]:
    path = repository / SOURCES
    if not path.is_file():
        return {}
    known: dict[str, str] = json.loads(path.read_text("utf-8"))
    return known


def _ages(repository: Path, keys: KeyFolders) -> bool:
    at = expiry.now()
    folder = repository / layout.METADATA
    roles = Roles(folder, folder, keys, at).everything(("targets", "snapshot", "timestamp"))
    return bool(expiry.warnings({name: md.signed for name, md in roles.items()}, at))
