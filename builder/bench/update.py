"""A new version's way onto a device: what of it is downloaded, how fast, and in how much memory.

Satchel's part (chunks verified one by one, kept as they come, the whole verified, stored in one
commit) beside plain JavaScript that fetches the same file and puts it into IndexedDB. Both run in
the same worker of the same page, take turns, and begin with an empty store. No debugger is
attached.
"""

import json as jsons
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from builder import parts, scripts, wheel
from builder.bench import finetuned, memory, publish, ratios
from builder.bench.filehost import PLACE, FileHost
from builder.bench.publish import Series, Story
from builder.bench.slowlink import SlowLink
from builder.bench.visits import Mailbox, browsing
from builder.files import tree
from builder.paths import APP, ROOT
from builder.progress import doing
from builder.release import artefact
from builder.report import Report
from builder.server import serving
from satchel.versions import Version

Part = Literal["install", "memory", "resume", "delta", "versions"]

ROUNDS = 5

SIZE = 100_000_000
"""Bytes of the file that is installed."""

BANDWIDTH, LATENCY = 100e6, 0.02
"""Bits in a second, and seconds: a good household's line."""

CUT_SIZE, CUTS = 20_000_000, 25
BATCH = 1024 * 1024
"""Bytes that an interruption may cost beside the chunk that it hits (`satchel.keeping`)."""

TURNS = 15
"""Times that a model goes back to the other version."""

SEED = 7
SECONDS = 900
"""For all downloads of one visit."""

PAGES = Path(__file__).parent / "update_pages"
MODEL = ROOT / "models" / "efficientnet-lite0" / "model.onnx"

STORY = Story(
    title="What an update costs",
    command="python3 build.py bench update --json FILE",
    text="""\
A file of 100 MB, nothing of it being there: downloaded, verified and stored by Satchel, and fetched
and put into IndexedDB by plain JavaScript. Both in the same worker of one page, in turns, each with
an empty store; no debugger is attached. Satchel verifies each of 1,250 chunks when it comes, keeps
it at once, verifies the whole and stores it in one commit that is flushed to the disk; plain
JavaScript verifies nothing and uses the browser's default. The line is a server that sends 100 Mbit
a second, 20 ms away. Memory: proportional set sizes of all the browser's processes together, at
most, above those before the download. *Cut*: 20 MB, the connection ending at 25 places by chance.
*Delta*: the label model with another head, the old one being there. *Versions*: both of these
installed, one after the other; then back and forth, each time opened till a session is there.""",
    groups={
        "100 MB over 100 Mbit/s": (
            Series("install.fetch_put", "fetch and put, plain JavaScript"),
            Series("install.satchel", "Satchel"),
        ),
        "100 MB from the same machine": (
            Series("install.fetch_put_loopback", "fetch and put, plain JavaScript"),
            Series("install.satchel_loopback", "Satchel"),
        ),
        "Back to the version before": (
            Series("versions.rollback", "going back"),
            Series("versions.open", "opening the label model"),
        ),
    },
    ratios={
        "install.satchel_over_fetch_put": "over 100 Mbit/s: Satchel over fetch and put",
        "install.loopback": "from the same machine: Satchel over fetch and put",
        "versions.rollback_over_open": "going back over opening the model",
    },
    figures={
        "install.download": "Satchel over 100 Mbit/s: until the last chunk is kept",
        "install.verify": "then until the whole is verified",
        "install.store": "then until it is stored",
        "install.peak_memory_over_size": "most memory above idle over the file's size",
        "install.validation_s": "the label model: validation by golden inputs",
        "resume.fetched_over_limit": "cut: bytes read over what they may be",
        "resume.fetched_over_size": "cut: bytes read over the file's size",
        "delta.fetched_over_changed": "delta: bytes read over those of the tensors that differ",
        "delta.fetched": "delta: bytes of the model that were read",
        "delta.changed": "delta: bytes of the tensors that differ",
        "delta.metadata": "delta: bytes of the chunk index, beside it",
    },
)

Job = Mapping[str, Any]
"""What `worker.mjs` takes: an arm, a file, perhaps a source, whether it is to stay."""


def run(*, json: Path | None, rounds: int = ROUNDS, only: Part | None = None) -> None:
    """Measure, print a table and perhaps write the report.

    Raises:
        BuildError: The page failed.
    """
    report = Report("bench update")
    if only in (None, "install"):
        install(report, rounds)
    if only in (None, "memory"):
        peak_memory(report)
    if only in (None, "resume"):
        resume(report)
    if only in (None, "delta"):
        delta(report)
    if only in (None, "versions"):
        versions(report)
    publish.show(report)
    if json:
        publish.write(report, json, STORY)


def install(report: Report, rounds: int, size: int = SIZE) -> None:
    """Measure both arms over a slow line and none."""
    for ending, link in (("", SlowLink(BANDWIDTH, LATENCY, piece=65536)), ("_loopback", None)):
        host = FileHost()
        file = host.add("large", np.random.default_rng(SEED).bytes(size))
        pair: list[Job] = [{"arm": "plain", "file": file}, {"arm": "satchel", "file": file}]
        jobs = [job for number in range(rounds) for job in pair[:: -1 if number % 2 else 1]]
        answers = visit(host, jobs, link)
        told: dict[str, list[Any]] = {"plain": [], "satchel": []}
        for job, answer in zip(jobs, answers, strict=True):
            told[job["arm"]].append(answer)
        plain, ours = ([one["ms"] for one in told[arm]] for arm in ("plain", "satchel"))
        report.sample(f"install.fetch_put{ending}", plain, "ms")
        report.sample(f"install.satchel{ending}", ours, "ms")
        name = "install.loopback" if ending else "install.satchel_over_fetch_put"
        report.ratio(name, ratios.paired(ours, plain))
        if not ending:
            for step in ("download", "verify", "store"):
                times = sorted(one[step] for one in told["satchel"])
                report.figure(f"install.{step}", times[len(times) // 2], "ms")


def peak_memory(report: Report, size: int = SIZE) -> None:
    """Measure how much more memory the browser has at most while a file is installed."""
    host = FileHost()
    file = host.add("large", np.random.default_rng(SEED).bytes(size))
    peaks: list[int] = []
    visit(
        host, [{"arm": "satchel", "file": file}], SlowLink(BANDWIDTH, LATENCY, piece=65536), peaks
    )
    report.figure("install.peak_memory_over_size", (max(peaks[1:]) - peaks[0]) / size, "ratio")


def resume(report: Report) -> None:
    """Count what is read of a file whose connection is cut again and again."""
    generator = np.random.default_rng(SEED)
    host = FileHost()
    file = host.add("cut", generator.bytes(CUT_SIZE))
    host.cuts = sorted(generator.integers(CUT_SIZE, size=CUTS).tolist())
    (answer,) = visit(host, [{"arm": "satchel", "file": file}], SlowLink(BANDWIDTH, LATENCY))
    limit = CUT_SIZE + CUTS * (BATCH + file["largest"])
    report.figure("resume.fetched_over_limit", answer["read"] / limit, "ratio")
    report.figure("resume.fetched_over_size", answer["read"] / CUT_SIZE, "ratio")


def delta(report: Report) -> None:
    """Count what is read of a fine-tuned model whose original is there."""
    host = FileHost()
    content, differ = finetuned.with_another_head(MODEL)
    old, new = host.add("old", MODEL.read_bytes()), host.add("new", content)
    jobs: list[Job] = [
        {"arm": "satchel", "file": old, "keep": True},
        {"arm": "satchel", "file": new, "source": old},
    ]
    _, answer = visit(host, jobs)
    report.figure("delta.fetched_over_changed", answer["read"] / differ, "ratio")
    report.figure("delta.fetched", answer["read"], "bytes")
    report.figure("delta.changed", differ, "bytes")
    report.figure("delta.metadata", len(new["chunks"]) // 2, "bytes")


def versions(report: Report, turns: int = TURNS) -> None:
    """Measure validating a version, and going back to the one before."""
    host = FileHost()
    recipe = MODEL.with_name("recipe.toml")
    with tempfile.TemporaryDirectory() as place:
        tuned = Path(place) / "tuned.onnx"
        tuned.write_bytes(finetuned.with_another_head(MODEL)[0])
        made = [artefact.make(recipe), artefact.make(recipe, files=(tuned,))]
    for digest, content in {**made[0].blobs, **made[1].blobs}.items():
        host.add(digest, content)
    first = artefact.manifest(recipe)
    told = [
        replace(first, releases=(replace(one.release, version=Version.parse(version)),))
        for one, version in zip(made, ("1.0.0", "1.1.0"), strict=True)
    ]
    file = {
        "first": told[0].encode().decode(),
        "second": told[1].encode().decode(),
        "place": PLACE,
        "turns": turns,
    }
    (answer,) = visit(host, [{"arm": "versions", "file": file}])
    report.figure("install.validation_s", answer["validation"] / 1000, "s")
    report.sample("versions.rollback", answer["rollback"], "ms")
    report.sample("versions.open", answer["open"], "ms")
    name = "versions.rollback_over_open"
    report.ratio(name, ratios.paired(answer["rollback"], answer["open"]))


def visit(
    host: FileHost,
    jobs: Sequence[Job],
    link: SlowLink | None = None,
    peaks: list[int] | None = None,
) -> list[dict[str, Any]]:
    """Have a fresh browser do jobs, and return what each came to.

    Args:
        host: Has the files.
        jobs: In order.
        link: What stands between the files and the browser.
        peaks: Gets the browser's memory in bytes: first idle, then over and over.
    """
    mailbox = Mailbox()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        page = _site(Path(place) / "site", {"settle": peaks is not None, "jobs": jobs})
        reports = mailbox.beside()
        with (
            serving(
                page,
                plain=True,  # somebody's own page: its inference worker is made of a blob
                wrap=lambda inner: reports(host.beside(inner, link)),
            ) as url,
            browsing(Path(place) / "profile") as tabs,
            doing(f"{len(jobs)} downloads …"),
        ):
            address = f"{url}page.html?jobs=jobs.json"
            tabs.open(address)
            if peaks is None:
                return list(mailbox.wait(address, SECONDS)["answers"])
            mailbox.wait(address, SECONDS)
            peaks.append(memory.browser_pss(tabs.process))
            with _watching(tabs.process, peaks):
                return list(mailbox.wait(address, SECONDS)["answers"])


@contextmanager
def _watching(process: int, peaks: list[int]) -> Iterator[None]:
    """Note the browser's memory as often as it can be read."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            peaks.append(memory.browser_pss(process))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _site(folder: Path, jobs: Mapping[str, Any]) -> Path:
    """Put the page, Pyodide and the engine's wheel into a folder."""
    shutil.copytree(PAGES, folder)
    shutil.copytree(parts.folder("pyodide"), folder / "pyodide")
    for path in parts.folder("numpy").iterdir():
        shutil.copy(path, folder / "pyodide")
    shutil.copytree(parts.folder("onnxruntime"), folder / "ort")
    host = scripts.bundle(APP / "satchel" / "platform" / "browser" / "host.mjs")
    (folder / "host.mjs").write_bytes(host)
    wheel.build(folder / "wheels")
    (built,) = (path for name, path in tree(folder / "wheels") if name.endswith(".whl"))
    shutil.copy(built, folder / "satchel.whl")
    (folder / "jobs.json").write_text(jsons.dumps(jobs), "utf-8")
    return folder
