"""`site.toml`: what a page holds. Parsed once, strictly, into frozen data."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from builder.errors import BuildError, InputMissingError

TASKS = ("label", "embed", "tensors")
"""Tasks that the page knows how to offer."""

_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")
_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?")


@dataclass(frozen=True)
class SiteModel:
    """One model on the page."""

    id: str
    task: str
    title: str
    recipe: Path
    """Its recipe.toml."""
    variant: str | None = None
    """The only variant to ship; None: all of the recipe's."""


@dataclass(frozen=True)
class Site:
    """A page: its words and its models."""

    file: Path
    title: str
    description: str
    models: tuple[SiteModel, ...]
    root: Path | None = None
    """The committed root metadata, which says whom the page trusts; needs not exist."""
    repository: Path | None = None
    """The release repository; needs not exist. None: a development repository, always."""
    models_url: str | None = None
    """Where the page takes its models from, with a slash at its end; None: its own folder."""

    @property
    def dist(self) -> Path:
        """Where it is built, unless told otherwise."""
        return self.file.parent / "dist"

    @property
    def models_origin(self) -> str | None:
        """The origin of `models_url`, as a content security policy names it."""
        if self.models_url is None:
            return None
        found = urlsplit(self.models_url)
        return f"{found.scheme}://{found.netloc}"


def load(path: Path) -> Site:
    """Read a site file.

    Raises:
        InputMissingError: There is no such file, or a recipe it names is missing.
        BuildError: A field is missing, unknown or of the wrong kind; the message names it.
    """
    raw = read_toml(path, "site file")
    places = {"root": str, "repository": str, "models_url": str}
    expect(path, "", raw, {"title": str, "description": str, "models": list}, places)
    if not raw["models"]:
        raise BuildError(f"{path}: `models` is empty; a page needs at least one model.")
    models = tuple(_model(path, number, entry) for number, entry in enumerate(raw["models"], 1))
    for model in models:
        if sum(other.id == model.id for other in models) > 1:
            raise BuildError(f"{path}: the model {model.id!r} is named twice.")
        if not model.recipe.is_file():
            raise InputMissingError(
                f"{path}: the model {model.id!r} has no recipe at {model.recipe}. "
                'Write one there, or point to it with `recipe = "path"`.'
            )
    return Site(
        path,
        raw["title"],
        raw["description"],
        models,
        root=path.parent / raw.get("root", "root.json"),
        repository=path.parent / raw.get("repository", "repository"),
        models_url=models_url(raw["models_url"]) if "models_url" in raw else None,
    )


def models_url(text: str) -> str:
    """Check the address of a models origin, and put a slash at its end.

    Raises:
        BuildError: A page couldn't fetch from there.
    """
    found = urlsplit(text)
    # Browsers take these hosts for secure without https.
    local = found.hostname in ("127.0.0.1", "localhost")
    if not (found.scheme == "https" or (found.scheme == "http" and local)) or not _HOST.fullmatch(
        found.netloc
    ):
        raise BuildError(f"{text!r} is no address of models; write it like https://models.example/")
    if found.query or found.fragment:
        raise BuildError(f"{text!r}: the address of models can have no '?' and no '#'.")
    return text if text.endswith("/") else f"{text}/"


def read_toml(path: Path, kind: str) -> dict[str, Any]:
    """Read a TOML file, with errors that name it."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise InputMissingError(f"There is no {kind} at {path}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BuildError(f"{path} isn't valid TOML: {error}") from error


def expect(
    path: Path,
    where: str,
    table: Mapping[str, Any],
    fields: Mapping[str, type],
    optional: Mapping[str, type] | None = None,
) -> None:
    """Hold a TOML table against the fields it must and may have.

    Args:
        path: The file, for messages.
        where: The table's name, "" for the top.
        table: What was read.
        fields: Required fields and their types.
        optional: Allowed fields and their types.

    Raises:
        BuildError: Naming the field.
    """
    at = f"{path}: [{where}] " if where else f"{path}: "
    known = {**fields, **(optional or {})}
    for name in fields:
        if name not in table:
            raise BuildError(f"{at}lacks `{name}`.")
    for name, value in table.items():
        if name not in known:
            raise BuildError(f"{at}has an unknown field `{name}`; known: {', '.join(known)}.")
        wanted = known[name]
        fits = isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))
        if not fits and not (wanted is float and isinstance(value, int)):
            raise BuildError(f"{at}`{name}` must be {_WORDS[wanted]}, not {value!r}.")


_WORDS: Mapping[type, str] = {
    str: "text",
    list: "a list",
    dict: "a table",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


def _model(path: Path, number: int, entry: object) -> SiteModel:
    where = f"models, number {number}"
    if not isinstance(entry, dict):
        raise BuildError(f"{path}: {where} must be a table: [[models]].")
    expect(
        path, where, entry, {"id": str, "task": str, "title": str}, {"recipe": str, "variant": str}
    )
    if not _ID.fullmatch(entry["id"]):
        raise BuildError(f"{path}: the id {entry['id']!r} may hold only a–z, 0–9, dot, - and _.")
    if entry["task"] not in TASKS:
        raise BuildError(f"{path}: unknown task {entry['task']!r}; known: {', '.join(TASKS)}.")
    recipe = path.parent / entry.get("recipe", f"models/{entry['id']}")
    if recipe.suffix != ".toml":
        recipe = recipe / "recipe.toml"
    return SiteModel(entry["id"], entry["task"], entry["title"], recipe, entry.get("variant"))
