"""What an inference costs: through Satchel, beside the same one without it, and beside the usual.

Labels beside plain JavaScript, from the same RGBA pixels to the five best classes: with the same
engine and model, which is what Python costs, and with the float32 network in onnxruntime-web, which
is what the choice of variant and engine gains. Embeddings beside transformers.js, from a string to
its vector. Arms are called from the page and take turns.
"""

import shutil
from pathlib import Path
from typing import Any, Literal

import numpy as np
from playwright.sync_api import Page

from builder import bundle, lab, litert, models, node, optimizing, parts, site
from builder.bench import contenders, memory, publish, ratios, sentences
from builder.bench.publish import Series, Story
from builder.errors import BuildError
from builder.paths import CACHE, ROOT
from builder.progress import doing
from builder.report import Report
from satchel.tasks.wordpiece import WordPiece
from satchel_models.label_recipe import LabelRecipe

Part = Literal["label", "minilm", "memory"]

SIZE = 224
SMALL = 192
TOKENS = (12, 128)
TOKENIZER = "tokenizer.txt"
WARM_UP = 3
ROUNDS = 60

TURN = {"pause": 20, "times": 5}
"""Milliseconds between two turns, since onnxruntime's threads go on spinning for a while after a
run; and answers in each. After a rest the first ones take longer, and with two threads LiteRT's
lose more than onnxruntime's, whose threads do not sleep at once: it is a queue of photos that is
compared."""

PREPARED_SECONDS = 30
"""In which the page gets and loads what it may want in hard times, which takes memory once."""

GROWTH_FROM, GROWTH_TO = 50, 1000
"""Inferences after which memory is compared."""

STORY = Story(
    title="What an inference costs",
    command="python3 build.py bench inference --json FILE",
    text="""\
From the page and back to it, the engine being ready. Arms that are compared take turns in one page,
with a pause between two turns; a turn is five answers in a row, of which the median counts. Labels:
from 224 × 224 pixels (192 × 192 where it is said) to the five best classes. Plain JavaScript has
the engine in a worker; with *the same* engine, model and threads its difference to Satchel is what
Python costs; *float32* is the original network in onnxruntime-web, which people would write without
Satchel, and what the shipped variant is compared with. Satchel is told to make full effort,
whatever the device feels like. Embeddings: from a string to 384 numbers, its tokens counted with
the two that frame every text, beside transformers.js with onnxruntime-web's plain WASM build, one
thread. Ratios are medians over medians, with an interval from a bootstrap over whole rounds.""",
    groups={
        **{
            f"Label, {words}": (
                Series(f"label.rawort_float32{suffix}", "onnxruntime-web, float32"),
                Series(f"label.rawort{suffix}", "onnxruntime-web, the page's file"),
                Series(f"label.satchel{suffix}", "Satchel with that file"),
                Series(f"label.rawlitert{suffix}", "LiteRT.js, the page's file"),
                Series(f"label.default{suffix}", "Satchel as it ships"),
                Series(f"label.default_192{suffix}", "Satchel, 192 pixels"),
            )
            for words, suffix in (("one thread", ""), ("two threads", "_2_threads"))
        },
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
        **{
            f"{name}{suffix}": f"label, {words}: {what}"
            for words, suffix in (("one thread", ""), ("two threads", "_2_threads"))
            for name, what in {
                "label.satchel_over_rawort": "Satchel over onnxruntime-web, the same file",
                "label.satchel_over_rawlitert": "Satchel over LiteRT.js, the same file",
                "label.default_over_rawort": "Satchel as it ships over onnxruntime-web, float32",
                "label.default_192_over_rawort": "the same from 192 pixels",
            }.items()
        },
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
FLOAT32 = CACHE / "bench" / "float32"
MOUNTS = {
    "/bench": PAGE,
    "/ort": parts.folder("onnxruntime"),
    "/litert": litert.folder(),
    "/litert-wasm": node.packages() / "@litertjs/core/wasm",
    "/float32": FLOAT32,
}

TURNS = (("rawort", "satchel"), ("rawort_float32", "rawlitert", "default", "default_192"))
"""Arms of one page. Each has an engine and a network in memory, and more of them than a page would
ever have come out of the processor's caches at every turn."""

COMPARED = {
    "label.satchel_over_rawort": ("satchel", "rawort"),
    "label.satchel_over_rawlitert": ("default", "rawlitert"),
    "label.default_over_rawort": ("default", "rawort_float32"),
    "label.default_192_over_rawort": ("default_192", "rawort_float32"),
}

LABEL = """async ([described, rounds, warmUp, turn]) => {
  const { labellers, interleave } = await import("/bench/arms.mjs");
  const arms = await labellers(described);
  await interleave(arms, { rounds: warmUp, ...turn });
  return interleave(arms, { rounds, ...turn });
}"""

EMBED = """async ([settings, texts, warmUp, turn]) => {
  const { tunedEmbed, satchelEmbed, interleave } = await import("/bench/arms.mjs");
  const tuned = await tunedEmbed(settings);
  const input = (round) => texts[round];
  const arms = { satchel: { input, run: satchelEmbed }, tjs_tuned: { input, run: tuned.run } };
  await interleave(arms, { rounds: warmUp, ...turn });
  const samples = await interleave(arms, { rounds: texts.length, ...turn });
  return { threads: tuned.threads, samples };
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
    original()
    arms = _arms(contenders.variants(folder, contenders.LABEL_MODEL), threads)
    samples: list[dict[str, Any]] = [{} for _ in range(rounds)]
    for names in TURNS:
        with doing(f"Labels: {', '.join(names)}; {threads} threads …"):
            for sample, more in zip(
                samples,
                _labelled(report, folder, {name: arms[name] for name in names}, threads, rounds),
                strict=True,
            ):
                sample.update(more)
    for one, other in (("satchel", "rawort"), ("default", "rawlitert")):
        differing = sum(item[f"{one}.answer"] != item[f"{other}.answer"] for item in samples)
        if differing:
            raise BuildError(f"{one} and {other} disagree on {differing} of {rounds} pictures.")
    suffix = "" if threads == 1 else f"_{threads}_threads"
    times = {name: [item[name] for item in samples] for name in arms}
    for name, values in times.items():
        report.sample(f"label.{name}{suffix}", values, "ms")
    for name, (over, under) in COMPARED.items():
        report.ratio(f"{name}{suffix}", ratios.paired(times[over], times[under]))


def _labelled(
    report: Report, folder: Path, arms: dict[str, dict[str, Any]], threads: int, rounds: int
) -> list[dict[str, Any]]:
    """Have some arms label the same pixels in turns, in one page."""
    # On a host without headers, and with no service worker to add them, there is one thread.
    plain = threads == 1
    with lab.opened(folder, plain=plain, mounts=MOUNTS, service_workers=not plain) as page:
        status = _ready(page, contenders.LABEL_MODEL, threads)
        for arm in arms.values():
            if "variant" in arm:
                lab.call(page, "add_variant", contenders.LABEL_MODEL, arm["variant"])
        report.versions["engine"] = status["engine"]
        samples: list[dict[str, Any]] = page.evaluate(LABEL, [arms, rounds, WARM_UP, TURN])
    return samples


def original() -> Path:
    """Return the label model's original as float32 ONNX, converted if it isn't here yet."""
    recipe = models.load(contenders.recipe_of(contenders.LABEL_MODEL))
    if not isinstance(recipe, LabelRecipe):
        raise BuildError(f"{recipe.id} is no label model.")
    with doing("Converting the original (needs PyTorch) …"):
        converted = optimizing.converted(recipe)
    FLOAT32.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(converted, FLOAT32 / "model.onnx")
    return FLOAT32 / "model.onnx"


def _arms(shipped: list[dict[str, Any]], threads: int) -> dict[str, dict[str, Any]]:
    """Describe the arms, as arms.mjs takes them."""
    default, *_ = shipped
    ort = next(one for one in shipped if one["engine"] == "onnxruntime")
    small = next(
        one
        for one in shipped
        if one["engine"] == default["engine"] and one["resolutions"] == [SMALL]
    )
    common = {"threads": threads, "size": SIZE}
    options = {"graph_optimization_level": "all", "config": {}}
    plain = {**common, "kind": "onnxruntime"}
    return {
        "rawort_float32": {**plain, "model": "float32/model.onnx", "options": options},
        "rawort": {**plain, "model": contenders.blob(ort), "options": ort["session"]},
        "satchel": {**common, "kind": "satchel", "variant": ort["name"]},
        "rawlitert": {**common, "kind": default["engine"], "model": contenders.blob(default)},
        "default": {**common, "kind": "satchel", "variant": default["name"]},
        "default_192": {"threads": threads, "size": SMALL, "kind": "satchel",
                        "variant": small["name"]},
    }  # fmt: skip


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
            measured = page.evaluate(EMBED, [settings, texts, WARM_UP, TURN])
        if measured["threads"] != 1:
            raise BuildError(f"The other arm ran on {measured['threads']} threads, not on one.")
        samples = measured["samples"]
        ours, others = (
            np.asarray([item[f"{name}.answer"] for item in samples])
            for name in ("satchel", "tjs_tuned")
        )
        if not (cosine := float((ours * others).sum(axis=1).min())) >= contenders.ALIKE:
            raise BuildError(f"The two arms disagree on an embedding: cosine {cosine:.3f}.")
        times = {name: [item[name] for item in samples] for name in ("satchel", "tjs_tuned")}
        for name, values in times.items():
            report.sample(f"minilm{tokens}.{name}", values, "ms")
        compared = ratios.paired(times["satchel"], times["tjs_tuned"])
        report.ratio(f"minilm{tokens}.satchel_over_tjs_tuned", compared)


def _growth(report: Report, folder: Path) -> None:
    flags = ("--js-flags=--expose-gc",)
    with lab.opened(folder, mounts=MOUNTS, flags=flags) as page:
        _ready(page, contenders.LABEL_MODEL, None)
        browser = page.context.browser
        if browser is None:
            raise BuildError("The page has no browser.")
        page.evaluate(REPEAT, [GROWTH_FROM, SIZE])
        page.wait_for_timeout(1000 * PREPARED_SECONDS)
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
    lab.install(page, model)
    status: dict[str, Any] = lab.call(page, "status")
    if threads is not None and status["threads"] != threads:
        raise BuildError(f"The page runs on {status['threads']} threads, not {threads}.")
    return status
