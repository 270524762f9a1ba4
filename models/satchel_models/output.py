"""What an optimisation leaves in its folder: the model, and the report for programs and people."""

from dataclasses import replace
from pathlib import Path

from satchel_models.files import write_whole
from satchel_models.report.files import write
from satchel_models.results import OptimizationReport

MODEL = "model.onnx"


def written(report: OptimizationReport, out: Path) -> OptimizationReport:
    """Put the chosen model and the report into a folder; each file is whole or not there.

    Returns:
        The report, whose `optimized_model_path` is in that folder.
    """
    out = out.absolute()
    write_whole(out / MODEL, report.optimized_model_path.read_bytes())
    final = replace(
        report,
        optimized_model_path=out / MODEL,
        compiled=tuple(
            replace(one, file=out / MODEL) if one.file == report.optimized_model_path else one
            for one in report.compiled
        ),
    )
    write(final, out)
    return final
