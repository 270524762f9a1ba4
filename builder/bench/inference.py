"""What Python costs: an inference through Satchel beside the same one without it.

Labels beside plain JavaScript, from the same RGBA pixels to the five best classes; embeddings
beside transformers.js, from a string to its vector. Both arms are called from the page, use the
same onnxruntime-web, model and number of threads, and take turns in one run.
"""

from pathlib import Path
from typing import Any, Literal

import numpy as np
from playwright.sync_api import Page

from builder import bundle, lab, parts, site
from builder.bench import contenders, memory, publish, ratios, sentences
from builder.bench.publish import Series, Story
from builder.errors import BuildError
from builder.paths import ROOT
from builder.progress import doing
from builder.report import Report
from satchel.tasks.wordpiece import WordPiece

Part = Literal["label", "minilm", "memory"]

SIZE = 224
TOKENS = (12, 128)
TOKENIZER = "tokenizer.txt"
WARM_UP = 10
ROUNDS = 100

PAUSE_MS = 20
"""Between two measurements: onnxruntime's threads go on spinning for a while after a run."""

GROWTH_FROM, GROWTH_TO = 50, 1000
"""Inferences after which memory is compared."""

STORY = Story(
    title="What Python costs in each inference",
    command="python3 build.py bench inference --json FILE",
    text="""\
From the page and back to it, the engine being ready; the same onnxruntime-web, model and number of
threads. The arms take turns in one page, with a pause between two measurements. Labels: the same
224 × 224 pixels to the five best classes, beside plain JavaScript in a worker. Embeddings: from a
string to 384 numbers, its tokens counted with the two that frame every text, beside transformers.js
with onnxruntime-web's plain WASM build. Ratios are medians over medians, with an interval from a
bootstrap over whole rounds.""",
    groups={
        "Label, one thread": (
            Series("label.rawort", "plain JavaScript"),
            Series("label.satchel", "Satchel"),
        ),
        "Label, two threads": (
            Series("label.rawort_2_threads", "plain JavaScript"),
            Series("label.satchel_2_threads", "Satchel"),
        ),
        "Embedding of 12 tokens, one thread": (
            Series("minilm12.tjs_tuned", "transformers.js, tuned"),
            Series("minilm12.satchel", "Satchel"),
        ),
        "Embedding of 128 tokens, one thread": (
            Series("minilm128.tjs_tuned", "transformers.js, tuned"),
            Series("minilm128.satchel", "Satchel"),
        ),
    },
    ratios={
        "label.satchel_over_rawort": "label, one thread: Satchel over plain JavaScript",
        "label.satchel_over_rawort_2_threads": "the same with two threads",
        "minilm12.satchel_over_tjs_tuned": "12 tokens: Satchel over transformers.js, tuned",
        "minilm128.satchel_over_tjs_tuned": "128 tokens: Satchel over transformers.js, tuned",
    },
    figures={
        "memory.growth": "memory after 1,000 inferences against after 50",
        "memory.after_50": "the page's process after 50",
        "memory.after_1000": "the page's process after 1,000",
        "proxies.after_1000": "JavaScript objects that Python holds after 1,000",
    },
)

PAGE = Path(__file__).parent / "page"
MOUNTS = {"/bench": PAGE, "/ort": parts.folder("onnxruntime")}

LABEL = """async ([settings, rounds, warmUp, size, pause]) => {
  const { rawLabel, satchelLabel, pixels, interleave } = await import("/bench/arms.mjs");
  const raw = await rawLabel(settings);
  const arms = { satchel: satchelLabel, rawort: raw.run };
  const inputs = (count) => Array.from({ length: count }, (_, i) => () => [pixels(size, i), size]);
  await interleave(arms, inputs(warmUp), pause);
  return { threads: raw.threads, samples: await interleave(arms, inputs(rounds), pause) };
}"""

EMBED = """async ([settings, texts, warmUp, pause]) => {
  const { tunedEmbed, satchelEmbed, interleave } = await import("/bench/arms.mjs");
  const tuned = await tunedEmbed(settings);
  const arms = { satchel: satchelEmbed, tjs_tuned: tuned.run };
  const inputs = texts.map((text) => () => text);
  await interleave(arms, inputs.slice(0, warmUp), pause);
  return { threads: tuned.threads, samples: await interleave(arms, inputs, pause) };
}"""

REPEAT = """async ([count, size]) => {
  const { pixels } = await import("/bench/arms.mjs");
  for (let i = 0; i < count; i++) await satchel.engine.call("classify", [pixels(size, i), size, 5]);
}"""


def run(*, json: Path | None, only: Part | None = None) -> None:
    """Measure, print a table and perhaps write the report.

    Raises:
        BuildError: The arms disagree, or the page failed.
    """
    report = Report("bench inference")
    if only in (None, "label"):
        folder = bundle.build(site.load(ROOT / "site.toml"), ROOT / "dist")
        label(report, folder, threads=1)
        label(report, folder, threads=2)
    if only in (None, "minilm"):
        minilm(report)
    if only in (None, "memory"):
        folder = bundle.build(site.load(ROOT / "site.toml"), ROOT / "dist")
        with doing(f"{GROWTH_TO} inferences: does memory grow? …"):
            _growth(report, folder)
    publish.show(report)
    if json:
        publish.write(report, json, STORY)


def label(report: Report, folder: Path, *, threads: int, rounds: int = ROUNDS) -> None:
    """Compare labels with plain JavaScript's, from the same pixels."""
    # On a host without headers, and with no service worker to add them, there is one thread.
    plain = threads == 1
    with (
        doing(f"Labels: Satchel and plain JavaScript, {threads} threads …"),
        lab.opened(folder, plain=plain, mounts=MOUNTS, service_workers=not plain) as page,
    ):
        status = _ready(page, contenders.LABEL_MODEL, threads)
        variant = contenders.shipped(folder, contenders.LABEL_MODEL)
        settings = {"model": variant["blob"]["sha256"], "options": variant["session"]}
        given = [{**settings, "threads": threads}, rounds, WARM_UP, SIZE, PAUSE_MS]
        samples = _samples(page, LABEL, given, threads)
    differing = sum(item["satchel.answer"] != item["rawort.answer"] for item in samples)
    if differing:
        raise BuildError(f"The two arms disagree on {differing} of {len(samples)} pictures.")
    report.versions["engine"] = status["engine"]
    _note(report, "label", "rawort", samples, "" if threads == 1 else f"_{threads}_threads")


def minilm(report: Report, rounds: int = ROUNDS) -> None:
    """Compare embeddings with those of transformers.js, from the same strings; one thread."""
    dist, contending = contenders.embed_site()
    tokenizer = WordPiece.parse((contenders.made(contenders.EMBED_MODEL) / TOKENIZER).read_text())
    mounts = {**MOUNTS, "/contenders": contending / contenders.FILES}
    settings = {"folder": "contenders/", "model": contenders.EMBED_MODEL, "threads": 1}
    for tokens in TOKENS:
        texts = sentences.of(tokens, rounds, tokenizer)
        with (
            doing(f"Texts of {tokens} tokens: Satchel and transformers.js, one thread …"),
            lab.opened(dist, plain=True, mounts=mounts, service_workers=False) as page,
        ):
            _ready(page, contenders.EMBED_MODEL, 1)
            samples = _samples(page, EMBED, [settings, texts, WARM_UP, PAUSE_MS], 1)
        ours, others = (
            np.asarray([item[f"{name}.answer"] for item in samples])
            for name in ("satchel", "tjs_tuned")
        )
        if not (cosine := float((ours * others).sum(axis=1).min())) >= contenders.ALIKE:
            raise BuildError(f"The two arms disagree on an embedding: cosine {cosine:.3f}.")
        _note(report, f"minilm{tokens}", "tjs_tuned", samples)


def _samples(page: Page, script: str, given: list[Any], threads: int) -> list[dict[str, Any]]:
    measured = page.evaluate(script, given)
    if measured["threads"] != threads:
        raise BuildError(f"The other arm ran on {measured['threads']} threads, not {threads}.")
    samples: list[dict[str, Any]] = measured["samples"]
    return samples


def _note(
    report: Report, task: str, other: str, samples: list[dict[str, Any]], suffix: str = ""
) -> None:
    times = {name: [item[name] for item in samples] for name in ("satchel", other)}
    for name, values in times.items():
        report.sample(f"{task}.{name}{suffix}", values, "ms")
    compared = ratios.paired(times["satchel"], times[other])
    report.ratio(f"{task}.satchel_over_{other}{suffix}", compared)


def _growth(report: Report, folder: Path) -> None:
    flags = ("--js-flags=--expose-gc",)
    with lab.opened(folder, mounts=MOUNTS, flags=flags) as page:
        _ready(page, contenders.LABEL_MODEL, None)
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


def _ready(page: Page, model: str, threads: int | None) -> dict[str, Any]:
    lab.call(page, "install", model)
    status: dict[str, Any] = lab.call(page, "status")
    if threads is not None and status["threads"] != threads:
        raise BuildError(f"The page runs on {status['threads']} threads, not {threads}.")
    return status
