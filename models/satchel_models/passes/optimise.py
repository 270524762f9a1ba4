"""Run a level's passes one by one; keep what loads and answers as the original does."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import onnx

from satchel_models import graph, native
from satchel_models.errors import GraphError
from satchel_models.files import write_whole
from satchel_models.passes import transforms
from satchel_models.passes.plan import GELU, PLANS, SIGMOID, Planned
from satchel_models.recipe import Session
from satchel_models.results import Level
from satchel_models.steps import Converted, Feeds, Graph, Pass
from satchel_models.tools import Progress

CHECKED = 3
"""Inputs that each pass is checked with."""

AS_IT_IS = Session("disabled")
"""How an optimised graph is loaded: there is nothing left to optimise, only time to lose."""

TOO_LARGE = 2**31 - 1
"""Bytes. A file of ONNX is one message of Protocol Buffers, which has no more."""


def optimise(
    converted: Converted, out: Path, level: Level, feeds: Sequence[Feeds], progress: Progress
) -> Graph:
    """Optimise a float32 graph.

    Args:
        converted: What step 1 made.
        out: A folder for the result: `graph.onnx`, and `plain.onnx` before the engine's fusions.
        level: Which passes.
        feeds: Inputs that each pass is checked with; the first few are used.
        progress: Told the pass's name and the share that is done, 0 … 1.

    Raises:
        GraphError: The original is too large, doesn't load, or doesn't run with these inputs.
    """
    plan = PLANS[level]
    work = _Work(_read(converted), feeds[:CHECKED])
    plain = work.model
    for number, planned in enumerate(plan):
        if not planned.needed(work.model):
            continue
        progress(planned.name, number / len(plan))
        work.run(planned)
        if not planned.fuses:
            plain = work.model
    progress("done", 1.0)
    plain_file, file = out / "plain.onnx", out / "graph.onnx"
    write_whole(plain_file, _bytes(plain))
    write_whole(file, _bytes(work.model))
    return Graph(file, tuple(work.passes), AS_IT_IS, plain_file, tuple(work.notes))


def fused(graph: Graph, model: onnx.ModelProto) -> onnx.ModelProto:
    """Another model with the engine's fusions that `graph` has."""
    taken = {one.name for one in graph.passes if not one.undone}
    approximate = GELU.name in taken
    result = transforms.gelu_approximated(model) if approximate else transforms.extended(model)
    return SIGMOID.transform(result) if SIGMOID.name in taken else result


@dataclass
class _Work:
    """The graph as it is now, and what became of it so far."""

    model: onnx.ModelProto
    feeds: Sequence[Feeds]
    passes: list[Pass] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.error = self.moved = 0.0
        session = native.loaded("The graph", self.model.SerializeToString(), AS_IT_IS)
        self.original = native.answers("The graph", session, self.feeds)
        again = native.answers("The graph", session, self.feeds)
        self.steady = native.largest_difference(self.original, again) == 0
        if not self.feeds:
            self.notes.append("No inputs were given, so no pass was checked by its answers.")
        if not self.steady:
            self.notes.append(
                "The model answers differently each time, so passes were not checked by answers."
            )

    def run(self, planned: Planned) -> None:
        """Run a pass; what fails or moves the answers too far is undone and noted."""
        before = transforms.nodes(self.model)
        try:
            # Tools raise whatever they like; a pass that fails is one that isn't used.
            found = planned.transform(self.model)
            if _bytes(found) == _bytes(self.model):
                self.passes.append(Pass(planned.name, before, before, self.error))
                return
            session = native.loaded("It", found.SerializeToString(), AS_IT_IS)
            answers = native.answers("It", session, self.feeds)
        except Exception as problem:  # noqa: BLE001
            self._undone(planned.name, before, native.words(problem))
            return
        moved = native.relative_difference(self.original, answers)
        if self.steady and not moved <= max(planned.tolerance, self.moved):
            why = f"it moves an output by {moved:.2g} of its largest value"
            self._undone(planned.name, before, f"{why}, more than {planned.tolerance:.2g}")
            return
        self.model, self.moved = found, moved
        self.error = native.largest_difference(self.original, answers)
        self.passes.append(Pass(planned.name, before, transforms.nodes(found), self.error))

    def _undone(self, name: str, before: int, why: str) -> None:
        self.passes.append(Pass(name, before, before, self.error, why))
        self.notes.append(f"The pass {name} was undone: {why.rstrip('.')}.")


def _read(converted: Converted) -> onnx.ModelProto:
    size = converted.file.stat().st_size
    beside = sum(
        path.stat().st_size for path in converted.file.parent.glob(f"{converted.file.name}.data*")
    )
    if size + beside > TOO_LARGE:
        raise GraphError(
            f"{converted.file.name} has {(size + beside) / 1e9:.1f} GB; a browser runs models of "
            "up to 2 GB in float32. Use a smaller model."
        )
    return onnx.load(converted.file)


def _bytes(model: onnx.ModelProto) -> bytes:
    data: bytes = graph.canonical(model, check=False).SerializeToString(deterministic=True)
    return data
