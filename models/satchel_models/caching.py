"""Steps that are not run again: each one's result is kept by the hash of all that it depends on.

A result is a folder, `<root>/<step>/<key>/`, with the step's files and `result.json`. It is made in
a folder of its own and moved in one go, so that whoever ends the program leaves nothing half-done.
"""

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TypeVar

from cattrs.preconf.json import make_converter
from filelock import FileLock

T = TypeVar("T")

RESULT = "result.json"

KEPT_DAYS = 30
"""A result that nobody has asked for in that time goes."""

_READ = 1 << 20


@dataclass
class Cache:
    """Results of steps in a folder.

    Attributes:
        root: The folder.
        took: Seconds that each step's parts took in this run; 0 where a result was there.
    """

    root: Path
    took: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def seconds(self) -> dict[str, float]:
        """What each step took in this run; 0 where all its results were there."""
        return {name: sum(parts.values()) for name, parts in self.took.items()}

    @property
    def hits(self) -> tuple[str, ...]:
        """Steps that were not run, because their result was there."""
        return tuple(name for name, seconds in self.seconds.items() if seconds == 0)

    def step(
        self,
        name: str,
        kind: type[T],
        make: Callable[[Path], T],
        *,
        code: Sequence[Path],
        facts: Iterable[object],
        files: Iterable[Path] = (),
        tools: Iterable[str] = (),
        part: str = "",
    ) -> T:
        """Return a step's result, from an earlier run where nothing has changed.

        Args:
            name: The step.
            kind: The result's dataclass.
            make: Runs the step: puts files into the folder given, returns the result.
            code: Files and folders of the code that does it.
            facts: All else that it depends on; their `repr` must say so.
            files: That it reads.
            tools: Packages whose versions matter.
            part: Of the step, for one that is done in several.
        """
        took = self.took.setdefault(name, {})
        versions = [f"{tool} {metadata.version(tool)}" for tool in tools]
        parts = [
            name,
            part,
            *map(repr, facts),
            *versions,
            *(digest(path) for path in (*code, *files)),
        ]
        key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]
        place = self.root / name / key
        place.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(place.parent / f"{key}.lock"):
            if (place / RESULT).is_file():
                took[part] = 0
                (place / RESULT).touch()
                return self._read(place, kind)
            started = time.perf_counter()
            self._make(place, make)
            took[part] = time.perf_counter() - started
            return self._read(place, kind)

    def tidy(self) -> None:
        """Delete what nobody has asked for in a long time."""
        oldest = time.time() - KEPT_DAYS * 86400
        for result in self.root.glob(f"*/*/{RESULT}"):
            if result.stat().st_mtime < oldest:
                shutil.rmtree(result.parent)

    def _make(self, place: Path, make: Callable[[Path], object]) -> None:
        work = Path(tempfile.mkdtemp(dir=place.parent, prefix="making-"))
        try:
            made = make(work)
            (work / RESULT).write_text(self._text(made, work, place), "utf-8")
            if place.exists():  # of a program that ended between two lines
                shutil.rmtree(place)
            work.rename(place)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _text(self, made: object, work: Path, place: Path) -> str:
        def where(path: Path) -> str:
            inside = place / path.relative_to(work) if path.is_relative_to(work) else path
            if inside.is_relative_to(self.root):
                return f"{{cache}}/{inside.relative_to(self.root).as_posix()}"
            return str(inside)

        converter = make_converter()
        converter.register_unstructure_hook(Path, where)
        return json.dumps(converter.unstructure(made), indent=1)

    def _read(self, place: Path, kind: type[T]) -> T:
        def path(text: str, _: object) -> Path:
            return Path(text.replace("{cache}", str(self.root), 1))

        converter = make_converter(forbid_extra_keys=True)
        converter.register_structure_hook(Path, path)
        return converter.structure(json.loads((place / RESULT).read_text("utf-8")), kind)


def digest(path: Path) -> str:
    """SHA-256 of a file, or of a folder's files and their names; bytecode doesn't count."""
    found = hashlib.sha256()
    if path.is_dir():
        for inner in sorted(path.rglob("*")):
            if inner.is_file() and "__pycache__" not in inner.parts:
                found.update(f"{inner.relative_to(path).as_posix()}\0{digest(inner)}\0".encode())
    else:
        with path.open("rb") as file:
            while block := file.read(_READ):
                found.update(block)
    return found.hexdigest()
