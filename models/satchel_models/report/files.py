"""The report's files, written whole or not at all: report.json, report.html, report.md."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

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


def write_whole(path: Path, words: str) -> None:
    """Write a file so that a reader sees the old content or the new, never a part."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(words)
        Path(name).chmod(0o644)  # a report is for others, too; temporary files are not
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
