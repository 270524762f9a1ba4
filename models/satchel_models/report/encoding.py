"""`report.json`: the keys that every report of Satchel has, and the whole report beside them.

Names in `samples`, `ratios` and `figures` are a contract with whoever reads them:

| names | unit |
|---|---|
| samples `latency.<candidate>.<threads>.<feed>` | ms of one inference |
| samples `cpu.<candidate>.<threads>.<feed>` | s of one inference |
| samples `creation.<candidate>` | ms to make a session |
| ratios `speedup.<candidate>` | float32's latency over its own, at one thread, all kinds of input |
| ratios `winner_time.<engine>.<threads>` | the overall winner's time over the engine's best one's |
| ratios `speedup.<candidate>.<threads>.<feed>` | the same, for one kind |
| ratios `creation_speedup.<candidate>` | float32's time to make a session over its own |
| figures `size`, `size_reduction`, `accuracy_delta`, `speedup` | of the overall winner |
| figures `size.<candidate>`, `accuracy.<candidate>`, `accuracy_delta.<candidate>` | of each |
| figures `download.<candidate>` | bytes of the model and of its engine as it travels |
| figures `engine_bytes.<engine>` | bytes of the engine alone |

Under `report` is the `OptimizationReport`, field by field; paths are relative to the report's
folder. Each of its candidates has `name`, `engine`, `speedup`, `accuracy_delta` and
`accuracy_interval` once more in front, as the report itself has them. A number that isn't finite is
null.
"""

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn
from cattrs.strategies import configure_union_passthrough

from satchel_models.errors import ReportError
from satchel_models.report.rows import chosen, median
from satchel_models.results import Estimate, Measured, OptimizationReport

SCHEMA = 1

COMMAND = "optimize"

DERIVED = ("name", "engine", "speedup", "accuracy_delta", "accuracy_interval")
"""Properties of a candidate that are written beside its fields."""

SHOWN = 3
"""Wrong fields that an error names."""


def encode(report: OptimizationReport, folder: Path) -> dict[str, Any]:
    """Return a report as JSON's types.

    Args:
        report: What is to be written.
        folder: Where the file will lie: paths are relative to it.
    """
    return {
        "schema": SCHEMA,
        "command": COMMAND,
        "machine": dict(report.machine),
        "versions": dict(report.versions),
        "samples": _samples(report),
        "ratios": _ratios(report),
        "figures": _figures(report),
        "report": _converter(folder).unstructure(report),
    }


def decode(data: object, folder: Path) -> OptimizationReport:
    """Return the report that `encode` made `data` of.

    Args:
        data: JSON's types.
        folder: Where the file lies.

    Raises:
        ReportError: A field is unknown, missing or of another type; it is named.
    """
    if not isinstance(data, dict) or data.get("command") != COMMAND or "report" not in data:
        raise ReportError(f"This is no report of `{COMMAND}`: its key 'report' is missing.")
    if data.get("schema") != SCHEMA:
        raise ReportError(
            f"The report has schema {data.get('schema')!r}, and {SCHEMA} is what this version "
            "reads. Run `optimize` again."
        )
    try:
        return _converter(folder).structure(data["report"], OptimizationReport)
    except Exception as error:
        found = cattrs.transform_error(error, path="report")
        more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        wrong = "; ".join(found[:SHOWN]) + more
        raise ReportError(f"The report is not what it should be: {wrong}.") from error


def text(report: OptimizationReport, folder: Path) -> str:
    """Return the file's text."""
    return json.dumps(encode(report, folder), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read(path: Path) -> OptimizationReport:
    """Read a `report.json`.

    Raises:
        ReportError: It can't be read, or is none; the message names the file.
    """
    try:
        return decode(json.loads(path.read_text("utf-8")), path.absolute().parent)
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ReportError(f"{path} is no JSON: {error}.") from error
    except ReportError as error:
        raise ReportError(f"{path}: {error}") from error


def _samples(report: OptimizationReport) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for measured in report.candidates:
        name = measured.candidate.name
        for timing in measured.timings:
            place = f"{name}.{timing.threads}.{timing.feed}"
            found[f"latency.{place}"] = _sample(timing.latency_ms, "ms")
            found[f"cpu.{place}"] = _sample(timing.cpu_seconds, "s")
        found[f"creation.{name}"] = _sample(measured.creation_ms, "ms")
    return found


def _sample(values: Any, unit: str) -> dict[str, Any]:
    return {"unit": unit, "values": [_number(v) for v in values], "median": _number(median(values))}


def _ratios(report: OptimizationReport) -> dict[str, Any]:
    found: dict[str, Estimate] = {}
    for measured in report.candidates:
        name = measured.candidate.name
        found[f"speedup.{name}"] = measured.speed
        for timing in measured.timings:
            found[f"speedup.{name}.{timing.threads}.{timing.feed}"] = timing.speedup
        found[f"creation_speedup.{name}"] = measured.creation_speedup
    for engine in report.engines:
        for lead in engine.leads:
            found[f"winner_time.{engine.name}.{lead.threads}"] = lead.time
    return {
        name: {"value": _number(of.value), "low": _number(of.low), "high": _number(of.high)}
        for name, of in found.items()
    }


def _figures(report: OptimizationReport) -> dict[str, Any]:
    picked = chosen(report)
    found: dict[str, tuple[float | None, str]] = {
        "size": (picked.candidate.size if picked else None, "bytes"),
        "size_reduction": (report.size_reduction, "fraction"),
        "speedup": (report.speedup, "ratio"),
        "accuracy_delta": (report.accuracy_delta, "percentage points"),
    }
    for measured in report.candidates:
        name, accuracy = measured.candidate.name, measured.accuracy
        found[f"size.{name}"] = (measured.candidate.size, "bytes")
        found[f"accuracy.{name}"] = (accuracy.value, "fraction")
        found[f"accuracy_delta.{name}"] = (accuracy.delta, "percentage points")
        found[f"download.{name}"] = (measured.download, "bytes")
    for engine in report.engines:
        found[f"engine_bytes.{engine.name}"] = (engine.bytes, "bytes")
    return {
        name: {"value": None if value is None else _number(value), "unit": unit}
        for name, (value, unit) in found.items()
    }


def _converter(folder: Path) -> cattrs.Converter:
    """Make what writes and reads the types of `results`, strictly."""
    made = cattrs.Converter(forbid_extra_keys=True)
    made.register_unstructure_hook(Path, lambda path: _relative(path, folder))
    made.register_unstructure_hook(float, _number)
    made.register_unstructure_hook(int, int)
    made.register_unstructure_hook(bool, bool)
    # os.path's way, not Path.resolve: a link to a model stays the link that was given.
    made.register_structure_hook(
        Path, lambda text, _: Path(os.path.normpath(folder.absolute() / _exactly(str)(text, str)))
    )
    for kind in (str, int, bool):
        made.register_structure_hook(kind, _exactly(kind))
    made.register_structure_hook(float, _float)
    made.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)
    configure_union_passthrough(int | str, made)
    _with_derived(made)
    return made


def _with_derived(made: cattrs.Converter) -> None:
    """Have candidates say in JSON what their type derives from other fields."""
    plain = make_dict_unstructure_fn(Measured, made)
    strict = make_dict_structure_fn(Measured, made, _cattrs_forbid_extra_keys=True)

    def write(measured: Measured) -> dict[str, Any]:
        derived = {name: made.unstructure(getattr(measured, name)) for name in DERIVED}
        return {**derived, **plain(measured)}

    def read(data: Any, kind: Any) -> Measured:
        told = isinstance(data, dict)
        return strict({k: v for k, v in data.items() if k not in DERIVED} if told else data, kind)

    made.register_unstructure_hook(Measured, write)
    made.register_structure_hook(Measured, read)


def _exactly(kind: type) -> Callable[[Any, Any], Any]:
    """Take a value only when it has that very type; else "12" would be 12, and true 1."""

    def take(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"{kind.__name__} expected, not {type(value).__name__}")
        return value

    return take


def _float(value: Any, _: Any) -> float:
    if value is None:
        return math.nan
    if type(value) not in (float, int):
        raise TypeError(f"number expected, not {type(value).__name__}")
    return float(value)


def _number(value: float) -> float | int | None:
    """Return a plain number; null where it isn't finite, since JSON knows no such thing."""
    if not math.isfinite(value):
        return None
    return int(value) if isinstance(value, int) else float(value)


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
    except ValueError:  # another drive than the report's
        return path.absolute().as_posix()
