"""The inference engines that a page can carry: their files, and which of them a device needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from builder import litert, parts, wire
from builder.errors import BuildError
from builder.files import tree

WASM = ".wasm"


@dataclass(frozen=True)
class Build:
    """What a device downloads of an engine.

    Attributes:
        needs: What the device must have for it; see `satchel.platform.Platform.features`.
        files: Names in the engine's folder, as they travel.
    """

    needs: tuple[str, ...]
    files: tuple[str, ...]


@dataclass(frozen=True)
class Engine:
    """An engine in the page's folder.

    Attributes:
        name: As manifests name it.
        title: What people call it.
        part: The part of `parts.toml` that it is.
        files: What is written as it is.
        large: What is written in its wire form.
        urls: The page's names for places in its folder ("" is the folder itself).
        builds: Best first; a device takes the first one whose needs it meets.
    """

    name: str
    title: str
    part: str
    files: Mapping[str, bytes]
    large: Mapping[str, bytes]
    urls: Mapping[str, str]
    builds: tuple[Build, ...]

    @property
    def version(self) -> str:
        """The part's."""
        return parts.table()[self.part].version


def of(name: str) -> Engine:
    """Return an engine by the name that manifests have for it.

    Raises:
        BuildError: Pages have no such engine.
    """
    if name not in _ENGINES:
        raise BuildError(f"A page has no engine {name!r}; it can have {', '.join(_ENGINES)}.")
    return _ENGINES[name]()


def _onnxruntime() -> Engine:
    module, wasm = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
    small, large = _contents(parts.folder("onnxruntime"))
    return Engine(
        "onnxruntime",
        "ONNX Runtime",
        "onnxruntime",
        small,
        large,
        {"ort": module, "ort_wasm": wasm + wire.SUFFIX},
        (Build((), (module, wasm + wire.SUFFIX)),),
    )


def _litert() -> Engine:
    small, large = _contents(litert.folder())

    def build(name: str, *needs: str) -> Build:
        script = f"litert_wasm_{name}_internal"
        return Build(needs, (litert.MODULE, f"{script}.js", f"{script}{WASM}{wire.SUFFIX}"))

    return Engine(
        "litert",
        "LiteRT",
        "litert",
        small,
        large,
        {"litert": litert.MODULE, "litert_wasm": ""},
        (build("threaded", "relaxed-simd", "shared-memory"), build("compat")),
    )


_ENGINES: Mapping[str, Callable[[], Engine]] = {"onnxruntime": _onnxruntime, "litert": _litert}


def _contents(folder: Path) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Read a folder: what is written as it is, and what travels packed."""
    small = {name: path.read_bytes() for name, path in tree(folder)}
    large = {name: small.pop(name) for name in [*small] if name.endswith(WASM)}
    return small, large
