"""A repository as a device sees it: refreshed and read by python-tuf's own client."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from tuf.api.exceptions import (
    DownloadError,
    DownloadHTTPError,
    ExpiredMetadataError,
    RepositoryError,
)
from tuf.api.metadata import Metadata, Targets
from tuf.ngclient import FetcherInterface, Updater

from builder.errors import BuildError
from builder.files import sha256
from builder.release import layout
from satchel.errors import ManifestError
from satchel.manifest import Manifest

_BASE = "repository:///"


@dataclass(frozen=True)
class Signed:
    """A model's manifest, vouched for by the repository's signatures.

    Attributes:
        manifest: What it says.
        data: Its bytes.
        sha256: Of the bytes, hex.
    """

    manifest: Manifest
    data: bytes
    sha256: str

    @property
    def name(self) -> str:
        """Its file in the repository's `manifests`."""
        return layout.manifest_name(self.manifest.model, self.sha256)


def read(folders: Sequence[Path], root: bytes) -> dict[str, Signed]:
    """Do what a device does that trusts `root`, and return the manifests by model.

    Args:
        folders: The repository, what was changed before what was there.
        root: Trusted root metadata.

    Raises:
        BuildError: Metadata, a manifest or a blob isn't what it should be; the message names it.
    """
    try:
        manifests = _refreshed(folders, root)
    except ExpiredMetadataError as error:
        raise BuildError(
            f"The repository {folders[-1]} has expired ({error}). Sign it again: "
            "python3 build.py release --refresh"
        ) from error
    except DownloadError as error:
        raise BuildError(f"The repository {folders[-1]} isn't whole: {error}.") from error
    except RepositoryError as error:
        raise BuildError(
            f"The repository {folders[-1]} isn't signed as the site's root metadata asks: {error}. "
            "Either root.json belongs to another repository, or the repository was changed by "
            "somebody without its keys."
        ) from error
    for signed in manifests.values():
        _check_blobs(folders, signed.manifest)
    return manifests


def _refreshed(folders: Sequence[Path], root: bytes) -> dict[str, Signed]:
    with tempfile.TemporaryDirectory() as work:
        updater = Updater(
            metadata_dir=work,
            metadata_base_url=f"{_BASE}{layout.METADATA}/",
            target_dir=work,
            target_base_url=f"{_BASE}{layout.MANIFESTS}/",
            fetcher=_Folders(folders),
            bootstrap=root,
        )
        updater.refresh()
        # The client gives targets by name alone; which there are, its own verified copy says.
        listed = Metadata[Targets].from_bytes((Path(work) / "targets.json").read_bytes()).signed
        manifests = {}
        for name in sorted(listed.targets):
            info = updater.get_targetinfo(name)
            if info is None:
                raise BuildError(f"The target {name} is listed and not found.")
            data = Path(updater.download_target(info)).read_bytes()
            manifests[name] = _manifest(name, data, info.hashes["sha256"])
    return {signed.manifest.model: signed for signed in manifests.values()}


def _manifest(name: str, data: bytes, digest: str) -> Signed:
    try:
        manifest = Manifest.parse(data)
    except ManifestError as error:
        raise BuildError(f"The signed manifest {name} can't be read: {error}") from error
    if layout.target(manifest.model) != name:
        raise BuildError(f"The signed manifest {name} is that of {manifest.model}.")
    return Signed(manifest, data, digest)


def _check_blobs(folders: Sequence[Path], manifest: Manifest) -> None:
    for digest, size in references(manifest).items():
        path = _first(folders, f"{layout.BLOBS}/{digest}")
        if path is None:
            raise BuildError(f"A blob of {manifest.model} isn't in the repository: {digest}.")
        if path.stat().st_size != size or sha256(path) != digest:
            raise BuildError(
                f"A blob of {manifest.model} is damaged: {path}. Bring back the file with that "
                "SHA-256, or release the model again under a higher version."
            )


def references(manifest: Manifest) -> dict[str, int]:
    """Return every blob that a manifest names: SHA-256 to size in bytes."""
    found = {}
    for release in manifest.releases:
        for variants in release.platforms.values():
            for variant in variants:
                for reference in (variant.chunks, variant.golden, *variant.references()):
                    if reference:
                        found[reference.sha256] = reference.size
    return found


def _first(folders: Sequence[Path], name: str) -> Path | None:
    return next((path for folder in folders if (path := folder / name).is_file()), None)


class _Folders(FetcherInterface):
    """Answers the client's requests out of folders, the first that has a file."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders

    def _fetch(self, url: str) -> Iterator[bytes]:
        name = unquote(url.removeprefix(_BASE))
        path = _first(self._folders, name)
        if path is None:
            raise DownloadHTTPError(f"there is no {name}", 404)
        return iter([path.read_bytes()])
