"""What Python costs: an inference through Satchel beside the same one in plain JavaScript.

Both arms are called from the page with the same RGBA pixels, use the same onnxruntime-web, model
and number of threads, and answer with the five best classes. They take turns in one run.
"""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page
from rich.table import Column, Table

from builder import bundle, lab, parts, site
from builder.bench import contenders, memory, ratios
from builder.errors import BuildError
from builder.paths import ROOT
from builder.progress import console, doing, say
from builder.report import Ratio, Report

MODEL = "efficientnet-lite0"
SIZE = 224
WARM_UP = 10
ROUNDS = 100

PAUSE_MS = 20
"""Between two measurements: onnxruntime's threads go on spinning for a while after a run."""

GROWTH_FROM, GROWTH_TO = 50, 1000
"""Inferences after which memory is compared."""

PAGE = Path(__file__).parent / "page"

MEASURE = """async ([raw, rounds, warmUp, size, pause]) => {
  const { raw: start, satchelArm, interleave } = await import("/bench/arms.mjs");
  const other = await start(raw);
  const arms = { satchel: satchelArm, raw: other };
  await interleave(arms, warmUp, size, pause);
  return { threads: other.threads, samples: await interleave(arms, rounds, size, pause) };
}"""

REPEAT = """async ([count, size]) => {
  const { pixels } = await import("/bench/arms.mjs");
  for (let i = 0; i < count; i++) await satchel.engine.call("classify", [pixels(size, i), size, 5]);
}"""


def run(*, json: Path | None) -> None:
    """Measure, print a table and perhaps write the report.

    Raises:
        BuildError: The arms disagree, or the page failed.
    """
    folder = bundle.build(site.load(ROOT / "site.toml"), ROOT / "dist")
    report = Report("bench inference")
    with doing("One thread: Satchel and plain JavaScript, taking turns …"):
        one = _compare(report, folder, threads=1)
    with doing("Two threads …"):
        two = _compare(report, folder, threads=2)
    report.ratio("label.satchel_over_rawort", one)
    report.ratio("label.satchel_over_rawort_2_threads", two)
    with doing(f"{GROWTH_TO} inferences: does memory grow? …"):
        _growth(report, folder)
    _print(report)
    if json:
        report.write(json)
        say(f"Wrote {json}.")


def _compare(report: Report, folder: Path, *, threads: int) -> Ratio:
    # On a host without headers, and with no service worker to add them, there is one thread.
    plain = threads == 1
    with lab.opened(folder, plain=plain, mounts=_beside(), service_workers=not plain) as page:
        status = _ready(page, threads)
        variant = contenders.shipped(folder, MODEL)
        raw = {
            "model": variant["blob"]["sha256"],
            "options": variant["session"],
            "threads": threads,
        }
        arguments = [raw, ROUNDS, WARM_UP, SIZE, PAUSE_MS]
        measured = page.evaluate(MEASURE, arguments)
    if measured["threads"] != threads:
        raise BuildError(f"The raw arm ran on {measured['threads']} threads, not {threads}.")
    samples = measured["samples"]
    differing = sum(item["satchel.best"] != item["raw.best"] for item in samples)
    if differing:
        raise BuildError(f"The two arms disagree on {differing} of {len(samples)} pictures.")
    report.versions["engine"] = status["engine"]
    suffix = "" if threads == 1 else f"_{threads}_threads"
    satchel = [item["satchel"] for item in samples]
    other = [item["raw"] for item in samples]
    report.sample(f"label.satchel{suffix}", satchel, "ms")
    report.sample(f"label.rawort{suffix}", other, "ms")
    return ratios.paired(satchel, other)


def _beside() -> dict[str, Path]:
    """What lies beside the site: the raw arm, and the WASM as people would serve it."""
    return {"/bench": PAGE, "/ort": parts.folder("onnxruntime")}


def _growth(report: Report, folder: Path) -> None:
    flags = ("--js-flags=--expose-gc",)
    with lab.opened(folder, mounts={"/bench": PAGE}, flags=flags) as page:
        _ready(page, None)
        browser = page.context.browser
        if browser is None:
            raise BuildError("The page has no browser.")
        page.evaluate(REPEAT, [GROWTH_FROM, SIZE])
        memory.collect(page)
        before, proxies_before = memory.page_pss(browser), memory.live_proxies(page)
        page.evaluate(REPEAT, [GROWTH_TO - GROWTH_FROM, SIZE])
        memory.collect(page)
        after, proxies_after = memory.page_pss(browser), memory.live_proxies(page)
    report.figure("memory.growth", (after - before) / before, "fraction")
    report.figure(f"memory.after_{GROWTH_FROM}", before, "bytes")
    report.figure(f"memory.after_{GROWTH_TO}", after, "bytes")
    report.figure(f"proxies.after_{GROWTH_FROM}", proxies_before, "objects")
    report.figure(f"proxies.after_{GROWTH_TO}", proxies_after, "objects")


def _ready(page: Page, threads: int | None) -> dict[str, Any]:
    lab.call(page, "install", MODEL)
    status: dict[str, Any] = lab.call(page, "status")
    if threads is not None and status["threads"] != threads:
        raise BuildError(f"The page runs on {status['threads']} threads, not {threads}.")
    return status


def _print(report: Report) -> None:
    table = Table(Column("what", no_wrap=True), Column("value", justify="right"), "95 % interval")
    for name, sample in report.samples.items():
        table.add_row(name, f"{sample['median']:.2f} {sample['unit']}", "")
    for name, ratio in report.ratios.items():
        table.add_row(name, f"{ratio.value:.3f}", f"{ratio.low:.3f} to {ratio.high:.3f}")
    for name, figure in report.figures.items():
        table.add_row(name, f"{figure['value']:g} {figure['unit']}", "")
    console.print(table)
