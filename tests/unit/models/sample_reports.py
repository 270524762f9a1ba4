"""Reports as runs of the optimiser give them, with figures of the size that was measured."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from satchel_models.recipe import Session
from satchel_models.results import (
    Accuracy,
    Candidate,
    Compiled,
    Converted,
    Engine,
    Estimate,
    Graph,
    Lead,
    Measured,
    OptimizationReport,
    Pass,
    Rejected,
    Sensitivity,
    Spec,
    Timing,
)

OUT = Path("/work/out/label")

MACHINE = {
    "system": "Linux",
    "release": "6.12.1",
    "architecture": "x86_64",
    "processor": "AMD EPYC",
    "cores": 2,
}

VERSIONS = {
    "python": "3.11.7",
    "onnx": "1.23.2",
    "onnxruntime": "1.32.0",
    "onnxslim": "0.1.98",
    "ONNX Runtime Web": "1.30.0",
    "Chromium": "156.0.7000.0",
}

BASIC = Session("basic", {"session.disable_quant_qdq": "1"})

METHODS = {
    "float32": "As it is.",
    "float16-weights": "Weights stored as float16, computed as float32.",
    "int8-weights": "Weights as int8 per channel, scales by least squared error.",
    "int8-weights-depthwise-float": "The same, depthwise convolutions stay float32.",
    "int8-weights-max": "Weights as int8 per channel, scales by the largest weight.",
    "int8-static": "Weights and activations as int8, ranges from calibration by entropy.",
    "int8-dynamic": "Weights as int8, activations quantised at each inference.",
    "int4-weights": "Weights as 4-bit blocks of 32.",
    "litert-float32": "As it is, for LiteRT.",
    "litert-int8-weights": "Weights as int8 per channel, computed as float32.",
    "litert-int8-static": "Weights and activations as int8, inputs and outputs as they were.",
    "int8-weights-192": "int8-weights on images of 192 × 192 pixels.",
    "int8-weights-160": "int8-weights on images of 160 × 160 pixels.",
}

LABEL = {
    # name: bytes, ms at 1 and 2 threads, speedup, ms to make a session, points, half of their
    # interval, whether it is on the Pareto front
    "float32": (18_577_112, 47.2, 26.1, 1.0, 28.1, 0.0, 0.0, False),
    "float16-weights": (9_402_331, 47.9, 26.4, 0.99, 24.0, 0.1, 0.2, False),
    "int8-weights": (4_842_113, 46.4, 25.8, 1.02, 14.2, -0.1, 0.35, True),
    "int8-weights-depthwise-float": (5_311_870, 46.6, 25.9, 1.01, 15.0, 0.0, 0.3, True),
    "int8-weights-max": (4_842_113, 46.5, 25.8, 1.02, 14.3, -0.7, 0.5, False),
    "int8-static": (5_204_906, 82.8, 47.7, 0.57, 31.5, -2.1, 0.9, False),
    "int8-dynamic": (4_901_447, 72.6, 44.0, 0.65, 26.2, -5.7, 1.2, False),
    "int4-weights": (2_904_551, 47.8, 26.2, 0.99, 13.1, -11.8, 1.7, True),
    "int8-weights-192": (4_842_113, 35.9, 19.9, 1.31, 14.2, -3.1, 0.9, True),
    "int8-weights-160": (4_842_113, 26.6, 15.2, 1.77, 14.2, -9.2, 1.4, True),
}

LITERT = {
    "litert-float32": (18_571_300, 29.3, 19.6, 1.61, 12.0, 0.0, 0.1, True),
    "litert-int8-weights": (4_951_220, 29.5, 19.8, 1.6, 13.1, -0.1, 0.3, True),
    "litert-int8-static": (5_351_004, 19.2, 13.0, 2.46, 9.4, -0.4, 0.9, True),
}
"""The same of LiteRT's candidates."""

ENGINES = {"onnxruntime": 2_555_468, "litert": 2_465_310}
"""Bytes that a first visit downloads for each."""

NEEDS = (
    "Needs relaxed SIMD: without it, it has 0.93 (0.91 … 0.95) times the speed of int8-weights at "
    "one thread."
)
WINS = (
    "litert-int8-static was chosen over ONNX Runtime: least bytes × latency, with 2.5 MB for the "
    "engine."
)
BEHIND = (
    "litert-int8-static on LiteRT answers in 0.41 (0.39 … 0.43) times the time of int8-weights, "
    "and comes with 7.8 MB instead of 7.4 MB, engines included."
)

TEXTS = ("16 tokens", "64 tokens", "256 tokens")

MINILM = {
    # name: bytes, ms at 1 thread for each length, speedup, and so on
    "float32": (90_405_214, (25, 58, 249), 1.0, 96.0, 0.0, 0.0, False),
    "float16-weights": (45_300_120, (26, 59, 251), 0.98, 88.0, 0.0, 0.02, False),
    "int8-weights": (23_105_820, (20, 62, 252), 1.03, 51.0, -0.03, 0.1, True),
    "int8-dynamic": (23_004_127, (19, 33, 145), 1.58, 60.0, -0.13, 0.16, True),
    "int4-weights": (19_020_333, (53, 82, 291), 0.63, 44.0, 0.0, 0.2, True),
}

SLOWER = "Slower than float32: {} times its speed at one thread."
LOSES = "Loses {} points on the selecting part, more than the 0.5 of balanced."
SMALLER = "A smaller resolution is measured, and never the default."
WHY = {
    "float32": "The original: what the others are compared with.",
    "float16-weights": "Within the budget, but more bytes than the chosen one.",
    "int8-weights-depthwise-float": "Within the budget, but 10 % more bytes than int8-weights.",
    "int8-weights-max": LOSES.format(0.71),
    "int8-weights": "Within the budget, but slower than int8-dynamic.",
    "int8-static": SLOWER.format(0.57),
    "int8-dynamic": SLOWER.format(0.65),
    "int4-weights": LOSES.format(11.8),
    "litert-float32": "Within the budget, but its bytes × latency are 430% above the chosen one's.",
    "litert-int8-weights": "Within the budget, but its bytes × latency are 42% above.",
    "int8-weights-192": SMALLER,
    "int8-weights-160": SMALLER,
}
BEST = "Least bytes × latency of all that stay within 0.5 points and load no slower than float32."

PASSES = (
    Pass("eliminate_identity", 613, 598, 0.0),
    Pass("eliminate_nop_transpose", 598, 598, 0.0),
    Pass("fuse_bn_into_conv", 598, 412, 2.4e-6),
    Pass("fuse_add_bias_into_conv", 412, 398, 2.4e-6),
    Pass("gelu", 398, 398, 2.4e-6, "it moves an output by 0.02, more than 0.001"),
    Pass("onnxslim", 398, 94, 3.1e-6),
    Pass("onnxruntime extended", 94, 61, 4.9e-6),
)


def label(level="balanced", out=OUT, **changes):
    """An image model's run: ten candidates, labelled photos."""
    noise = np.random.default_rng(4)
    measured = tuple(
        _image(name, figures, noise, chosen=name == "int8-weights", out=out)
        for name, figures in LABEL.items()
    )
    fields = _report("efficientnet-lite0", level, out, measured, LABEL["float32"][0])
    return OptimizationReport(**(fields | changes))


def minilm(level="balanced", out=OUT, **changes):
    """A sentence model's run: three lengths of text, pairs with scores."""
    noise = np.random.default_rng(5)
    measured = tuple(
        _text(name, figures, noise, chosen=name == "int8-dynamic", out=out)
        for name, figures in MINILM.items()
    )
    fields = _report("all-minilm-l6-v2", level, out, measured, MINILM["float32"][0])
    return OptimizationReport(**(fields | changes))


def two_engines(level="balanced", out=OUT, **changes):
    """The image model's run with LiteRT's candidates, one of which wins."""
    noise = np.random.default_rng(7)
    report = label(level, out)
    measured = tuple(
        replace(
            made,
            candidate=replace(made.candidate, engine="litert"),
            engine_bytes=ENGINES["litert"],
            needs=("relaxed-simd",) if made.chosen else (),
            needs_why=NEEDS if made.chosen else "",
        )
        for made in (
            _image(name, figures, noise, chosen=name == "litert-int8-static", out=out)
            for name, figures in LITERT.items()
        )
    )
    picked = next(one for one in measured if one.chosen)
    every = (
        *(replace(one, engine_bytes=ENGINES["onnxruntime"]) for one in report.candidates),
        *measured,
    )
    leads = (Lead(1, Estimate(0.41, 0.39, 0.43)), Lead(2, Estimate(0.5, 0.47, 0.54)))
    fields = {
        "candidates": every,
        "engines": (
            Engine("litert", ENGINES["litert"], picked.name, (), WINS),
            Engine("onnxruntime", ENGINES["onnxruntime"], "int8-weights", leads, BEHIND),
        ),
        "compiled": (
            *report.compiled,
            *(
                replace(
                    report.compiled[0],
                    candidate=one.name,
                    file=out / f"{one.name}.tflite",
                    brotli=round(one.candidate.size * 0.9),
                )
                for one in measured
            ),
        ),
        "optimized_model_path": out / f"{picked.name}.tflite",
        "size_reduction": picked.size_reduction,
        "speedup": picked.speedup,
        "accuracy_delta": picked.accuracy_delta,
        "accuracy_interval": picked.accuracy_interval,
    }
    return replace(report, **(fields | changes))


def unlabelled(level="balanced", out=OUT, **changes):
    """The image model's run without labels: only likeness to the original can be told."""
    report = label(level, out)
    why = "The data has no labels: only likeness to the original's answers can be told."
    candidates = tuple(
        replace(
            one,
            accuracy=replace(
                one.accuracy,
                metric="agreement",
                value=one.accuracy.agreement,
                original=1.0,
                delta=None,
                interval=None,
                why=why,
                more={},
            ),
        )
        for one in report.candidates
    )
    fields = {
        "candidates": candidates,
        "accuracy_delta": None,
        "accuracy_interval": None,
        "accuracy_reason": why,
        "data": "1,000 photos without labels",
    }
    return replace(report, **(fields | changes))


def _image(name, figures, noise, *, chosen, out):
    size, one, two, speedup, creation, points, half, front = figures
    timings = (
        _timing(1, "224×224", one, speedup, noise),
        _timing(2, "224×224", two, 26.1 / two, noise),
    )
    accuracy = _accuracy("top1", 0.877, points, half, 333, {"top5": 0.974, "top5_original": 0.976})
    return _measured(name, size, timings, speedup, creation, accuracy, front, chosen, out)


def _text(name, figures, noise, *, chosen, out):
    size, latencies, speedup, creation, points, half, front = figures
    timings = tuple(
        _timing(threads, feed, ms / (1 if threads == 1 else 1.7), base / ms, noise)
        for threads in (1, 2)
        for feed, ms, base in zip(TEXTS, latencies, (25, 58, 249), strict=True)
    )
    accuracy = _accuracy("spearman", 0.8672, points, half, 500, {})
    return _measured(name, size, timings, speedup, creation, accuracy, front, chosen, out)


def _timing(threads, feed, ms, speedup, noise):
    samples = ms * noise.lognormal(0.02, 0.06, 40)
    samples[noise.integers(40)] *= 2.4
    cpu = ms * threads * 0.94 / 1e3 * noise.lognormal(0, 0.03, 8)
    return Timing(
        threads,
        feed,
        tuple(samples.round(3).tolist()),
        tuple(cpu.round(5).tolist()),
        Estimate(speedup, speedup * 0.97, speedup * 1.03),
    )


def _accuracy(metric, original, points, half, count, more):
    return Accuracy(
        metric=metric,
        value=original + points / 100,
        original=original,
        delta=points,
        interval=(round(points - half, 3), round(points + half, 3)),
        why="",
        cosine=0.9993 + points / 400,
        max_error=abs(points) * 0.03 + 1e-5,
        agreement=0.98 + points / 100 if metric == "top1" else None,
        count=count,
        more=more,
    )


def _measured(name, size, timings, speedup, creation, accuracy, front, chosen, out):
    base, loads = (90_405_214, 96.0) if accuracy.metric == "spearman" else (18_577_112, 28.1)
    return Measured(
        candidate=Candidate(
            name=name,
            engine="onnxruntime",
            file=out / f"{name}.onnx",
            session=BASIC,
            size=size,
            method=METHODS[name],
            resolution=int(name[-3:]) if name.endswith(("192", "160")) else None,
            calibration=100 if name.endswith("int8-static") else 0,
        ),
        size_reduction=1 - size / base,
        speed=Estimate(speedup, speedup * 0.975, speedup * 1.028),
        creation_ms=tuple(creation * factor for factor in (0.93, 0.97, 1.0, 1.02, 1.4)),
        creation_speedup=Estimate(loads / creation, 0.9 * loads / creation, 1.1 * loads / creation),
        timings=timings,
        accuracy=accuracy,
        selection=Estimate(-accuracy.delta, -accuracy.interval[1], -accuracy.interval[0]),
        pareto=front,
        chosen=chosen,
        why=BEST if chosen else WHY[name],
    )


def _sensitivities():
    noise = np.random.default_rng(6)
    losses = np.sort(noise.lognormal(-7.5, 1.4, 40))[::-1]
    return tuple(
        Sensitivity(
            tensor=f"_blocks.{index % 16}._{('depthwise', 'project')[index % 3 > 0]}_conv.weight",
            operator="Conv",
            weights=int(noise.integers(800, 400_000)),
            loss=float(loss),
            kept=index < 3,
        )
        for index, loss in enumerate(losses)
    )


def _report(model, level, out, measured, size):
    photos = model.startswith("eff")
    shape = ("batch", 3, 224, 224) if photos else ("batch", "tokens")
    inputs = (Spec("image" if photos else "input_ids", "float32" if photos else "int64", shape),)
    outputs = (Spec("probabilities" if photos else "embedding", "float32", ("batch", 1000)),)
    picked = next(one for one in measured if one.chosen)
    chosen = picked.candidate.name
    return {
        "model": model,
        "target": "browser",
        "level": level,
        "optimized_model_path": out / f"{chosen}.ready.onnx",
        "steps_completed": (
            "onnx_conversion",
            "graph_optimization",
            "quantization",
            "platform_compilation",
            "validation",
        ),
        "size_reduction": picked.size_reduction,
        "speedup": picked.speedup,
        "accuracy_delta": picked.accuracy.delta,
        "accuracy_interval": picked.accuracy.interval,
        "accuracy_reason": "",
        "candidates": measured,
        "rejected": (
            Rejected("int8-static-tensor", "Its answers agree with the original's on only 67 %."),
            Rejected("all-optimised", "onnxruntime-web can't load it: NCHWc kernels are missing."),
        ),
        "converted": Converted(
            out / "converted.onnx",
            "PyTorch program" if photos else "Hugging Face folder",
            inputs,
            outputs,
            18,
            613,
            ((1, 3, 224, 224) if photos else (1, 16),),
            ("Weights were read without trusting the file.",),
        ),
        "graph": Graph(
            out / "graph.onnx",
            PASSES,
            Session("disabled"),
            out / "plain.onnx",
            ("The pass gelu was undone: it moves an output by 0.02, more than 0.001.",),
        ),
        "sensitivities": _sensitivities(),
        "compiled": tuple(
            Compiled(
                one.candidate.name,
                out / f"{one.candidate.name}.ready.onnx",
                out / f"{one.candidate.name}.chunks",
                out / f"{one.candidate.name}.golden.npz",
                inputs,
                outputs,
                round(one.candidate.size * 0.91),
                61 if one.candidate.name == "float32" else 114,
            )
            for one in measured
        ),
        "original_size": size,
        "seconds": {
            "onnx_conversion": 0.0,
            "graph_optimization": 2.1,
            "quantization": 31.5,
            "platform_compilation": 7.9,
            "validation": 195.0,
        },
        "cached": ("onnx_conversion",),
        "warnings": (),
        "seed": 0,
        "machine": MACHINE,
        "versions": VERSIONS,
        "command": f"build.py optimize {model} --target browser --level {level} --data photos",
        "data": "1,000 photos with labels" if photos else "1,500 pairs of sentences with scores",
        "notes": ("Depthwise convolutions make a tenth of the work and a third of the time.",),
    }
