"""A model's manifest: its releases and their variants, parsed once and strictly.

The JSON form is schema 1 of "Model manifest" in docs/ARCHITECTURE.md. An unknown or missing field
is an error that names it, so that a manifest is never half understood.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from satchel.errors import ManifestError
from satchel.fields import (
    boolean,
    build,
    list_of,
    map_of,
    mapping,
    number,
    one_of,
    optional,
    size,
    text,
    wrong,
)
from satchel.versions import Version

__all__ = [
    "SCHEMA",
    "Manifest",
    "Reference",
    "Release",
    "SessionSettings",
    "Variant",
    "release_from",
    "release_tree",
]

SCHEMA = 1

# No regular expressions: each costs milliseconds when a page opens.
_HEX = frozenset("0123456789abcdef")
_FIRST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_IDENTIFIER = _FIRST | frozenset("._-")
_VARIANT = _IDENTIFIER | {"@"}
_LONGEST = 128
"""Of a network for smaller inputs, the side comes after "@", as optimisers' reports have it."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A blob by its SHA-256 (hex) and size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """How the variant's engine is to load it; see `satchel.platform.SessionOptions`."""

    graph_optimization_level: str = "all"
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Variant:
    """One file of a release, for one engine.

    Attributes:
        blob: The model file.
        chunks: Its chunk index; None: one chunk.
        golden: Golden inputs and outputs to validate it with.
        needs: What a device must have for it, such as "relaxed-simd"; see
            `satchel.platform.Platform.features`. One that lacks some of it uses another variant.
        files: What else the task needs, such as labels, by name.
        resolutions: Input sizes in pixels that it was measured at.
        crop: Part of a photo's shorter side that it sees; None: what its task takes.
        accuracy: Measured figures by name, as fractions of 1.
        latency_ms: Measured milliseconds for one inference.
        cpu_seconds: Measured processor seconds for one inference.
    """

    name: str
    engine: str
    blob: Reference
    chunks: Reference | None = None
    golden: Reference | None = None
    needs: tuple[str, ...] = ()
    session: SessionSettings = SessionSettings()
    files: Mapping[str, Reference] = field(default_factory=dict)
    resolutions: tuple[int, ...] = ()
    crop: float | None = None
    accuracy: Mapping[str, float] | None = None
    latency_ms: float | None = None
    cpu_seconds: float | None = None

    def references(self) -> tuple[Reference, ...]:
        """Every blob that must be there for this variant to work."""
        return (self.blob, *self.files.values())


@dataclass(frozen=True, slots=True)
class Release:
    """One version of a model: variants by platform, best first."""

    version: Version
    changelog: str
    licence: str
    platforms: Mapping[str, tuple[Variant, ...]]
    mandatory: bool = False
    rollout: float = 100.0
    minimum_app: str = "0.1.0"

    def variants(self, platform: str) -> tuple[Variant, ...]:
        """Variants for a platform; those for browsers where it has none of its own."""
        return self.platforms.get(platform) or self.platforms.get("browser", ())


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything a device needs to know about a model's releases."""

    model: str
    task: str
    title: str
    releases: tuple[Release, ...]
    minimum_version: Version | None = None
    revoked: tuple[Version, ...] = ()

    def release(self, version: str | None = None) -> Release:
        """A release by version, or the newest that is rolled out to everyone.

        Raises:
            ManifestError: There is none.
        """
        found = [
            release
            for release in self.releases
            if (str(release.version) == version if version else release.rollout >= 100)
            and release.version not in self.revoked
        ]
        if not found:
            wanted = f"version {version}" if version else "release for everyone"
            raise ManifestError(f"The manifest of '{self.model}' has no {wanted}")
        return max(found, key=lambda release: release.version)

    @classmethod
    def parse(cls, data: bytes | str) -> Manifest:
        """Read the JSON form.

        Raises:
            ManifestError: It is no JSON, has another schema, or a field is missing, unknown or of
                the wrong kind; the message names it.
        """
        try:
            tree = json.loads(data)
        except ValueError as error:
            raise ManifestError("The manifest is no JSON", why=str(error)) from error
        return _manifest(tree)

    def encode(self) -> bytes:
        """The JSON form, always the same bytes for the same manifest."""
        tree = {"schema": SCHEMA, **_plain(self)}
        text = json.dumps(tree, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return text.encode()


def release_from(tree: object) -> Release:
    """Read one release, as the library stores it."""
    return _release(tree, "release")


def release_tree(release: Release) -> dict[str, Any]:
    """One release as plain data."""
    tree: dict[str, Any] = _plain(release)
    return tree


def _plain(value: Any) -> Any:
    """Dataclasses as JSON data; a version as its text."""
    if isinstance(value, Version):
        return str(value)
    if is_dataclass(value):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _manifest(tree: object) -> Manifest:
    data = mapping(tree, "manifest")
    if data.pop("schema", None) != SCHEMA:
        raise ManifestError(
            f"The manifest's schema is not {SCHEMA}",
            todo="Reload the page: a newer version of it may understand this manifest",
        )
    return build(
        Manifest,
        data,
        "manifest",
        model=_identifier,
        task=text,
        title=text,
        releases=list_of(_release),
        minimum_version=optional(_version),
        revoked=list_of(_version),
    )


def _release(tree: object, where: str) -> Release:
    def platforms(value: object, where: str) -> dict[str, tuple[Variant, ...]]:
        parsed: dict[str, tuple[Variant, ...]] = map_of(list_of(_variant))(value, where)
        return parsed

    return build(
        Release,
        mapping(tree, where),
        where,
        version=_version,
        changelog=text,
        licence=text,
        platforms=platforms,
        mandatory=boolean,
        rollout=number,
        minimum_app=text,
    )


def _variant(tree: object, where: str) -> Variant:
    return build(
        Variant,
        mapping(tree, where),
        where,
        name=_variant_name,
        engine=_identifier,
        blob=_reference,
        chunks=optional(_reference),
        golden=optional(_reference),
        needs=list_of(_identifier),
        session=_session,
        files=map_of(_reference),
        resolutions=list_of(size),
        crop=optional(number),
        accuracy=optional(map_of(number)),
        latency_ms=optional(number),
        cpu_seconds=optional(number),
    )


def _reference(tree: object, where: str) -> Reference:
    return build(Reference, mapping(tree, where), where, sha256=_digest, size=size)


def _session(tree: object, where: str) -> SessionSettings:
    return build(
        SessionSettings,
        mapping(tree, where),
        where,
        graph_optimization_level=one_of("disabled", "basic", "extended", "all"),
        config=map_of(text),
    )


def _named(name: str, of: frozenset[str]) -> bool:
    """Whether it is a name of such characters, and begins with a letter or digit."""
    return 0 < len(name) <= _LONGEST and name[0] in _FIRST and of.issuperset(name)


def _variant_name(value: object, where: str) -> str:
    if not _named(text(value, where), _VARIANT):
        raise wrong(where, "is no name of letters, digits, '.', '_', '@' and '-'")
    return str(value)


def _identifier(value: object, where: str) -> str:
    if not _named(text(value, where), _IDENTIFIER):
        raise wrong(where, "is no name of letters, digits, '.', '_' and '-'")
    return str(value)


def _digest(value: object, where: str) -> str:
    digits = text(value, where)
    if len(digits) != 64 or not _HEX.issuperset(digits):
        raise wrong(where, "is no SHA-256 in lower-case hex")
    return str(value)


def _version(value: object, where: str) -> Version:
    return Version.parse(text(value, where))
