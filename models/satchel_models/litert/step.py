"""Ask for LiteRT's candidates of a model; what can't be made is reported, never fatal."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from satchel_models import native
from satchel_models.convert import asking, foreign, numerics, recognise
from satchel_models.convert.conversion import PROGRAMS
from satchel_models.convert.exchange import Task
from satchel_models.errors import ModelError
from satchel_models.files import write_whole
from satchel_models.litert import exchange, fitness, plan
from satchel_models.litert.exchange import Answers, Made, Wanted
from satchel_models.litert.order import ALL, RANGES, NoEnvironmentError, Order
from satchel_models.quantisation import GENERATED, sample
from satchel_models.recipe import Session
from satchel_models.steps import Candidate, Feeds, Quantised, Rejected
from satchel_models.tools import NAMES, Environment, Progress, Tools

TRIALS = 2
"""Samples that each candidate answers before it counts."""

CALIBRATED = 128
"""Samples that calibrate, at most."""

CLOSE = 1e-2
"""Largest difference from the ONNX graph's answers, as a share of an output's largest value, for
float32: sums in another order."""

SESSION = Session("disabled")
"""LiteRT has nothing to set."""


def candidates(order: Order, out: Path, tools: Tools, progress: Progress) -> Quantised:
    """See `satchel_models.litert.candidates`."""
    kind = None if order.original is None else recognise(order.original.path)
    reason = fitness.unfit(order.converted, kind)
    if reason or order.original is None or kind is None:
        return Quantised((), (Rejected(ALL, reason),))
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=out) as name:
        task = Task(order.original, kind, Path(name), order.converted.face)
        samples = sample(order.material, TRIALS if order.ranges else CALIBRATED)
        try:
            made, answers = _made(order, task, samples, tools, progress)
            _check(order, samples, answers.get(plan.FLOAT32, ()))
        except ModelError as error:
            return Quantised((), (Rejected(ALL, str(error)),))
        return _tried(order, made, answers, task.folder, out)


def _made(
    order: Order, task: Task, samples: Sequence[Feeds], tools: Tools, progress: Progress
) -> tuple[Made, Mapping[str, Answers]]:
    """Run the two programs.

    Raises:
        ModelError: The network can't be converted.
        NoEnvironmentError: An environment can't be made.
    """
    asking.check(task.original, task.kind)
    environment, module = PROGRAMS[task.kind]
    if environment == "torch":
        environment = "litert"  # which has PyTorch, too
    pythons = [_python(tools, one, progress) for one in (environment, "litert")]
    foreign.done(pythons[0], f"satchel_models.litert.{module}", task, progress)
    given = order.material
    smaller: Mapping[int, Feeds] = {}
    if order.level != "fast" and given.resize is not None and given.calibrate:
        smaller = {side: given.resize(given.calibrate[0], side) for side in given.ladder}
    wanted = Wanted(plan.planned(order.level), smaller, task.face, order.ranges, TRIALS)
    exchange.write_wanted(task.folder, wanted, samples)
    foreign.done(pythons[1], "satchel_models.litert.making", task, progress)
    return exchange.read_made(task.folder)


def _python(tools: Tools, environment: Environment, progress: Progress) -> Path:
    progress(f"Preparing {NAMES[environment]}", None)
    try:
        return tools.python(environment)
    except ModelError as error:
        raise NoEnvironmentError(str(error)) from error


def _tried(
    order: Order, made: Made, answers: Mapping[str, Answers], folder: Path, out: Path
) -> Quantised:
    """The candidates that answer, and what becomes of the others."""
    rejected = [Rejected(name, reason) for name, reason in made.refused.items()]
    found = []
    for name, file in made.files.items():
        if not all(np.isfinite(v).all() for one in answers[name] for v in one.values()):
            rejected.append(Rejected(name, "It answers with values that are not finite."))
            continue
        data = (folder / file).read_bytes()
        write_whole(out / file, data)
        found.append(_candidate(order, name, out / file, len(data)))
    if order.ranges is None and made.ranges:
        write_whole(out / RANGES, json.dumps(made.ranges, indent=1))
    return Quantised(tuple(found), tuple(rejected))


def _check(order: Order, samples: Sequence[Feeds], found: Answers) -> None:
    """See that float32 answers as the graph does.

    Raises:
        NumericsError: A converter made another network of it.
    """
    session = native.loaded("The graph", order.converted.file.read_bytes(), Session("basic"))
    names = [output.name for output in session.get_outputs()]
    for feeds, one in zip(samples, found, strict=False):
        (right,) = native.answers("The graph", session, [feeds])
        numerics.compare("The .tflite file", right, [one[name] for name in names], CLOSE)


def _candidate(order: Order, name: str, file: Path, size: int) -> Candidate:
    base, _, side = name.partition("@")
    method = plan.METHODS[base]
    calibrated = base in plan.CALIBRATED
    generated = calibrated and order.material.generated and order.ranges is None
    return Candidate(
        name=name,
        engine="litert",
        file=file,
        session=SESSION,
        size=size,
        method=f"{method.rstrip('.')}, on inputs of {side} × {side}." if side else method,
        resolution=int(side) if side else None,
        calibration=min(len(order.material.calibrate), CALIBRATED) if calibrated else 0,
        notes=(GENERATED,) if generated else (),
    )
