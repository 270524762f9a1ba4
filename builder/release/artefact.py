"""What a release carries: variants with chunk indexes and golden sets, and all their blobs."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from builder import made, models
from builder.errors import BuildError, InputMissingError
from builder.release import golden
from builder.release.session import Session
from satchel.chunks import encode as encode_chunks
from satchel.engines import engine_of
from satchel.golden import encode as encode_golden
from satchel.manifest import Manifest, Reference, Release, Variant
from satchel.variants import engine_title
from satchel_models import chunking


@dataclass(frozen=True)
class Artefact:
    """A release, and the content of every blob that it names, by SHA-256."""

    release: Release
    blobs: Mapping[str, bytes]


def manifest(recipe: Path, only: str | None = None) -> Manifest:
    """Return what a recipe says of itself, as a manifest with its one release."""
    return Manifest.parse(models.artefacts(recipe, only).manifest)


def make(path: Path, *, only: str | None = None, files: Sequence[Path] = ()) -> Artefact:
    """Make a release out of a recipe.

    Args:
        path: The recipe.toml; its version and changelog are the release's, until the caller says
            otherwise.
        only: The one variant to take; None: all.
        files: Model files instead of the recipe's own; then the release has only the variants that
            they stand for: those of their engine, inputs and outputs.

    Raises:
        InputMissingError: A file isn't there.
        BuildError: The recipe or a file is wrong.
    """
    own = models.artefacts(path, only)
    (release,) = Manifest.parse(own.manifest).releases
    variants = release.platforms[models.PLATFORM]
    blobs = {blob.sha256: blob.path.read_bytes() for blob in own.blobs}
    if files:
        given = dict(_replaced(own, variants, file, blobs) for file in files)
        variants = tuple(given[one.name] for one in variants if one.name in given)
    place = made.folder(own.recipe)
    finished = []
    for variant in variants:
        content = blobs[variant.blob.sha256]
        index = encode_chunks(chunking.cut(content))
        checks = encode_golden(golden.make(own.recipe, place, content, variant))
        finished.append(replace(variant, chunks=_put(blobs, index), golden=_put(blobs, checks)))
    needed = {reference.sha256 for variant in finished for reference in _references(variant)}
    return Artefact(
        replace(release, platforms={models.PLATFORM: tuple(finished)}),
        {digest: content for digest, content in blobs.items() if digest in needed},
    )


def _replaced(
    own: models.Artefacts, variants: Sequence[Variant], file: Path, blobs: dict[str, bytes]
) -> tuple[str, Variant]:
    """The variant that a file stands for, by name, with that file.

    What was measured holds for the recipe's own file alone.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputMissingError(f"The model {file} can't be read: {error.strerror}.") from error
    variant = _stands_for(own, variants, content, blobs)
    blob = _put(blobs, content)
    if blob == variant.blob:
        return variant.name, variant
    changed = replace(variant, blob=blob, accuracy=None, latency_ms=None, cpu_seconds=None)
    return variant.name, changed


def _stands_for(
    own: models.Artefacts, variants: Sequence[Variant], content: bytes, blobs: Mapping[str, bytes]
) -> Variant:
    name, engine = own.recipe.id, engine_of(content)
    fitting = [variant for variant in variants if variant.engine == engine]
    if not fitting:
        raise BuildError(
            f"The file is a model for {engine_title(engine)}, and {name} has no variant for that."
        )
    found = Session(content, fitting[0], name).interface
    wanted = {one.name: Session(blobs[one.blob.sha256], one, name).interface for one in fitting}
    alike = [variant for variant in fitting if wanted[variant.name] == found]
    if not alike:
        raise BuildError(
            f"The file isn't a model like {name}'s. It has {found}; the page's task needs "
            f"{' or '.join(wanted.values())}."
        )
    if len(alike) > 1:
        names = ", ".join(variant.name for variant in alike)
        raise BuildError(
            f"{name} has the variants {names}; say in the site's file which one the page ships: "
            'variant = "NAME".'
        )
    return alike[0]


def _put(blobs: dict[str, bytes], content: bytes) -> Reference:
    digest = hashlib.sha256(content).hexdigest()
    blobs[digest] = content
    return Reference(digest, len(content))


def _references(variant: Variant) -> list[Reference]:
    return [one for one in (variant.chunks, variant.golden, *variant.references()) if one]
