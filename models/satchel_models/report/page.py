"""The report as one HTML page: no script, nothing from elsewhere, works from a file."""

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from satchel_models import engines
from satchel_models.report import figures, plots, summary
from satchel_models.report.levels import Levels
from satchel_models.report.printable import printable
from satchel_models.report.rows import THREADS, Row, chosen, engine_rows, mean_note, rows
from satchel_models.results import BUDGETS, OptimizationReport

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Card:
    """One figure that matters most."""

    name: str
    figure: str
    words: str


def page(report: OptimizationReport, levels: Levels | None = None) -> str:
    """Return the page.

    Args:
        report: What became of the model.
        levels: The same model at several levels, to be compared; None: this one only.
    """
    report, levels = printable(report), printable(levels)
    found = rows(report)
    bars, more = plots.weights(report)
    style = (HERE / "page.css").read_text("utf-8")
    return (
        _environment()
        .get_template("page.html.jinja")
        .render(
            report=report,
            rows=found,
            levels=levels,
            budget=figures.budget(BUDGETS[report.level]),
            headline=summary.headline(report),
            circumstances=summary.circumstances(report),
            cards=cards(report),
            engines=engine_rows(report),
            shapes=plots.SHAPES,
            threads=THREADS,
            scatters=plots.scatters(report, found),
            over=any(row.over for row in found),
            latencies=plots.latencies(report, found),
            passes=plots.passes(report),
            weights=bars,
            weights_left=more,
            mean_note=mean_note(report),
            accuracy_words=_accuracy_words(found),
            accuracy_cells=summary.accuracy_cells,
            told=summary.told(found),
            steps=summary.STEPS,
            style=Markup(style),  # noqa: S704 - ours, and none of the report's words are in it
            style_hash=_hash(style),
        )
    )


def cards(report: OptimizationReport) -> list[Card]:
    """Return the chosen candidate's figures, a card each; none where nothing was chosen."""
    picked = chosen(report)
    if picked is None:
        return []
    made = rows(report)
    row = next(row for row in made if row.measured is picked)
    baseline = next(row for row in made if row.baseline)
    return [
        _size_card(report, row),
        Card(
            "Speed, one thread",
            figures.times(picked.speed.value),
            f"{figures.spread(picked.speed)}: {figures.milliseconds(row.latency[1])} ms; "
            f"{baseline.name} {figures.milliseconds(baseline.latency[1])} ms",
        ),
        _accuracy_card(row),
        Card(
            "Making a session",
            f"{figures.milliseconds(row.creation_ms)} ms",
            f"{figures.times(picked.creation_speedup.value)} as fast as {baseline.name} "
            f"({figures.spread(picked.creation_speedup)})",
        ),
        Card(
            "Processor time",
            f"{figures.milliseconds(row.cpu_seconds[1] * 1e3)} ms",
            f"of an inference with one thread; {baseline.name} "
            f"{figures.milliseconds(baseline.cpu_seconds[1] * 1e3)} ms",
        ),
    ]


def _size_card(report: OptimizationReport, row: Row) -> Card:
    saved = row.measured.size_reduction
    change = f"{figures.percent(abs(saved))} {'less' if saved >= 0 else 'more'} than "
    wire = "" if row.brotli is None else f"; about {figures.size(row.brotli)} on the wire"
    engine = row.measured.engine_bytes
    beside = f"; the engine's download is {figures.size(engine)}" if engine else ""
    words = f"{change}{figures.size(report.original_size)}{wire}{beside}"
    return Card("Size", figures.size(row.candidate.size), words)


def _accuracy_card(row: Row) -> Card:
    of = row.measured.accuracy
    name = summary.METRICS.get(of.metric, of.metric)
    if of.delta is None:
        return Card(name.capitalize(), summary.metric(of.metric, of.value), of.why)
    before, after = (summary.metric(of.metric, value) for value in (of.original, of.value))
    more = "".join(
        f"; {summary.METRICS.get(name, name)} {summary.metric(name, value)}"
        for name, value in of.more.items()
        if not name.endswith("_original")
    )
    words = (
        f"{figures.interval(of.interval)} points: {name} {after}, before {before}{more}; "
        f"{figures.counted(of.count, 'sample')}"
    )
    return Card("Accuracy", f"{figures.points(of.delta)} points", words)


def _accuracy_words(found: tuple[Row, ...]) -> str:
    """Say what the accuracy in charts and tables is."""
    if not found:
        return ""
    of = found[0].measured.accuracy
    if of.delta is None:
        return f"{of.why} Charts show how far answers moved from them, on the part that decides"
    name = summary.METRICS.get(of.metric, of.metric)
    return f"Accuracy is the change in percentage points of {name}, with its 95 % interval"


def typeset(words: object) -> str:
    r"""Return words with real minus signs, and what belongs on one line there; names as they are.

    Example:
        >>> typeset("-0.10 points, -0.45 to +0.25 with int8-192")
        '−0.10\xa0points, −0.45 to +0.25 with int8-192'
    """
    minus = re.sub(r"(?<!\w)-(?=\d)", "\N{MINUS SIGN}", str(words))
    whole = re.sub(
        r"(?<=\d) (?=%|(?:[kM]B|ms|s|min|points?|samples?)\b)", "\N{NO-BREAK SPACE}", minus
    )
    return re.sub(r"(?<=\btop)-(?=\d)", "\N{NON-BREAKING HYPHEN}", whole)


def breakable(name: str) -> Markup:
    """Return a name that a narrow column breaks where its parts end.

    Example:
        >>> breakable("blocks.0.conv<b>")
        Markup('blocks.<wbr>0.<wbr>conv&lt;b&gt;')
    """
    parts = re.split(r"(?<=[._/:-])(?=\w)", name)
    return Markup("<wbr>").join(parts)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["typeset"] = typeset
    made.filters["breakable"] = breakable
    made.filters["engine"] = engines.title
    made.globals["f"] = figures
    return made


def _hash(style: str) -> str:
    """Return what a policy calls the style by, so that it allows this one and no other."""
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
