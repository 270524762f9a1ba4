"""The report's files, written whole or not at all: report.json, report.html, report.md."""

from dataclasses import dataclass
from pathlib import Path

from satchel_models.files import write_whole
from satchel_models.report.encoding import text
from satchel_models.report.levels import Levels
from satchel_models.report.markdown import markdown
from satchel_models.report.page import page
from satchel_models.results import OptimizationReport


@dataclass(frozen=True)
class Written:
    """Where a report lies."""

    json: Path
    page: Path
    markdown: Path


def write(report: OptimizationReport, folder: Path, levels: Levels | None = None) -> Written:
    """Write a report's three files.

    Args:
        report: What became of the model.
        folder: Where to; it is made where it is missing.
        levels: The same model at several levels, to be compared; None: this one only.
    """
    names = Written(folder / "report.json", folder / "report.html", folder / "report.md")
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(names.json, text(report, folder))
    write_whole(names.page, page(report, levels))
    write_whole(names.markdown, markdown(report, levels))
    return names
