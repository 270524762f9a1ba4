"""What an optimisation leaves in its folder: the models, and the report for programs and people."""

from dataclasses import replace
from pathlib import Path

from satchel_models.engines import SUFFIXES
from satchel_models.files import write_whole
from satchel_models.report.files import write
from satchel_models.results import OptimizationReport

MODEL = "model"
"""Each engine's chosen file has this name, with the engine's suffix."""


def written(report: OptimizationReport, out: Path) -> OptimizationReport:
    """Put each engine's chosen model and the report into a folder; each file is whole or not there.

    Returns:
        The report, whose chosen files are in that folder.
    """
    out = out.absolute()
    engines = {one.name: one.engine for one in report.candidates if one.chosen}
    moved: dict[Path, Path] = {}
    for one in report.compiled:
        if one.candidate in engines:
            moved[one.file] = out / f"{MODEL}{SUFFIXES[engines[one.candidate]]}"
            write_whole(moved[one.file], one.file.read_bytes())
    final = replace(
        report,
        optimized_model_path=moved[report.optimized_model_path],
        compiled=tuple(replace(one, file=moved.get(one.file, one.file)) for one in report.compiled),
    )
    write(final, out)
    return final
