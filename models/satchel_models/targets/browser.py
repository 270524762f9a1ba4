"""Browsers: onnxruntime-web and LiteRT.js, measured in a real Chromium."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from satchel_models import compilation, litert, measurement, quantisation
from satchel_models.data import Dataset
from satchel_models.litert import Order
from satchel_models.measurement import Validation
from satchel_models.quantisation import Material
from satchel_models.results import Compiled, Converted, Graph, Level, Quantised
from satchel_models.tools import Equipment, Progress, Tools

HERE = Path(__file__).parent.parent


class Browser:
    """The target "browser"."""

    name = "browser"
    code: Mapping[str, Sequence[Path]] = {
        "quantise": (HERE / "quantisation",),
        "branch": (HERE / "litert", HERE / "convert"),
        "compile": (HERE / "compilation.py",),
        "validate": (HERE / "measurement", HERE / "data"),
    }

    def quantise(
        self,
        graph: Graph,
        converted: Converted,
        out: Path,
        level: Level,
        material: Material,
        progress: Progress,
    ) -> Quantised:
        """Make the candidates for onnxruntime-web."""
        return quantisation.quantise(graph, converted, out, level, material, progress)

    def branch(self, order: Order, out: Path, tools: Tools, progress: Progress) -> Quantised:
        """Make the candidates for LiteRT.js."""
        return litert.candidates(order, out, tools, progress)

    def compile(
        self, quantised: Quantised, out: Path, dataset: Dataset, progress: Progress
    ) -> tuple[Compiled, ...]:
        """Make chunk indexes, golden sets and specs."""
        feeds = dataset.part("calibrate").feeds[: compilation.GOLDEN_CASES]
        made = []
        for number, candidate in enumerate(quantised.candidates):
            progress(candidate.name, number / len(quantised.candidates))
            side = candidate.resolution
            smaller = feeds if side is None else [dataset.resize(one, side) for one in feeds]
            made.append(compilation.compiled(candidate, out, smaller))
        return tuple(made)

    def validate(
        self,
        quantised: Quantised,
        converted: Converted,
        dataset: Dataset,
        level: Level,
        tools: Equipment,
        progress: Progress,
    ) -> Validation:
        """Measure in a real browser."""
        with tools.laboratory() as laboratory:
            return measurement.validate(converted, quantised, dataset, level, laboratory, progress)
