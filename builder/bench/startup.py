"""From opening the page to its first answer: Satchel beside what people would write instead.

A warm open: the browser runs, the page was there before and everything is kept, but nothing of it
runs any more, neither its processes nor its service worker: as when a visitor comes back later. The
clock is the page's own, from its navigation's start (performance.timeOrigin) to the moment that the
answer is on the page. Arms take turns, in an order that rotates. Some are closed and opened again
at once: then the service worker still runs, and the browser puts the page into its process.
"""

import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rich.progress import track

from builder.bench import contenders, firstvisit, publish, ratios
from builder.bench.publish import Series, Story
from builder.bench.visits import Mailbox, Tabs, browsing
from builder.errors import BuildError
from builder.paths import CACHE
from builder.progress import console, doing
from builder.report import Report
from builder.server import serving

Part = Literal["label", "minilm", "phases", "firstvisit"]

WARM_UPS = 2
OPENS = 11

PAUSE_SECONDS = 0.8
"""Between two opens: the processes of the tab before have ended."""

ANSWER_SECONDS = 60
FIRST_SECONDS = 180
"""A first visit downloads and stores everything."""

BARE = "_bare"
"""Ends the names of arms without a service worker."""

AGAIN = "_again"
"""Ends the names of what is measured when an arm is opened again at once."""


@dataclass(frozen=True)
class Arm:
    """One thing that is opened."""

    name: str
    page: str
    """Its page's path on the site."""
    twice: bool = False
    """Whether it is opened again at once, too."""

    @property
    def bare(self) -> bool:
        """Whether it has no service worker, and the HTTP cache instead."""
        return self.name.endswith(BARE)


LABEL = (
    Arm("rawjs", "bench/rawjs.html", twice=True),
    Arm("satchel", "", twice=True),
    Arm("stock", "bench/stock.html"),
    Arm("rawjs_bare", "bench/rawjs.html"),
    Arm("satchel_bare", ""),
)

LABEL_RATIOS = {
    "label.satchel_over_rawjs": ("satchel", "rawjs"),
    "label.satchel_over_rawjs_bare": ("satchel_bare", "rawjs_bare"),
    "label.satchel_over_rawjs_again": ("satchel_again", "rawjs_again"),
    "label.stock_over_satchel": ("stock", "satchel"),
}


MINILM = (
    Arm("tjs_default", "bench/tjs_default.html"),
    Arm("satchel", ""),
    Arm("tjs_tuned", "bench/tjs_tuned.html"),
)

MINILM_RATIOS = {
    "minilm.satchel_over_tjs_default": ("satchel", "tjs_default"),
    "minilm.satchel_over_tjs_tuned": ("satchel", "tjs_tuned"),
}

Told = Mapping[str, Sequence[dict[str, Any]]]
"""What the pages reported, by arm."""

STORY = Story(
    title="From opening the page to its first answer",
    command="python3 build.py bench startup --json FILE",
    text="""\
Warm opens: the browser runs, the page was there before and everything is kept on the device, but
nothing of it runs any more, neither its processes nor its service worker. The tab is opened anew;
the clock is the page's own, from the start of its navigation to the moment that the answer is on
the page. No debugger is attached. All arms run in one browser on one profile, take turns in an
order that rotates, and have the same photo or sentence, model, number of threads and isolation.
Satchel's arm is the whole page with its interface. Ratios are medians over medians, with an
interval from a bootstrap over whole rounds.

- *Plain JavaScript*: onnxruntime-web in a worker, its model in IndexedDB, kept offline by the same
  service worker; everything that doesn't depend on each other is under way at the same time.
- *Stock Pyodide*: Pyodide, its NumPy and onnxruntime-web called from Python, all in one worker.
- *Again at once*: closed and opened again within a second. The service worker still runs, and the
  browser puts the page into its process, where more is warm.
- *Without a service worker*: on an origin that has none, with the browser's HTTP cache instead.
- *transformers.js, default*: its own build of onnxruntime-web and its own caches, with its hosts
  (the Hub, a CDN) moved to the page's; the policy of that site lets it use eval and blobs, which it
  needs. *Tuned*: onnxruntime-web's plain WASM build, models beside the page.""",
    groups={
        "First label": (
            Series("label.rawjs", "plain JavaScript"),
            Series("label.satchel", "Satchel"),
            Series("label.stock", "stock Pyodide"),
        ),
        "First label, again at once": (
            Series("label.rawjs_again", "plain JavaScript"),
            Series("label.satchel_again", "Satchel"),
        ),
        "First label, without a service worker": (
            Series("label.rawjs_bare", "plain JavaScript"),
            Series("label.satchel_bare", "Satchel"),
        ),
        "First sentence embedding": (
            Series("minilm.tjs_tuned", "transformers.js, tuned"),
            Series("minilm.satchel", "Satchel"),
            Series("minilm.tjs_default", "transformers.js, default"),
        ),
    },
    ratios={
        "label.satchel_over_rawjs": "Satchel over plain JavaScript",
        "label.satchel_over_rawjs_bare": "the same, both without a service worker",
        "label.satchel_over_rawjs_again": "the same, opened again at once",
        "label.stock_over_satchel": "stock Pyodide over Satchel",
        "minilm.satchel_over_tjs_default": "Satchel over transformers.js, default",
        "minilm.satchel_over_tjs_tuned": "Satchel over transformers.js, tuned",
    },
    figures={
        "firstvisit.bytes": "first visit, all that is kept, model apart",
        "firstvisit.bytes_plain_host": "the same from a host that sends no headers",
        "firstvisit.bytes.model": "the model",
        "firstvisit.seconds": "first label over 10 Mbit/s and 40 ms, nothing being there yet",
        "firstvisit.interface_seconds": "the interface is usable by then",
        "shell_update.bytes": "an update with ten changed lines of the engine",
    },
)


def run(*, json: Path | None = None, opens: int = OPENS, only: Part | None = None) -> None:
    """Measure, print a table and perhaps write the report.

    Raises:
        BuildError: The arms disagree, or a page failed.
    """
    report = Report("bench startup")
    if only in (None, "label"):
        label(report, opens)
    if only in (None, "minilm"):
        minilm(report, opens)
    if only in (None, "phases"):
        phases(report, opens)
    if only in (None, "firstvisit"):
        firstvisit.measure(report)
    publish.show(report)
    if json:
        publish.write(report, json, STORY)


def label(report: Report, opens: int, warm_ups: int = WARM_UPS) -> None:
    """Measure the way to a photo's first label."""
    folder = contenders.label_site()
    told = measure(folder, LABEL, opens, warm_ups)
    best = {name: {one["answer"]["index"] for one in answers} for name, answers in told.items()}
    if len(set().union(*best.values())) != 1:
        raise BuildError(f"The arms disagree on what is in the photo: {best}.")
    _note(report, "label", told, LABEL_RATIOS)


def phases(report: Report, opens: int, warm_ups: int = WARM_UPS) -> None:
    """Measure when the label page's workers have done what: for whoever makes it faster.

    Its own run on a copy of the site, since looking costs time.
    """
    folder = contenders.traced(contenders.label_site(), CACHE / "bench" / "traced")
    told = measure(folder, [Arm("satchel", "")], opens, warm_ups)
    noted = [one["phases"] for one in told["satchel"]]
    # What happens only now and then (a first fetch, say) is no phase.
    medians = {
        name: float(np.median([one[name] for one in noted]))
        for name in noted[0]
        if all(name in one for one in noted)
    }
    for name, ms in sorted(medians.items(), key=lambda item: item[1]):
        report.figure(f"phase.{name}", ms, "ms")


def minilm(report: Report, opens: int, warm_ups: int = WARM_UPS) -> None:
    """Measure the way to a sentence's embedding."""
    _, folder = contenders.embed_site()
    told = measure(folder, MINILM, opens, warm_ups, contenders.POLICY)
    ours = np.asarray(told["satchel"][0]["answer"])
    for name, answers in told.items():
        cosine = min(_cosine(ours, np.asarray(one["answer"])) for one in answers)
        if not cosine >= contenders.ALIKE:
            raise BuildError(f"Satchel and {name} disagree on the embedding: cosine {cosine:.3f}.")
    _note(report, "minilm", told, MINILM_RATIOS)


def measure(
    folder: Path,
    arms: Sequence[Arm],
    opens: int,
    warm_ups: int,
    headers: Mapping[str, str] | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """Open every arm's page once in each round; return what the pages reported, warm-ups apart.

    Args:
        folder: The site with its contenders.
        arms: What to open.
        opens: Rounds that count.
        warm_ups: Rounds before.
        headers: Sent instead of the site's own.
    """
    mailbox = Mailbox()
    # Two origins: one has the service worker, on the other nobody ever gets one.
    hosts = {
        False: mailbox.beside(headers=headers),
        True: mailbox.beside(headers=headers, without=("/sw.js",)),
    }
    with ExitStack() as stack:
        urls = {
            bare: stack.enter_context(serving(folder, wrap=hosts[bare]))
            for bare in sorted({arm.bare for arm in arms})
        }
        profile = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        tabs = stack.enter_context(browsing(Path(profile)))
        with doing("First visits …"):
            for url in urls.values():
                _visit(tabs, mailbox, f"{url}?prepare", FIRST_SECONDS)
        told: dict[str, list[dict[str, Any]]] = {name: [] for name in _names(arms)}
        for number in track(range(-warm_ups, opens), "Opening …", console=console):
            for arm in _rotated(arms, number):
                tabs.rest()
                for name in _names([arm]):
                    answer = _visit(tabs, mailbox, urls[arm.bare] + arm.page, ANSWER_SECONDS)
                    if number >= 0:
                        told[name].append(_checked(arm, answer))
    return told


def _names(arms: Sequence[Arm]) -> list[str]:
    """Return what is measured."""
    return [name for arm in arms for name in (arm.name, arm.name + AGAIN)[: 1 + arm.twice]]


def _rotated(arms: Sequence[Arm], number: int) -> list[Arm]:
    first = number % len(arms)
    return [*arms[first:], *arms[:first]]


def _visit(tabs: Tabs, mailbox: Mailbox, url: str, seconds: float) -> dict[str, Any]:
    time.sleep(PAUSE_SECONDS)
    mailbox.clear()
    tab = tabs.open(url)
    try:
        return mailbox.wait(url, seconds)
    finally:
        tabs.close(tab)


def _checked(arm: Arm, answer: dict[str, Any]) -> dict[str, Any]:
    """Hold an answer against what its arm promises."""
    if answer["controlled"] == arm.bare:
        raise BuildError(f"{arm.name}: the page has{'' if arm.bare else ' no'} service worker.")
    if answer.get("engineThreads", answer["threads"]) != answer["threads"]:
        raise BuildError(f"{arm.name} ran on {answer['engineThreads']} threads.")
    boot = answer.get("boot")
    if boot and boot["kind"] != "snapshot":
        raise BuildError(f"{arm.name} started Python the slow way: {boot['reason']}.")
    return answer


def _note(report: Report, task: str, told: Told, wanted: Mapping[str, tuple[str, str]]) -> None:
    times = {name: [one["ms"] for one in answers] for name, answers in told.items()}
    for name, values in times.items():
        report.sample(f"{task}.{name}", values, "ms")
    for name, (over, under) in wanted.items():
        report.ratio(name, ratios.paired(times[over], times[under]))


def _cosine(one: Any, other: Any) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
