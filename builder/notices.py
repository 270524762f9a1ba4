"""notices.txt: the licence of everything that a site carries, in full.

Texts come from the packages themselves. The few packages that ship without one have theirs in
`builder/licences/`. A missing text fails the build.
"""

import json
import tomllib
import zipfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path

from builder import bytecode, models, node, parts
from builder.errors import InputMissingError
from builder.paths import ROOT
from satchel_models import Recipe

KEPT = ROOT / "builder" / "licences"

INSIDE_SCRIPTS = (
    "fzstd",
    "workbox-core",
    "workbox-precaching",
    "workbox-routing",
    "workbox-strategies",
)


SHORTENED = (
    "pyodide.asm.mjs and pyodide.asm.wasm come without the exports that this page has no use for.\n"
    "The program that leaves them out is builder/pyodide.py in Satchel's source; what it reads is\n"
    "the npm package `pyodide` of the version above, unchanged.\n\n"
)
"""The Mozilla Public License wants changes to be named."""


@dataclass(frozen=True)
class Notice:
    """One component and its licence."""

    name: str
    version: str
    licence: str
    text: str


INSIDE_LITERT = (
    "google/XNNPACK", "pytorch/cpuinfo", "protocolbuffers/protobuf", "Eigen", "emsdk",
)  # fmt: skip
"""What is compiled into LiteRT's WASM and has another licence, as ONNX Runtime's notices name it:
LiteRT.js carries none. What else is in it (TensorFlow, Abseil, FlatBuffers, ruy) is Apache-2.0."""


def collect(recipes: Sequence[Recipe], engines: Collection[str]) -> list[Notice]:
    """Return a notice for everything a site carries with these models and inference engines.

    Raises:
        InputMissingError: A licence text isn't where it should be.
    """
    return [
        Notice("Satchel", version(), "Apache-2.0", _read(ROOT / "LICENSE")),
        _part("pyodide", SHORTENED + _read(KEPT / "pyodide.txt")),
        Notice("CPython", "3.14", "PSF-2.0", _read(KEPT / "cpython.txt")),
        _part("numpy", _from_wheel(parts.file("numpy"))),
        *(_part(name, _ENGINES[name]()) for name in engines),
        _part("micropython", _read(KEPT / "micropython.txt")),
        *(_installed(name) for name in bytecode.PACKAGES),
        *(_npm(name) for name in INSIDE_SCRIPTS),
        *(
            Notice(
                f"{notice.name}: {notice.covers}",
                notice.version,
                notice.licence,
                models.notice_text(recipe, notice),
            )
            for recipe in recipes
            for notice in recipe.notices
        ),
    ]


def document(title: str, notices: Sequence[Notice]) -> str:
    """Return notices.txt."""
    head = f"{title}: what it is made of, and under which licences\n\n" + "".join(
        f"  {notice.name} {notice.version} ({notice.licence})\n" for notice in notices
    )
    rule = "=" * 80
    return head + "".join(
        f"\n{rule}\n{notice.name} {notice.version} ({notice.licence})\n{rule}\n\n"
        f"{notice.text.strip()}\n"
        for notice in notices
    )


def _part(name: str, text: str) -> Notice:
    part = parts.table()[name]
    return Notice(part.title, part.version, part.licence, text)


def version() -> str:
    """Return the version of this project."""
    return str(tomllib.loads(_read(ROOT / "pyproject.toml"))["project"]["version"])


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise InputMissingError(f"A licence text is missing: {path}.") from error


def _from_wheel(wheel: Path) -> str:
    """Return the licence files of a wheel, one after the other."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/licenses/" in name]
        if not names:
            raise InputMissingError(f"{wheel.name} carries no licence text.")
        texts = [f"[{_after(name)}]\n{archive.read(name).decode()}" for name in sorted(names)]
    return "\n".join(texts)


def _installed(package: str) -> Notice:
    """Return the notice of a Python package out of this environment."""
    found = metadata.distribution(package)
    # A part of securesystemslib has a licence of its own, beside it.
    paths = [item for item in found.files or () if "LICENSE" in item.name]
    if not paths:
        raise InputMissingError(f"{package} {found.version} carries no licence text.")
    text = "\n".join(f"[{item.name}]\n{_read(Path(str(item.locate())))}" for item in paths)
    return Notice(package, found.version, found.metadata["License-Expression"], text)


def _after(name: str) -> str:
    return name.split(".dist-info/licenses/", 1)[1]


def _onnxruntime() -> str:
    """Return ONNX Runtime's licence and its own notices, from its wheel: npm's has neither."""
    package = resources.files("onnxruntime")
    texts = []
    for name in ("LICENSE", "ThirdPartyNotices.txt"):
        if not (text := package / name).is_file():
            version = metadata.version("onnxruntime")
            raise InputMissingError(f"onnxruntime {version} carries no {name}.")
        texts.append(text.read_bytes().decode("utf-8", errors="replace"))
    return "\n\n".join(texts)


def _litert() -> str:
    """Return LiteRT's licence, and those of what is compiled into it."""
    known = [section.strip() for section in _onnxruntime().split("\n_____\n")]
    texts = [_read(ROOT / "LICENSE")]
    for name in INSIDE_LITERT:
        found = [section for section in known if section.startswith(f"{name}\n")]
        if len(found) != 1:
            raise InputMissingError(f"ONNX Runtime's notices have {len(found)} texts for {name}.")
        texts += found
    return "\n\n".join(texts)


_ENGINES = {"onnxruntime": _onnxruntime, "litert": _litert}


def _npm(package: str) -> Notice:
    about = json.loads(_read(node.packages() / package / "package.json"))
    licence = about["license"].replace("APACHE", "Apache")  # as SPDX writes it
    return Notice(package, about["version"], licence, _npm_text(package))


def _npm_text(package: str) -> str:
    folder = node.packages() / package
    for path in sorted(folder.glob("LICEN[CS]E*")):
        return _read(path)
    if json.loads(_read(folder / "package.json"))["license"] == "ISC":
        return _read(KEPT / "isc.txt")
    raise InputMissingError(f"The npm package {package} carries no licence text; add it to {KEPT}.")
