"""Make a level's candidates one by one; what fails is reported, never fatal."""

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from satchel_models import graph as graphs
from satchel_models import native, passes
from satchel_models.errors import ModelError
from satchel_models.files import write_whole
from satchel_models.quantisation import ladder, material, plan, rounding, sensitivity, trial
from satchel_models.quantisation.family import family
from satchel_models.quantisation.material import Material
from satchel_models.quantisation.methods import Workshop
from satchel_models.quantisation.plan import Method
from satchel_models.results import Level
from satchel_models.steps import (
    Candidate,
    Converted,
    Feeds,
    Graph,
    Quantised,
    Rejected,
    Sensitivity,
)
from satchel_models.tools import Progress

MEASURING = 0.25
"""Share of the step that goes into what single weights cost."""

GENERATED = "Inputs for calibration were generated: activations' ranges are not those of real data."


def quantise(
    graph: Graph,
    converted: Converted,
    out: Path,
    level: Level,
    given: Material,
    progress: Progress,
) -> Quantised:
    """Make the candidates of a level.

    Args:
        graph: What step 2 made.
        converted: What step 1 made.
        out: A folder for the files, `<candidate>.onnx`.
        level: How many candidates.
        given: Inputs for calibration and trials.
        progress: Told the candidate's name and the share that is done, 0 … 1.

    Returns:
        What loads and runs, float32 first; and what doesn't, with the reason.

    Raises:
        GraphError: The float32 graph itself doesn't load or run with the first input.
    """
    bench = _Bench.opened(graph, converted, out, given)
    plain = onnx.load(graph.plain or graph.file)
    shop = Workshop(
        plain=plain,
        fused=onnx.load(graph.file),
        refused=lambda model: passes.fused(graph, model),
        family=family(plain),
        packer=_Memory(),
        feeds=lambda count: material.sample(given, count),
    )
    notes = [GENERATED] if given.generated else []
    if level != "fast":
        try:
            shop = replace(shop, sensitivities=_measured(shop, given, progress))
        except ModelError as error:
            notes.append(f"What single weights cost could not be measured: {error}")
    wanted = plan.planned(shop.family, level)
    for number, method in enumerate(wanted):
        progress(method.name, MEASURING + (1 - MEASURING) * number / len(wanted))
        bench.make(method, shop)
    if level != "fast" and shop.family == "convolutional":
        bench.climb()
    progress("candidates", 1.0)
    return Quantised(
        tuple(bench.candidates),
        tuple(bench.rejected),
        tuple(shop.sensitivities),
        shop.family,
        tuple(notes),
    )


def _measured(shop: Workshop, given: Material, progress: Progress) -> tuple[Sensitivity, ...]:
    def told(what: str, share: float | None) -> None:
        progress(what, MEASURING * (share or 0))

    feeds = material.sample(given, sensitivity.SAMPLES)
    return sensitivity.measured(shop.fused, shop.plain, feeds, shop.packer, told)


@dataclass
class _Bench:
    """Where candidates are made, tried and put down."""

    out: Path
    material: Material
    trial: trial.Trial
    candidates: list[Candidate]
    rejected: list[Rejected] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)  # sha256 → candidate

    @classmethod
    def opened(cls, graph: Graph, converted: Converted, out: Path, given: Material) -> "_Bench":
        """A bench with float32 on it."""
        data = graph.file.read_bytes()
        session = native.loaded("The graph", data, graph.session)
        first = Candidate(
            name=plan.FLOAT32,
            engine="onnxruntime",
            file=graph.file,
            session=graph.session,
            size=len(data),
            method=plan.FLOAT32_SENTENCE,
        )
        ready = trial.prepared(converted, session, given.calibrate)
        return cls(out, given, ready, [first])

    def make(self, method: Method, shop: Workshop) -> None:
        """Make a candidate; it counts if it loads, runs, and is unlike the others."""
        try:
            made = method.make(shop)
            data = _bytes(made.model)
            trial.run(method.name, data, made.session, self.trial)
        except ModelError as error:
            self.rejected.append(Rejected(method.name, str(error)))
            return
        # Quantisers raise whatever they like; a candidate that can't be made is none.
        except Exception as error:  # noqa: BLE001
            reason = f"It can't be made: {native.words(error)}"
            self.rejected.append(Rejected(method.name, reason))
            return
        digest = hashlib.sha256(data).hexdigest()
        if digest in self.known:
            reason = f"It is the same file as {self.known[digest]}."
            self.rejected.append(Rejected(method.name, reason))
            return
        self.known[digest] = method.name
        file = self.out / f"{method.name}.onnx"
        write_whole(file, data)
        self.candidates.append(
            Candidate(
                name=method.name,
                engine="onnxruntime",
                file=file,
                session=made.session,
                size=len(data),
                method=method.sentence,
                calibration=made.calibration,
                notes=(GENERATED,) if made.calibration and self.material.generated else made.notes,
            )
        )

    def climb(self) -> None:
        """Offer the ladder's resolutions, for a file that takes them."""
        made = {candidate.name: candidate for candidate in self.candidates}
        base = next(made[name] for name in plan.LADDER if name in made)
        resize = self.material.resize
        if resize is None or not self.material.calibrate:
            return
        first = self.material.calibrate[0]
        for side in self.material.ladder:
            name = f"{base.name}@{side}"
            try:
                self._rung(base, name, side, first, resize(first, side))
            except ModelError as error:
                self.rejected.append(Rejected(name, f"No smaller inputs: {error}"))

    def _rung(self, base: Candidate, name: str, side: int, first: Feeds, smaller: Feeds) -> None:
        free = ladder.freed(onnx.load(base.file), ladder.moving_axes(first, smaller))
        data = base.file.read_bytes() if free is None else _bytes(free)
        trial.run(name, data, base.session, replace(self.trial, feeds=(smaller,)))
        file = base.file
        if free is not None:
            file = self.out / f"{base.name}@any.onnx"
            write_whole(file, data)
        self.candidates.append(
            replace(
                base,
                name=name,
                file=file,
                size=len(data),
                resolution=side,
                method=f"{base.method.rstrip('.')}, on inputs of {side} × {side}.",
            )
        )


class _Memory:
    """A packer that makes each weight's int8 once: several candidates have the same."""

    def __init__(self) -> None:
        self._packed: dict[tuple[str, int], tuple[NDArray[np.int8], NDArray[np.float32]]] = {}

    def __call__(
        self, values: NDArray[np.float32], axis: int
    ) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        digest = hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()
        key = (f"{digest}{values.shape}", axis)
        if key not in self._packed:
            self._packed[key] = rounding.packed(values, axis)
        return self._packed[key]


def _bytes(model: onnx.ModelProto) -> bytes:
    data: bytes = graphs.canonical(model, check=False).SerializeToString(deterministic=True)
    return data
