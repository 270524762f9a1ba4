"""Release repositories of the model "w" at several moments, for the tests of updates; CPython only.

`write(folder, files)` makes `<moment>/{metadata,manifests,blobs}/…` and `root.json`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from trust_repositories import Repository

from satchel.manifest import Manifest, Reference, Release, Variant
from satchel.versions import Version

V1, V2, V3 = (Version.parse(text) for text in ("1.0.0", "1.1.0", "1.2.0"))


def write(folder: Path, files: Path) -> None:
    """Write every moment; the model files are those that fixtures.py made."""
    repository = Repository()
    one, two = release(V1, "one", files), release(V2, "two", files, changelog="Knows puffins.")
    bad = release(V3, "nan", files, golden="one")
    moments = {
        "first": manifest(one),
        "second": manifest(two, one),
        "staged": manifest(release(V2, "two", files, rollout=0.0), one),
        "mandatory": manifest(release(V2, "two", files, mandatory=True), one),
        "withdrawn": manifest(one, revoked=(V2,)),
        "broken": manifest(bad, one),
        "newer app": manifest(release(V2, "two", files, minimum_app="99.0.0"), one),
    }
    for name, made in moments.items():
        # Moments of their own: a device that sees one after the other sees higher versions.
        repository.publish(w=made.encode())
        place = folder / name
        repository.write(place)
        for version in made.releases:
            write_blobs(version, place / "blobs", files)
    (folder / "root.json").write_bytes(repository.files["metadata/1.root.json"])


def manifest(*releases: Release, **more: object) -> Manifest:
    return Manifest("w", "", "Weighty", releases, **more)


def release(version: Version, name: str, files: Path, golden: str = "", **more: object) -> Release:
    variant = Variant(
        "only",
        "onnxruntime",
        reference(files / f"{name}.weighty"),
        chunks=reference(files / f"{name}.chunks"),
        golden=reference(files / f"{golden or name}.golden"),
    )
    about = {"changelog": ""} | more
    return Release(version, licence="CC0-1.0", platforms={"browser": (variant,)}, **about)


def reference(path: Path) -> Reference:
    data = path.read_bytes()
    return Reference(hashlib.sha256(data).hexdigest(), len(data))


def write_blobs(version: Release, folder: Path, files: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (variant,) = version.platforms["browser"]
    wanted = {variant.blob.sha256, variant.chunks.sha256, variant.golden.sha256}
    for path in files.iterdir():
        if path.suffix in (".weighty", ".chunks", ".golden"):
            digest = reference(path).sha256
            if digest in wanted:
                (folder / digest).write_bytes(path.read_bytes())
