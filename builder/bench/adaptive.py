"""What adaptation saves, what it costs, and whether it keeps to its targets, in the built page.

The device's states are brought about by real levers (`device`), and what the page decides in each
of them is noted. What the ways to work cost is measured by insisting on them in turns, which holds
at once where a state takes seconds to begin and end: processor time is the page's process's own,
per photo, from pixels that are decoded already.
"""

import json as jsons
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from builder import bundle, evaluate, lab, site
from builder.bench import contenders, modes, overhead, publish, ratios, slowness
from builder.bench.device import SAMPLE, Device, opened
from builder.bench.modes import CALM, CRITICAL, LOW, MODES, PRIORITIES, SERIOUS, State, Way
from builder.bench.publish import Series, Story
from builder.errors import BuildError
from builder.laboratory import turns
from builder.paths import ROOT, STATIC
from builder.progress import doing
from builder.report import Report
from satchel.adaptive.limits import BATCH_MOST, CPU_TARGETS
from satchel_models.data import metrics
from satchel_models.original import read_labels

MODEL = contenders.LABEL_MODEL

ROUNDS = 20
COUNT = 20
"""Photos in a turn: half a second, of which the processes' clock sees fiftieths."""

PAUSE_SECONDS = 0.02
"""After a turn: threads go on spinning for a while, which is part of what they cost."""

STRETCH_SECONDS = 20.0
WINDOW = 2 * BATCH_MOST
"""Photos in each part of the stretch with rests, which ends with a batch."""
DEPTH = 2 * BATCH_MOST
"""Photos that wait all the time."""

OVERHEAD_ROUNDS = 300

BATCH = 25
"""Photos that are judged before the next mode has its turn."""

JUDGED = ("full", "lightweight", "energy")
"""Modes whose accuracy is measured: the others run the same variants."""

PLAN = (CALM, LOW, SERIOUS, CRITICAL)

THROTTLED = {"serious": "throttled_serious", "critical": "throttled"}
"""What is found under a pressure is named so, and …"""

GIVEN = {"": None, "_whole": SAMPLE}
"""… so by what the page is given: decoded pixels, or a photo's file."""

PROBE_SECONDS = 120
SEED = 7

STORY = Story(
    title="What adaptation saves",
    command="python3 build.py bench adaptive --data DIR --json FILE",
    text="""\
The label model in the built page, in Chromium. The device's states are real ones for the browser:
a battery that UPower tells of on a bus of the benchmark's own, and DevTools' override of Compute
Pressure. What the page decides in each of them is in the first table; what that costs is measured
by insisting on each mode in turns, in one run. Time and processor time are per photo, from 224 ×
224 (192 × 192, 160 × 160) decoded pixels to the best class, and back on the page. Processor time is
the browser's own count for the page's process with all of its threads (DevTools'
`SystemInfo.getProcessInfo`). *Under pressure*: photos wait all the time, and what the process uses
is compared with the share of one core that it is to stay within; once more with a photo's file,
which the browser decodes and draws on threads of its own. *Adaptation's own time* is what passes in
it before and after a label, and while it takes note of how long the model ran. Accuracy: labelled
photos through the page, each in all modes. *Slowness*: no pressure is told of, and other processes
share one core with the page; it has to find out by how long its answers take. Ratios are sums over
sums, with an interval from a bootstrap over whole rounds.""",
    groups={
        "Processor time per photo": (
            Series("full.cpu", "full", own=True),
            Series("speed.cpu", "full, for speed", own=True),
            Series("quality.cpu", "lightweight, for quality", own=True),
            Series("lightweight.cpu", "lightweight", own=True),
            Series("energy.cpu", "lightweight, for energy", own=True),
        ),
        "Time per photo": (
            Series("full.latency", "full"),
            Series("speed.latency", "full, for speed"),
            Series("quality.latency", "lightweight, for quality"),
            Series("lightweight.latency", "lightweight"),
            Series("energy.latency", "lightweight, for energy"),
        ),
    },
    ratios={
        "lightweight.cpu_over_full": "processor time: lightweight over full",
        "energy.cpu_over_full": "processor time: lightweight for energy over full",
        "throttled.cpu_over_target": "pressure critical: processor time over the target",
        "throttled_whole.cpu_over_target": "pressure critical: the same with photos' files",
        "throttled_serious.cpu_over_target": "pressure serious: processor time over the target",
        "throttled_serious_whole.cpu_over_target": "pressure serious: the same with photos' files",
        "overhead.over_infer": "adaptation's own time over a label",
        "overhead.with_over_without": "a label with adaptation over one without",
    },
    figures={
        "full.top1": "top-1: full",
        "lightweight.top1": "top-1: lightweight",
        "energy.top1": "top-1: lightweight for energy",
        "lightweight.top1_change": "lightweight against full, the same photos",
        "energy.top1_change": "lightweight for energy against full, the same photos",
        "throttled.share": "pressure critical: share of one core",
        "throttled.photos": "pressure critical: photos a second",
        "throttled_whole.share": "pressure critical: share of one core, photos' files",
        "throttled_whole.photos": "pressure critical: photos' files a second",
        "throttled_serious.share": "pressure serious: share of one core",
        "throttled_serious.photos": "pressure serious: photos a second",
        "throttled_serious_whole.share": "pressure serious: share of one core, photos' files",
        "throttled_serious_whole.photos": "pressure serious: photos' files a second",
        "overhead.own": "adaptation's own time for a label",
        "slowness.found": "slowness without a sensor: how often it was found",
        "slowness.times": "answers took longer then, at least",
        "slowness.answers": "found after, at most",
        "slowness.over": "full effort again after it was over, at most",
        "count": "labelled photos",
    },
    more=modes.page,
)


def run(*, data: Path | None, json: Path | None) -> None:
    """Measure, print a table and perhaps write the report.

    Raises:
        BuildError: This machine lacks what a battery needs, or the page failed.
    """
    photos = evaluate.data_folder(data) if data else None
    report = Report("bench adaptive")
    measure(report, photos)
    publish.show(report)
    if json:
        publish.write(report, json, STORY)


def measure(
    report: Report,
    photos: Path | None = None,
    *,
    rounds: int = ROUNDS,
    count: int = COUNT,
    stretch: float = STRETCH_SECONDS,
    overhead_rounds: int = OVERHEAD_ROUNDS,
    slowings: int = slowness.TIMES,
    plan: Sequence[State] = PLAN,
) -> None:
    """Measure all of it.

    Args:
        report: Gets what is found.
        photos: Labelled ones; None: accuracy is not measured.
        rounds: How often each mode has its turn.
        count: Photos in a turn.
        stretch: Seconds under each pressure.
        overhead_rounds: Labels for adaptation's own time.
        slowings: How often others make the machine busy.
        plan: The device's states, one after the other.
    """
    folder = bundle.build(site.load(ROOT / "site.toml"), ROOT / "dist")
    mounts = {"/bench": Path(__file__).parent / "page", "/photos": STATIC / "samples"}
    if photos:
        mounts["/labelled"] = photos
    with opened(folder, mounts) as device:
        with doing("Installing the model, and finding out how many threads help …"):
            _ready(device, folder, report)
        ways = device.ways()
        report.beside["ways"] = {name: asdict(way) for name, way in ways.items()}
        report.beside["states"] = []
        for state in plan:
            with doing(f"A device with {state.words} …"):
                device.be(state)
                _decisions(device, report, state, ways)
                for given in GIVEN if state.strategy == "throttled" else ():
                    throttled(device, report, state, given, stretch)
        with doing(f"{len(MODES)} modes in turns …"):
            costs(device, report, ways, rounds, count)
        with doing("Adaptation's own time …"):
            own_time(device, report, overhead_rounds)
        with doing("A machine that others make busy …"):
            slowness.measure(device, report, slowings)
        if photos:
            with doing("Labelling photos in each mode …"):
                accuracy(device, report, ways, photos)


def throttled(device: Device, report: Report, state: State, given: str, seconds: float) -> None:
    """Let photos wait all the time on a device under pressure, and see what is used.

    Args:
        device: In that state.
        report: Gets what is found.
        state: The state.
        given: One of `GIVEN`.
        seconds: How long.
    """
    name, target = THROTTLED[state.pressure] + given, CPU_TARGETS[state.pressure]
    way = Way.of(device.follow("balanced"))
    device.warm(way)
    device.run("void (globalThis.line = new Line(...given))", asdict(way), DEPTH, GIVEN[given])
    done = WINDOW  # the first batch may use what was kept for it
    device.run("globalThis.line.until(...given)", done)
    used, allowed = [], []
    began = at = time.perf_counter()
    before = device.cpu_seconds()
    while at - began < seconds:
        done += WINDOW
        device.run("globalThis.line.until(...given)", done)
        cpu, now = device.cpu_seconds(), time.perf_counter()
        used.append(cpu - before)
        allowed.append(target * (now - at))
        before, at = cpu, now
    device.run("globalThis.line.end()")
    report.ratio(f"{name}.cpu_over_target", ratios.totals(used, allowed))
    report.figure(f"{name}.share", sum(used) / (at - began), "fraction")
    report.figure(f"{name}.target", target, "fraction")
    report.figure(f"{name}.photos", len(used) * WINDOW / (at - began), "per second")


def costs(device: Device, report: Report, ways: Mapping[str, Way], rounds: int, count: int) -> None:
    """Measure time and processor time of a photo, all modes in turns."""
    latency: dict[str, list[float]] = {name: [] for name in MODES}
    cpu: dict[str, list[float]] = {name: [] for name in MODES}
    for order in turns.orders(list(MODES), rounds, SEED):
        for name in order:
            device.insist(MODES[name])
            before = device.cpu_seconds()
            took = device.run("turn(...given)", asdict(ways[name]), count)
            time.sleep(PAUSE_SECONDS)
            cpu[name].append(1000 * (device.cpu_seconds() - before) / count)
            latency[name].append(statistics.median(took))
    for name in MODES:
        report.sample(f"{name}.latency", latency[name], "ms")
        report.sample(f"{name}.cpu", cpu[name], "ms")
    for name in ("lightweight", "energy"):
        report.ratio(f"{name}.cpu_over_full", ratios.totals(cpu[name], cpu["full"]))


def own_time(device: Device, report: Report, rounds: int) -> None:
    """Measure what adaptation takes for itself, of labels with it and without it in turns."""
    code = Path(overhead.__file__).read_text("utf-8")
    told = device.python(f"{code}\nimport json\njson.dumps(await measured({rounds}))")
    own, whole, without = zip(*jsons.loads(told), strict=True)
    report.ratio("overhead.over_infer", ratios.totals(own, without))
    report.ratio("overhead.with_over_without", ratios.paired(whole, without))
    report.figure("overhead.own", 1000 * statistics.fmean(own), "ms")


def accuracy(device: Device, report: Report, ways: Mapping[str, Way], photos: Path) -> None:
    """Label photos in each of the modes that differ in what they answer."""
    labelled = read_labels(photos)
    right: dict[str, list[bool]] = {name: [] for name in JUDGED}
    for start in range(0, len(labelled), BATCH):
        part = labelled[start : start + BATCH]
        for name in JUDGED:
            device.insist(MODES[name])
            urls = [f"/labelled/{file}" for file, _ in part]
            answers = device.run("answers(...given)", asdict(ways[name]), urls)
            right[name] += [a == truth for a, (_, truth) in zip(answers, part, strict=True)]
    report.figure("count", len(labelled), "photos")
    for name in JUDGED:
        report.figure(f"{name}.top1", statistics.fmean(right[name]), "fraction")
        if name != "full":
            change = metrics.paired_mean(np.array(right[name]), np.array(right["full"]), SEED)
            interval = change.low, change.high
            report.figure(f"{name}.top1_change", change.value, "fraction", interval)


def _decisions(device: Device, report: Report, state: State, ways: Mapping[str, Way]) -> None:
    """Take down what the page decides in the device's state at each priority."""
    report.beside["states"] += [
        asdict(modes.decided(state, priority, device.follow(priority), ways))
        for priority in PRIORITIES
    ]


def _ready(device: Device, folder: Path, report: Report) -> None:
    """Have the model here in all variants of its first engine, and its best number of threads."""
    lab.call(device.page, "install", MODEL)
    first, *others = contenders.variants(folder, MODEL)
    for variant in others:
        if variant["engine"] == first["engine"]:
            lab.call(device.page, "add_variant", MODEL, variant["name"])
    report.versions["engine"] = lab.call(device.page, "status")["engine"]
    device.warm(Way.of(device.follow("balanced")))
    end = time.monotonic() + PROBE_SECONDS
    while device.python(THREADS) is None:
        if time.monotonic() > end:
            raise BuildError(f"After {PROBE_SECONDS} s the page has tried no number of threads.")
        device.page.wait_for_timeout(250)


THREADS = f"""
from satchel import platform
from satchel.effort.kept import known
from satchel.library import Library
(model,) = [model for model in await Library().list() if model.model == {MODEL!r}]
(await known(platform.current(), f"{{model.model}} {{model.active}}")).threads
"""
"""How many threads measured best: the page finds out when nobody asks for anything."""
