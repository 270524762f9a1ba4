"""What an embedding page or program may set before it uses Satchel."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

__all__ = ["Settings", "configure", "settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of this process; see `configure`."""

    ort_url: str | None = None
    ort_wasm_url: str | None = None
    litert_url: str | None = None
    litert_wasm_url: str | None = None
    scope: str | None = None
    build: str | None = None
    directory: str | None = None


_settings = Settings()


def settings() -> Settings:
    """The settings in force."""
    return _settings


def configure(**changes: str | None) -> None:  # noqa: D417  # by name below
    """Set what Satchel cannot find out by itself, before its first use.

    Args:
        ort_url: Browser: URL of onnxruntime-web's module (``ort.wasm.bundle.min.mjs``). Needed
            unless ``globalThis.ort`` exists.
        ort_wasm_url: Browser: URL of its ``.wasm`` file; default: beside ``ort_url``.
        litert_url: Browser: URL of LiteRT.js' module (``@litertjs/core``). Needed for models that
            run on it (``.tflite``).
        litert_wasm_url: Browser: URL of the folder with its WASM builds (``.js`` and ``.wasm``);
            default: where ``litert_url`` lies.
        scope: Name under which this site stores its models; default: the page's folder.
        build: Names this build of the page or program: what failed on a device before is tried
            again with another one.
        directory: CPython: folder of the model library; default: the user's cache folder.

    >>> configure(scope="my-notebook")
    >>> settings().scope
    'my-notebook'
    """
    global _settings  # noqa: PLW0603  # one embedding page, one set of settings
    known = [field.name for field in fields(Settings)]
    for name in changes:
        if name not in known:
            raise TypeError(f"configure() knows no '{name}'; it takes {', '.join(known)}")
    _settings = replace(_settings, **changes)
