"""The five steps in order, each from the cache where nothing that it depends on has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

from satchel_models import litert, passes, tflite
from satchel_models.caching import Cache
from satchel_models.data import Dataset, arrays
from satchel_models.litert import NoEnvironmentError, Order
from satchel_models.measurement import Validation
from satchel_models.quantisation import Material
from satchel_models.results import (
    STEPS,
    Compiled,
    Converted,
    Graph,
    Level,
    OptimizationReport,
    Quantised,
    Rejected,
)
from satchel_models.subjects import Subject
from satchel_models.targets import Target
from satchel_models.tools import Equipment

HERE = Path(__file__).parent

LIBRARIES = (
    *("numpy", "onnx", "onnxruntime", "onnxoptimizer", "onnxslim"),
    *(["ai-edge-litert"] if tflite.available() else []),
)

FEEDS = 4
"""Inputs that the graph passes are held against."""

Told = Callable[[str, str, "float | None"], None]
"""Called with (the step, what is done now, its share 0 … 1 or None)."""


@dataclass(frozen=True)
class AllCompiled:
    """Step 4, for each candidate."""

    items: tuple[Compiled, ...]


@dataclass(frozen=True)
class Pipeline:
    """One run for one model, target and level.

    Attributes:
        subject: What is optimised.
        target: For what.
        level: How far.
        data: What calibrates, selects and reports; None: made up.
        calibration: Calibrates instead of a part of `data`.
        seed: Of all that is random.
        tools: What doesn't fit into this environment.
        cache: Of results.
        told: Told what goes on.
        command: That asked for it.
    """

    subject: Subject
    target: Target
    level: Level
    data: Path | None
    calibration: Path | None
    seed: int
    tools: Equipment
    cache: Cache
    told: Told
    command: str = ""

    def run(self) -> OptimizationReport:
        """Run what has to be run."""
        converted = self.converted()
        dataset = self.dataset(converted)
        graph = self.graph(converted, dataset)
        quantised = self.quantised(graph, converted, dataset)
        compiled = self.compiled(quantised, dataset)
        found = self.validated(quantised, converted, dataset)
        return self.report(converted, dataset, graph, quantised, compiled, found)

    def converted(self) -> Converted:
        """Step 1: the original as float32 ONNX."""
        progress = self._progress(STEPS[0])
        return self.cache.step(
            STEPS[0],
            Converted,
            lambda work: self.subject.convert(work, self.tools, progress),
            code=self._code("convert", "subjects"),
            facts=self.subject.facts,
            files=self.subject.files,
            tools=LIBRARIES,
        )

    def dataset(self, converted: Converted) -> Dataset:
        """What calibrates, selects and reports."""
        return self.subject.dataset(self.data, self.calibration, converted, self.seed)

    def graph(self, converted: Converted, dataset: Dataset) -> Graph:
        """Step 2: graph passes."""
        progress = self._progress(STEPS[1])
        feeds = dataset.part("calibrate").feeds[:FEEDS]
        return self.cache.step(
            STEPS[1],
            Graph,
            lambda work: passes.optimise(converted, work, self.level, feeds, progress),
            code=self._code("passes"),
            facts=[self.level, fingerprint(dataset)],
            files=[converted.file],
            tools=LIBRARIES,
        )

    def quantised(self, graph: Graph, converted: Converted, dataset: Dataset) -> Quantised:
        """Step 3: candidates, of the graph and of the original."""
        found = self.made(graph, converted, dataset)
        more = self.branched(converted, dataset)
        return replace(
            found,
            candidates=(*found.candidates, *more.candidates),
            rejected=(*found.rejected, *more.rejected),
        )

    def made(self, graph: Graph, converted: Converted, dataset: Dataset) -> Quantised:
        """Step 3's first part: candidates that are made of the graph."""
        progress = self._progress(STEPS[2])
        material = self._material(dataset)

        def make(work: Path) -> Quantised:
            found = self.target.quantise(graph, converted, work, self.level, material, progress)
            return self.subject.with_own(found, work)

        return self.cache.step(
            STEPS[2],
            Quantised,
            make,
            code=[*self._code("subjects"), *self.target.code["quantise"]],
            facts=[self.target.name, self.level, self.seed, fingerprint(dataset)],
            files=[graph.file],
            tools=LIBRARIES,
        )

    def branched(self, converted: Converted, dataset: Dataset) -> Quantised:
        """Step 3's other part: candidates that branch off from the original."""
        progress = self._progress(STEPS[2])
        material = self._material(dataset)
        ranges = self.subject.ranges if self.data is None and self.calibration is None else None
        order = Order(self.subject.original, converted, self.level, material, ranges)
        try:
            return self.cache.step(
                STEPS[2],
                Quantised,
                lambda work: self.target.branch(order, work, self.tools, progress),
                code=[*self._code("subjects"), *self.target.code["branch"]],
                part="branch",
                facts=[
                    self.target.name,
                    self.level,
                    self.seed,
                    fingerprint(dataset),
                    ranges,
                    (converted.inputs, converted.outputs, converted.face),
                    self.subject.facts,
                ],
                files=[converted.file, *self.subject.files],
            )
        except NoEnvironmentError as error:
            return Quantised((), (Rejected(litert.ALL, str(error)),))

    def compiled(self, quantised: Quantised, dataset: Dataset) -> tuple[Compiled, ...]:
        """Step 4: what a release needs."""
        progress = self._progress(STEPS[3])
        return self.cache.step(
            STEPS[3],
            AllCompiled,
            lambda work: AllCompiled(self.target.compile(quantised, work, dataset, progress)),
            code=[*self._code(), *self.target.code["compile"]],
            facts=[
                self.target.name,
                fingerprint(dataset),
                [
                    (one.name, one.engine, one.session, one.resolution)
                    for one in quantised.candidates
                ],
            ],
            files=[candidate.file for candidate in quantised.candidates],
            tools=LIBRARIES,
        ).items

    def validated(self, quantised: Quantised, converted: Converted, dataset: Dataset) -> Validation:
        """Step 5: measurements, and the choice."""
        progress = self._progress(STEPS[4])
        return self.cache.step(
            STEPS[4],
            Validation,
            lambda _: self.target.validate(
                quantised, converted, dataset, self.level, self.tools, progress
            ),
            code=[*self._code(), *self.target.code["validate"]],
            facts=[
                self.target.name,
                self.level,
                self.seed,
                fingerprint(dataset),
                [
                    (one.name, one.engine, one.session, one.resolution)
                    for one in quantised.candidates
                ],
                dict(self.tools.machine()),
                dict(self.tools.versions()),
            ],
            files=[converted.file, *(one.file for one in quantised.candidates)],
            tools=LIBRARIES,
        )

    def report(
        self,
        converted: Converted,
        dataset: Dataset,
        graph: Graph,
        quantised: Quantised,
        compiled: Sequence[Compiled],
        found: Validation,
    ) -> OptimizationReport:
        """All of it, with the overall winner's figures in front."""
        name = found.engines[0].chosen
        (winner,) = (one for one in found.measured if one.name == name)
        (file,) = (one.file for one in compiled if one.candidate == name)
        return OptimizationReport(
            model=self.subject.name,
            target=self.target.name,
            level=self.level,
            optimized_model_path=file,
            steps_completed=STEPS,
            size_reduction=winner.size_reduction,
            speedup=winner.speedup,
            accuracy_delta=winner.accuracy_delta,
            accuracy_interval=winner.accuracy_interval,
            accuracy_reason=winner.accuracy.why,
            candidates=found.measured,
            engines=found.engines,
            rejected=(*quantised.rejected, *found.rejected),
            converted=converted,
            graph=graph,
            sensitivities=quantised.sensitivities,
            compiled=tuple(compiled),
            original_size=quantised.candidates[0].size,
            seconds=dict(self.cache.seconds),
            cached=self.cache.hits,
            warnings=(*dataset.warnings, *quantised.notes),
            data=dataset.name,
            notes=(*converted.notes, *graph.notes, *found.notes),
            seed=self.seed,
            machine=self.tools.machine(),
            versions={
                **{name: metadata.version(name) for name in LIBRARIES},
                **self.tools.versions(),
                **found.versions,
            },
            command=self.command,
        )

    def _material(self, dataset: Dataset) -> Material:
        return Material(
            calibrate=dataset.part("calibrate").feeds,
            generated=dataset.generated,
            seed=self.seed,
            ladder=dataset.ladder,
            resize=dataset.resize,
        )

    def _code(self, *names: str) -> list[Path]:
        # All single modules: which of them a step reaches is nothing to keep by hand.
        return [*sorted(HERE.glob("*.py")), *(HERE / name for name in names)]

    def _progress(self, step: str) -> Callable[[str, float | None], None]:
        self.told(step, "", None)
        return lambda text, share: self.told(step, text, share)


def fingerprint(dataset: Dataset) -> str:
    """A hash of all samples, of the part that each is in, and of what becomes of a first one."""
    found = hashlib.sha256(repr((dataset.name, dataset.metric)).encode())
    for name, part in sorted(dataset.parts.items()):
        found.update(f"{name} {[sample.digest for sample in part.samples]}".encode())
        for feeds in part.feeds[:1]:
            found.update(arrays.digest(feeds).encode())
    return found.hexdigest()
