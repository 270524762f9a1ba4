"""What a release carries: variants with chunk indexes and golden sets, and all their blobs."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from builder import made, models
from builder.errors import BuildError, InputMissingError
from builder.release import golden
from satchel.chunks import encode as encode_chunks
from satchel.golden import encode as encode_golden
from satchel.manifest import Manifest, Reference, Release, Variant
from satchel_models import chunking


@dataclass(frozen=True)
class Artefact:
    """A release, and the content of every blob that it names, by SHA-256."""

    release: Release
    blobs: Mapping[str, bytes]


def manifest(recipe: Path, only: str | None = None) -> Manifest:
    """Return what a recipe says of itself, as a manifest with its one release."""
    return Manifest.parse(models.artefacts(recipe, only).manifest)


def make(path: Path, *, only: str | None = None, file: Path | None = None) -> Artefact:
    """Make a release out of a recipe.

    Args:
        path: The recipe.toml; its version and changelog are the release's, until the caller says
            otherwise.
        only: The one variant to take; None: all.
        file: A model file instead of the recipe's own; then the release has the one variant.

    Raises:
        InputMissingError: A file isn't there.
        BuildError: The recipe or the file is wrong.
    """
    own = models.artefacts(path, only)
    (release,) = Manifest.parse(own.manifest).releases
    variants = release.platforms[models.PLATFORM]
    blobs = {blob.sha256: blob.path.read_bytes() for blob in own.blobs}
    if file is not None:
        if only is None and len(variants) > 1:
            names = ", ".join(variant.name for variant in variants)
            raise BuildError(
                f"{own.recipe.id} has the variants {names}; say in the site's file which one the "
                'page ships: variant = "NAME".'
            )
        variants = (_other(own, variants[0], file, blobs),)
    place = made.folder(own.recipe)
    finished = []
    for variant in variants:
        content = blobs[variant.blob.sha256]
        index = encode_chunks(chunking.cut(content))
        checks = encode_golden(golden.make(own.recipe, place, content, variant.session))
        finished.append(replace(variant, chunks=_put(blobs, index), golden=_put(blobs, checks)))
    needed = {reference.sha256 for variant in finished for reference in _references(variant)}
    return Artefact(
        replace(release, platforms={models.PLATFORM: tuple(finished)}),
        {digest: content for digest, content in blobs.items() if digest in needed},
    )


def _other(own: models.Artefacts, variant: Variant, file: Path, blobs: dict[str, bytes]) -> Variant:
    """The variant with another file; what was measured holds for the recipe's own alone."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputMissingError(f"The model {file} can't be read: {error.strerror}.") from error
    (before,) = (blob for blob in own.blobs if blob.sha256 == variant.blob.sha256)
    golden.check_interface(own.recipe, before.path, content, variant.session)
    blob = _put(blobs, content)
    if blob == variant.blob:
        return variant
    return replace(variant, blob=blob, accuracy=None, latency_ms=None, cpu_seconds=None)


def _put(blobs: dict[str, bytes], content: bytes) -> Reference:
    digest = hashlib.sha256(content).hexdigest()
    blobs[digest] = content
    return Reference(digest, len(content))


def _references(variant: Variant) -> list[Reference]:
    return [one for one in (variant.chunks, variant.golden, *variant.references()) if one]
