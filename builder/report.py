"""Reports that machines read: what `bench` and `evaluate` write with --json.

Names in `samples`, `ratios` and `figures` are a contract with whoever reads them; docs/benchmarks
lists them.
"""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from builder import parts
from builder.files import write_whole

SCHEMA = 1


@dataclass(frozen=True)
class Ratio:
    """A ratio from interleaved samples of one run, with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass
class Report:
    """What one command measured.

    Example:
        >>> report = Report("evaluate")
        >>> report.figure("top1", 0.86, "fraction")
        >>> report.sample("infer", [2.0, 1.0, 3.0], "ms")
        >>> report.as_json()["samples"]["infer"]["median"]
        2.0
    """

    command: str
    versions: dict[str, str] = field(default_factory=dict)
    samples: dict[str, dict[str, Any]] = field(default_factory=dict)
    ratios: dict[str, Ratio] = field(default_factory=dict)
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    beside: dict[str, Any] = field(default_factory=dict)
    """What one command alone tells, by its key in the published form."""

    def sample(self, name: str, values: Sequence[float], unit: str) -> None:
        """Add a series of measurements."""
        self.samples[name] = {
            "unit": unit,
            "values": list(values),
            "median": statistics.median(values) if values else None,
        }

    def ratio(self, name: str, ratio: Ratio) -> None:
        """Add a ratio."""
        self.ratios[name] = ratio

    def figure(
        self,
        name: str,
        value: float | None,
        unit: str,
        interval: tuple[float, float] | None = None,
    ) -> None:
        """Add a single figure, perhaps with its 95 % interval; accuracies are fractions of 1."""
        self.figures[name] = {"value": value, "unit": unit}
        if interval:
            self.figures[name] |= {"low": interval[0], "high": interval[1]}

    def as_json(self) -> dict[str, Any]:
        """Return the report in its published form."""
        return {
            "schema": SCHEMA,
            "command": self.command,
            "machine": machine(),
            "versions": {**versions(), **self.versions},
            "samples": self.samples,
            "ratios": {
                name: {"value": ratio.value, "low": ratio.low, "high": ratio.high}
                for name, ratio in self.ratios.items()
            },
            "figures": self.figures,
            **self.beside,
        }

    def write(self, path: Path) -> None:
        """Write the report as JSON."""
        write_whole(path, json.dumps(self.as_json(), indent=2) + "\n")


def machine() -> dict[str, Any]:
    """Describe the machine that measured."""
    return {
        "system": platform.system(),
        "release": platform.release(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
    }


def versions() -> dict[str, str]:
    """Return the versions of what takes part."""
    carried = {part.title: part.version for part in parts.table().values()}
    hosts = {name: metadata.version(name) for name in ("onnxruntime", "playwright")}
    return {"python": platform.python_version(), **carried, **hosts}


def _processor() -> str:
    """Return the processor's name; `platform` gives none on Linux."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")),
        platform.processor(),
    )
