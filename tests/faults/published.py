"""Release repositories as a host shows them: sound ones, and each kind of unsound one.

All of it comes out of the builder's own release code, signed with real keys; what is wrong on
purpose is changed afterwards, and signed again where somebody with keys would have done it.

    <folder>/<state>/{metadata,manifests,blobs}/…     see `publish`
    <folder>/truth/blobs/<sha256>                     every blob, for whoever checks
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import forgery
from weights import FIRST, HOSTILE, SECOND, THIRD, X, answers, sound

from builder.release import founding, layout
from builder.release.keys import KeyFolders
from builder.release.stage import changing, first_root
from satchel import golden
from satchel.chunks import encode as encode_chunks
from satchel.manifest import Manifest, Reference, Release, Variant
from satchel.versions import Version
from satchel_models import chunking

MODEL = "w"


# ---- releases


@dataclass
class Made:
    """A release, and its blobs by SHA-256."""

    release: Release
    blobs: dict[str, bytes]


def release(version: str, model: bytes, *, golden_of: bytes | None = None,
            index_of: bytes | None = None, checks: bytes | None = None) -> Made:  # fmt: skip
    """A release of a model file.

    Args:
        version: By SemVer.
        model: The file.
        golden_of: What its golden set was made with; default: the file.
        index_of: What its chunk index was made of; default: the file.
        checks: Its golden set itself, instead.
    """
    blobs: dict[str, bytes] = {}

    def put(content: bytes) -> Reference:
        digest = hashlib.sha256(content).hexdigest()
        blobs[digest] = content
        return Reference(digest, len(content))

    case = golden.Case({"x": X}, {"y": answers(model if golden_of is None else golden_of)})
    made = golden.encode(golden.GoldenSet(golden.Tolerance(0.999), (case,)))
    variant = Variant(
        "only",
        "onnxruntime",
        put(model),
        chunks=put(encode_chunks(chunking.cut(model if index_of is None else index_of))),
        golden=put(made if checks is None else checks),
        files={"labels": put(b"one\ntwo\n")},
    )
    words = f"Version {version}."
    parsed = Version.parse(version)
    return Made(Release(parsed, words, "CC0-1.0", {"browser": (variant,)}), blobs)


# ---- the host


@dataclass
class Published:
    """A folder of states, and what whoever checks must know.

    Attributes:
        folder: Where they are.
        root: Root metadata that devices trust from the start.
        first: The manifest that a first install is pinned to.
        answers: What each model file gives for `X`, by its SHA-256.
    """

    folder: Path
    keys: KeyFolders
    root: bytes = b""
    first: bytes = b""
    answers: dict[str, list] = field(default_factory=dict)

    def state(self, name: str, before: str | None, *made: Made) -> None:
        """A state: another one, and releases on top."""
        place = self.folder / name
        if before is not None:
            self._copy(before, name)
        with changing(place, self.keys, None) as stage:
            if before is None:
                founding.development(stage, self.keys)
            for one in made:
                old = stage.current(MODEL)
                older = old.releases if old else ()
                manifest = Manifest(MODEL, "", "Weighty", (one.release, *older))
                stage.put(manifest, one.blobs)

    def spoilt(self, name: str, before: str, spoil: Callable[[forgery.Spoil], None]) -> None:
        """A state whose metadata somebody has changed."""
        self._copy(before, name)
        spoil(forgery.Spoil(self.folder / name / layout.METADATA, self.keys, self.folder))

    def names(self, state: str) -> dict[str, str]:
        """The SHA-256 of the files of a state's newest release, and of the first one."""
        manifests = [
            Manifest.parse(path.read_bytes())
            for path in (self.folder / state / layout.MANIFESTS).iterdir()
        ]
        newest = max(
            (one for manifest in manifests for one in manifest.releases),
            key=lambda one: one.version,
        )
        (variant,) = newest.platforms["browser"]
        (first,) = Manifest.parse(self.first).releases[-1].platforms["browser"]
        return {
            "blob": variant.blob.sha256,
            "index": variant.chunks.sha256,
            "golden": variant.golden.sha256,
            "first": first.blob.sha256,
        }

    def facts(self) -> dict:
        """What the device's side of the tests is told, as JSON."""
        return {
            "model": MODEL,
            "root": self.root.decode(),
            "first": self.first.decode(),
            "answers": self.answers,
            "x": X.tolist(),
        }

    def _copy(self, before: str, name: str) -> None:
        shutil.copytree(self.folder / before, self.folder / name, copy_function=os.link)


def publish(folder: Path) -> Published:
    """Make every state."""
    keys = KeyFolders(folder.with_name("keys") / "offline", folder.with_name("keys") / "online")
    host = Published(folder, keys)
    host.state("v1", None, release("1.0.0", FIRST))
    host.state("v2", "v1", release("1.1.0", SECOND))
    host.state("same_files", "v1", release("1.1.0", FIRST))
    for name, file in HOSTILE.items():
        host.state(name, "v1", release("1.1.0", file, golden_of=SECOND))
        host.state(f"{name}_mended", name, release("1.2.0", THIRD))
    other_index = release("1.1.0", SECOND, index_of=sound(5))
    host.state("index_of_another_file", "v1", other_index)
    host.state("index_of_another_file_mended", "index_of_another_file", release("1.2.0", THIRD))
    host.state("index_unreadable", "v1", release("1.1.0", SECOND, index_of=SECOND[:-100]))
    host.state("index_unreadable_mended", "index_unreadable", release("1.2.0", THIRD))
    host.state("golden_unreadable", "v1", release("1.1.0", SECOND, checks=b"no archive"))
    host.state("golden_unreadable_mended", "golden_unreadable", release("1.2.0", THIRD))
    for name, spoil in forgery.STATES.items():
        host.spoilt(name, "v2", spoil)
    host.root = first_root([folder / "v1"])
    (manifest,) = (folder / "v1" / layout.MANIFESTS).iterdir()
    host.first = manifest.read_bytes()
    truth = folder / "truth" / layout.BLOBS
    truth.mkdir(parents=True)
    for path in folder.glob(f"*/{layout.BLOBS}/*"):
        if not (truth / path.name).exists():
            os.link(path, truth / path.name)
    host.answers = {
        hashlib.sha256(file).hexdigest(): answers(file).tolist() for file in (FIRST, SECOND, THIRD)
    }
    return host
