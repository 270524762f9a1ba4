"""A model's recipe and what the page gets from it: a manifest and blobs named by their hash."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builder.errors import BuildError, InputMissing
from builder.files import sha256
from builder.site import expect, read_toml

SCHEMA = 1
"""The manifest format that `app/satchel/manifest.py` reads."""

PLATFORM = "browser"

RECORDS = ("source", "export", "preprocess", "quantize", "optimize", "evaluation", "golden")
"""Tables that tell how the artefact came to be; `satchel_models` reads them, the page doesn't."""


@dataclass(frozen=True)
class Blob:
    """An immutable file, named by its content."""

    path: Path
    sha256: str
    size: int

    @property
    def reference(self) -> dict[str, Any]:
        """How a manifest names it."""
        return {"sha256": self.sha256, "size": self.size}


@dataclass(frozen=True)
class Artefacts:
    """What one recipe contributes to a site."""

    id: str
    task: str
    title: str
    version: str
    licence: str
    licence_file: Path
    manifest: bytes
    manifest_sha256: str
    blobs: tuple[Blob, ...]
    """Every blob that the manifest names, each once."""

    @property
    def manifest_name(self) -> str:
        """The manifest's file name, which carries its hash."""
        return f"{self.id}.{self.manifest_sha256}.json"

    @property
    def bytes(self) -> int:
        """What installing the model downloads, manifest apart."""
        return sum(blob.size for blob in self.blobs)


@dataclass(frozen=True)
class Recipe:
    """A checked recipe.toml."""

    path: Path
    table: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The model's id, also its folder's name."""
        return str(self.table["id"])

    def file(self, name: str) -> Path:
        """Return a file that the recipe names, relative to it.

        Raises:
            InputMissing: With how to get it.
        """
        path = self.path.parent / name
        if not path.is_file():
            raise InputMissing(
                f"{self.path} names {name}, which isn't there. If it is an artefact, make it "
                f"again: python3 build.py models --rebuild {self.id}"
            )
        return path


def load(path: Path) -> Recipe:
    """Read and check a recipe.

    Raises:
        InputMissing: There is none at `path`.
        BuildError: A field is missing, unknown or of the wrong kind.
    """
    table = read_toml(path, "recipe")
    texts = ("id", "task", "title", "version", "changelog", "licence")
    expect(
        path,
        "",
        table,
        {**dict.fromkeys(texts, str), "variants": list},
        {"files": dict, "minimum_app": str, "mandatory": bool, "rollout": int},
        free=RECORDS,
    )
    for number, variant in enumerate(table["variants"], 1):
        expect(
            path,
            f"variants, number {number}",
            variant,
            {"name": str, "engine": str, "file": str},
            {"session": dict, "resolutions": list, "accuracy": dict},
            free=RECORDS,
        )
    if not table["variants"]:
        raise BuildError(f"{path}: `variants` is empty; a model needs at least one.")
    return Recipe(path, table)


def artefacts(path: Path) -> Artefacts:
    """Turn a recipe and the files beside it into a manifest and its blobs.

    The manifest's bytes depend on nothing but the recipe and those files.
    """
    recipe = load(path)
    table = recipe.table
    named = {name: _blob(recipe.file(file)) for name, file in table.get("files", {}).items()}
    models = [_blob(recipe.file(variant["file"])) for variant in table["variants"]]
    release = {
        "version": table["version"],
        "changelog": table["changelog"],
        "mandatory": table.get("mandatory", False),
        "rollout": table.get("rollout", 100),
        "licence": table["licence"],
        "minimum_app": table.get("minimum_app", "0.1.0"),
        "platforms": {
            PLATFORM: [
                _variant(variant, model, named)
                for variant, model in zip(table["variants"], models, strict=True)
            ]
        },
    }
    manifest = canonical(
        {
            "schema": SCHEMA,
            "model": recipe.id,
            "task": table["task"],
            "title": table["title"],
            "releases": [release],
            "minimum_version": None,
            "revoked": [],
        }
    )
    blobs = {blob.sha256: blob for blob in (*models, *named.values())}
    return Artefacts(
        recipe.id,
        table["task"],
        table["title"],
        table["version"],
        table["licence"],
        recipe.file("LICENSE"),
        manifest,
        hashlib.sha256(manifest).hexdigest(),
        tuple(blobs.values()),
    )


def canonical(value: object) -> bytes:
    """Return JSON with one spelling: sorted keys, no spaces, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def _variant(
    variant: Mapping[str, Any], model: Blob, files: Mapping[str, Blob]
) -> dict[str, object]:
    session = {"graph_optimization_level": "all", "config": {}, **variant.get("session", {})}
    return {
        "name": variant["name"],
        "engine": variant["engine"],
        "blob": model.reference,
        "chunks": None,
        "golden": None,
        "session": session,
        "files": {name: blob.reference for name, blob in files.items()},
        "resolutions": variant.get("resolutions", []),
        "accuracy": variant.get("accuracy"),
        "latency_ms": None,
        "cpu_seconds": None,
    }


def _blob(path: Path) -> Blob:
    return Blob(path, sha256(path), path.stat().st_size)
