"""docs/adaptation.md, made of the code that decides and of what drift detection measured.

.venv/bin/python tests/unit/engine/adaptive/adaptation_page.py            # the page
.venv/bin/python tests/unit/engine/adaptive/adaptation_page.py --measure  # and docs/adaptation.json
"""

from __future__ import annotations

import ast
import json
import sys
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path.append(str(HERE))

import synthetic  # noqa: E402  # beside this file, which may be run as a program
from situations import LABEL, PRIORITIES, WELL, latencies  # noqa: E402

from satchel.adaptive import Latencies, decide, drift, limits, memory  # noqa: E402
from satchel.adaptive.drift import Watch  # noqa: E402
from satchel.adaptive.queue import CAPACITY  # noqa: E402
from satchel.effort.idling import CALM  # noqa: E402
from satchel.unfit import HEAVY  # noqa: E402

ROOT = HERE.parents[3]
PAGE, REPORT = ROOT / "docs/adaptation.md", ROOT / "docs/adaptation.json"

ABOUT = """# How hard to work

Satchel decides before each answer which variant of a model to run, on how many threads, and how
much rest the device gets. `satchel.adaptive.decide` is a pure function: the device's profile, what
matters to whoever asks, what can be run, how long answers took, what waits, and the time go in; a
`Decision` with its reason, a sentence for people, comes out, and what the next decision has to
remember. This page is made from it (`tests/unit/engine/adaptive/adaptation_page.py`), and a test
holds the one against the other.

| strategy | what it is |
|---|---|
| full | the variant that the model's maker put first, or the best or fastest one where that is asked for, on the threads that help |
| lightweight | the least processor time within the accuracy floor, on one thread; small pictures, details and preparations are left out |
| throttled | one thread, and rests that keep to a share of one processor core: when answers come changes, not what they are |

Low battery and little memory make the work lighter, pressure and slowness give it rests, and both
do both. What a person insists on wins over all of that. Every reading may be missing: it then
changes nothing.

## What is decided

With the label model as its recipe has it
([measured](benchmarks/optimize-efficientnet-lite0/report.md)): {options}. A device with 8 cores,
20 photos waiting. What each of that takes in the page, in time and processor time, is
[measured, too](benchmarks/adaptive.md).

"""  # noqa: E501

RULES = """
The accuracy floor, below the model's first variant that fits the device: {floors}.
Only what was measured is compared: a variant without figures is never called nearly as good. Since
the sets that are chosen from are nested, "energy" never takes more processor time than "balanced",
nor that more than "quality".

## When a condition begins and ends

| condition | begins | ends |
|---|---|---|
{conditions}

Whatever the sensors say, how work is done changes at most once in {dwell:.0f} seconds; the first
decision, another wish of the person and another priority hold at once. A condition that comes back
soon after it ended was probably calmed by the rest that it got: each return doubles the calm that is
asked for, up to {hold:.0f} seconds.

| beside these | then |
|---|---|
| the page can't be seen | nothing is prepared in advance |
| the connection is metered, or data is to be saved; there is no network; the battery is low | nothing is downloaded unasked |
| loading a variant ended the page last time | a variant that takes less memory, and the reason says so |
| a model doesn't fit beside what runs | the least recently used sessions are released; where that isn't enough the load is refused with figures, and a smaller variant offered (`satchel.adaptive.memory`) |

## Rests

A batch that was busy for b seconds on t threads used about b·t seconds of processor time (no web API
says better; this is called a proxy), so a share s of one core asks for b·t/s − b seconds of rest.
Requests that wait are run together before a rest, as many as keep batch and rest within {window:.0f}
seconds, and at most {batch}: one long rest lets the processor sleep more deeply than several short
ones. `Budget` keeps the share whatever timers and answers really take: a token bucket that each batch
takes out of what it used.

| pressure | share of one core | one answer of 50 ms, 1 waits | 20 wait |
|---|---|---|---|
{rests}

The queue (`satchel.adaptive.queue`) is bounded, by default to {capacity} requests: more are turned away
until there is room. A newer frame of the same camera takes the older one's place, and its time.

## Carrying it out

`satchel.AdaptiveInference` does, for all that a page or program runs:

```python
adaptive = satchel.AdaptiveInference()
label = await satchel.tasks.Label.open()
result = await adaptive.run(label, image, priority="balanced")
result.value, result.decision.reason
y = await adaptive.infer(runtime, x)  # a bare model: threads and pace alone
adaptive.override = "lightweight"  # what a person insists on; None: the device decides
```

- **One line.** Requests are run one after the other by those who ask. More than {capacity} wait outside until
  there is room; with the same `key` the newest takes the older one's place, which ends in a
  `SupersededError`; `within` sets a deadline that ends a rest.
- **No waiting for a switch.** What was decided is loaded beside; until it is there, what is loaded
  answers, and the answer's decision says so. On battery, or under fair pressure, what a switch would
  need is loaded while nobody asks for anything.
- **While nobody asks for anything**, after {calm:.0f} seconds: threads are measured once (kept for each model and
  device), variants too whose release has no figures; lighter variants are fetched where that costs
  nothing; baselines of latencies are kept for the next visit.
- **Memory.** On a device with little of it, what isn't in use goes while the page rests, and after
  {idle:.0f} seconds all of it, the engine's worker included; the next request starts it again. A load of
  {heavy} MB or more, and any load on such a device, leaves a mark before and takes it away after: what is
  found marked at the next start ended its page, and a variant that takes less is used (`satchel.unfit`).

## Slowness seen from inside

Where no sensor tells of pressure, latencies do (`satchel.adaptive.drift`).

{method}

{limits}

"""  # noqa: E501

MEASURED = """Measured on made-up latencies ({seeds} seeds for each row, 1,000 steady runs each; slowness begins
with the 101st) and on recorded ones:

| latencies | false alarms in 1,000 runs | 1.5 times as long: found after | within 20 | by and by, in 8 runs | twice as long: found after | within 20 |
|---|---|---|---|---|---|---|
{kinds}

- Recorded in Chromium by this project's benchmarks, {runs:,} runs: {alarms} alarms, {false} of them
  where the last ten runs had not taken a fifth longer than twenty in a row had before.
- Recorded on CPython, on a machine that becomes loaded: {loaded}.
"""  # noqa: E501

STATES = (
    ("nothing is wrong", WELL, {}),
    ("battery at 14 %, not charging", replace(WELL, battery_level=0.14), {}),
    ("pressure serious", replace(WELL, pressure="serious"), {}),
    ("pressure critical", replace(WELL, pressure="critical"), {}),
    ("no sensor, answers take 1.6 times as long", replace(WELL, pressure=None),
     {"latencies": latencies(slow=True, ratio=1.6)}),
    ("battery at 14 %, pressure critical",
     replace(WELL, battery_level=0.14, pressure="critical"), {}),
    ("2 GiB of memory", replace(WELL, memory_gib=2), {}),
    ("nothing is known", replace(WELL, **dict.fromkeys(WELL.__slots__)), {}),
    ("insisted on: full; pressure critical", replace(WELL, pressure="critical"),
     {"override": "full"}),
    ("insisted on: lightweight", WELL, {"override": "lightweight"}),
    ("insisted on: throttled", WELL, {"override": "throttled"}),
)  # fmt: skip


def text(report: dict[str, object]) -> str:
    """The page."""
    options = ", ".join(
        f"{one.resolution} px {1000 * (one.cpu_seconds or 0):.1f} ms and"
        f" {100 * (one.accuracy or 0):.1f} %"
        for one in LABEL
    )
    return "".join(
        (
            ABOUT.format(options=options),
            _decisions(),
            _rules(),
            MEASURED.format(**_measured(report)),
        )
    )


def _decisions() -> str:
    lines = ["| state | priority | strategy | model | threads | work | accuracy | rest |",
             "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    sentences = []
    for (state, profile, rest), priority in product(STATES, PRIORITIES):
        said = {"latencies": Latencies(), "queue": 20, "now": 0.0, "unit": "photo"} | rest
        decision, _ = decide(profile, priority, LABEL, **said)
        option = next(one for one in LABEL if one.resolution == decision.resolution)
        points = 100 * ((option.accuracy or 0) - (LABEL[0].accuracy or 0))
        pause = f"{decision.delay:.1f} s after {decision.batch}" if decision.delay else "none"
        lines.append(
            f"| {state} | {priority} | {decision.strategy} | {decision.resolution} px |"
            f" {decision.threads} | {100 * option.cpu_seconds / LABEL[0].cpu_seconds:.0f} % |"
            f" {points:+.1f} points | {pause} |"
        )
        if priority == "balanced":
            sentences.append(f"- {state}: “{decision.reason}”")
    return "\n".join(
        [*lines, "", "What people are told, at priority balanced:", "", *sentences, ""]
    )


def _rules() -> str:
    floors = ", ".join(
        f"{priority} {100 * floor:g} points" for priority, floor in limits.FLOORS.items()
    )
    conditions = (
        (
            "low battery",
            f"discharging, at {100 * limits.BATTERY_LOW:.0f} % or less",
            (
                f"charging, or {100 * limits.BATTERY_WELL:.0f} % or more,"
                f" for {limits.BATTERY_CALM:.0f} seconds"
            ),
        ),
        (
            "pressure",
            (
                "the sensor says serious, or critical, and it is not the own work that, on mains,"
                f" takes {100 * limits.OWN_LOAD:.0f} % of all cores or more"
            ),
            f"it says neither for {limits.COOL_CALM:.0f} seconds",
        ),
        (
            "slowness",
            "answers take longer than usual here (below)",
            f"they don't for {limits.COOL_CALM:.0f} seconds",
        ),
        (
            "little memory",
            f"the device has {limits.SMALL_MEMORY:g} GiB or less",
            f"it says otherwise for {limits.DWELL:.0f} seconds on end",
        ),
    )
    rests = []
    for pressure, share in limits.CPU_TARGETS.items():
        cells = []
        for waiting in (1, 20):
            decision, _ = decide(
                replace(WELL, pressure=pressure), "balanced", LABEL, queue=waiting, now=0.0,
                latencies=latencies(ms=50),
            )  # fmt: skip
            cells.append(f"{decision.batch}, then {1000 * decision.delay:.0f} ms of rest")
        rests.append(f"| {pressure} | {100 * share:.0f} % | {' | '.join(cells)} |")
    return RULES.format(
        floors=floors,
        conditions="\n".join(f"| {' | '.join(row)} |" for row in conditions),
        dwell=limits.DWELL,
        hold=limits.HOLD_MOST,
        window=limits.WINDOW,
        batch=limits.BATCH_MOST,
        rests="\n".join(rests),
        capacity=CAPACITY,
        calm=CALM,
        idle=memory.IDLE,
        heavy=HEAVY // 10**6,
        method=_method(),
        limits=_limits(),
    )


def _method() -> str:
    """The docstring of the module that does it, without its title."""
    _, _, rest = (drift.__doc__ or "").strip().partition("\n\n")
    return rest


def _limits() -> str:
    """The module's constants with what they say of themselves."""
    tree = ast.parse(Path(drift.__file__).read_text("utf-8")).body
    rows = ["| | | |", "|---|---|---|"]
    for line, after in pairwise(tree):
        if not (isinstance(line, ast.Assign) and isinstance(after, ast.Expr)):
            continue
        name = ast.unparse(line.targets[0])
        about = " ".join(ast.literal_eval(after.value).split())
        rows.append(f"| `{name}` | {ast.unparse(line.value).replace('math.', '')} | {about} |")
    return "\n".join(rows)


def _measured(report: dict[str, object]) -> dict[str, object]:
    rows = [
        f"| {kind} | {row['false']:.2f} | {row['step']['median']:.0f} runs |"
        f" {100 * row['step']['soon']:.0f} % | {100 * row['ramp']['soon']:.0f} % |"
        f" {row['twice']['median']:.0f} runs | {100 * row['twice']['soon']:.0f} % |"
        for kind, row in report["kinds"].items()
    ]
    loaded = ", ".join(
        f"{row['name']} {row['ratio']:.1f} times as long, found after {row['runs']}"
        for row in report["loaded"]
    )
    return report | {"kinds": "\n".join(rows), "loaded": loaded}


FIRST_SEED = 50_000
"""Of those that had no say in the detector's constants."""


def measure(seeds: int = 200) -> dict[str, object]:
    """What drift detection finds, and what it takes for drift."""
    kinds = {}
    for kind in synthetic.KINDS:
        false = sum(len(_alarms(synthetic.trace(seed, kind, 1000))) for seed in _seeds(seeds))
        kinds[kind] = {
            "false": false / seeds,
            "step": _delays(kind, seeds, times=1.5),
            "ramp": _delays(kind, seeds, times=1.5, ramp=8),
            "twice": _delays(kind, seeds, times=2.0),
        }
    return {"seeds": seeds, "kinds": kinds, **_recorded()}


def _seeds(number: int) -> range:
    return range(FIRST_SEED, FIRST_SEED + number)


def _alarms(values: list[float]) -> list[int]:
    watch, found = Watch(), []
    for run, ms in enumerate(values):
        before, watch = watch, watch.seen(ms, 0.0)
        if watch.slow and not before.slow:
            found.append(run)
    return found


def _found(values: list[float], onset: int) -> int:
    """Runs until slowness that begins at a run is seen; one more than there are: it isn't."""
    watch = Watch()
    for run, ms in enumerate(values):
        watch = watch.seen(ms, 0.0)
        if run >= onset and watch.slow:
            return run - onset + 1
    return len(values) - onset + 1


def _delays(kind: str, seeds: int, **slower: float) -> dict[str, float]:
    found = [
        _found(synthetic.trace(seed, kind, 140, onset=100, **slower), 100) for seed in _seeds(seeds)
    ]
    return {"median": median(found), "soon": sum(run <= 20 for run in found) / seeds}


def _recorded() -> dict[str, object]:
    runs = alarms = false = 0
    for trace in json.loads((HERE / "traces/chromium.json").read_text("utf-8"))["traces"]:
        values = trace["ms"]
        runs += len(values)
        for run in _alarms(values):
            alarms += 1
            fastest = min(median(values[first : first + 20]) for first in range(3, run - 28))
            false += median(values[run - 9 : run + 1]) < 1.2 * fastest
    loaded = [
        {
            "name": trace["name"],
            "runs": _found(trace["ms"], trace["onset"]),
            "ratio": median(trace["ms"][trace["onset"] :]) / median(trace["ms"][: trace["onset"]]),
        }
        for trace in json.loads((HERE / "traces/loaded.json").read_text("utf-8"))["traces"]
    ]
    return {"runs": runs, "alarms": alarms, "false": false, "loaded": loaded}


if __name__ == "__main__":
    if "--measure" in sys.argv:
        REPORT.write_text(json.dumps(measure(), indent=1) + "\n", "utf-8")
    PAGE.write_text(text(json.loads(REPORT.read_text("utf-8"))), "utf-8")
