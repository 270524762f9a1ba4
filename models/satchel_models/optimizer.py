"""EdgeOptimizer: from any model to the best variant for a platform, with proof.

Five steps, each a module of its own: `convert` → `passes` → `quantisation` → `compilation` →
`measurement`. Each one's result is kept by what it depends on (`caching`), so that what has not
changed is not done again.
"""

from __future__ import annotations

import asyncio
import importlib
import threading
from pathlib import Path

from satchel_models import output
from satchel_models.caching import Cache
from satchel_models.convert import Original
from satchel_models.errors import TargetError
from satchel_models.pipeline import Pipeline, Told
from satchel_models.results import BUDGETS, Level, OptimizationReport
from satchel_models.subjects import File, Subject
from satchel_models.targets import Target, target
from satchel_models.tools import Equipment


class EdgeOptimizer:
    """Makes a model small and fast for devices, and measures what that costs.

    Args:
        model: A file or folder (PyTorch, TensorFlow/Keras, Hugging Face, ONNX), or a `Subject`.
        data: What calibrates, selects and reports: a folder of images (with `labels.csv`), a CSV
            of texts or of scored pairs, or an `.npz`. None: made up, which is worth little.
        calibration: Calibrates instead of a part of `data`.
        out: Gets the optimised model and the report; default: `<model>-optimized` beside the model.
        seed: Of all that is random.
        tools: What doesn't fit into this environment; default: the source tree's own.
        told: Told what goes on.
        cache: Keeps the steps' results; default: `.cache/optimize` in the working directory.
        command: That asked for this, for the report.

    Example::

        report = await EdgeOptimizer("model.pt2", data="photos").optimize_for_edge("browser")
        print(report.optimized_model_path, report.size_reduction, report.speedup)
    """

    def __init__(
        self,
        model: Path | str | Subject,
        *,
        data: Path | str | None = None,
        calibration: Path | str | None = None,
        out: Path | str | None = None,
        seed: int = 0,
        tools: Equipment | None = None,
        told: Told = lambda *_: None,
        cache: Path | None = None,
        command: str = "",
    ) -> None:
        self.subject = File(Original(Path(model))) if isinstance(model, Path | str) else model
        self._data = None if data is None else Path(data)
        self._calibration = None if calibration is None else Path(calibration)
        self._out = Path(f"{self.subject.name}-optimized") if out is None else Path(out)
        self._seed = seed
        self._tools = tools or _default_tools()
        self._told = told
        self._cache = Cache((cache or Path(".cache/optimize")).absolute())
        self._command = command
        self._ended = threading.Event()

    async def optimize_for_edge(
        self, target_platform: str = "browser", optimization_level: Level = "balanced"
    ) -> OptimizationReport:
        """Run the five steps, and write the optimised model and the report to the output folder.

        Args:
            target_platform: "browser".
            optimization_level: What accuracy it may cost (points): "fast" 0.1, "balanced" 0.5,
                "aggressive" 1.0; and how much is tried.

        Raises:
            ModelError: A step can't be done; the message says which, why, and the way out.
        """
        chosen = target(target_platform)
        if optimization_level not in BUDGETS:
            known = ", ".join(BUDGETS)
            raise TargetError(f"There is no level {optimization_level!r}; known: {known}.")
        self._ended.clear()
        # In a thread: the browser's driver refuses to work inside an event loop.
        running = asyncio.ensure_future(asyncio.to_thread(self._run, chosen, optimization_level))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            self._ended.set()
            await asyncio.wait([running])
            raise

    def _run(self, chosen: Target, level: Level) -> OptimizationReport:
        pipeline = Pipeline(
            self.subject,
            chosen,
            level,
            self._data,
            self._calibration,
            self._seed,
            self._tools,
            self._cache,
            self._tell,
            self._command,
        )
        try:
            report = output.written(pipeline.run(), self._out)
        except EndedError:
            raise asyncio.CancelledError from None
        self._cache.tidy()
        return report

    def _tell(self, step: str, text: str, share: float | None) -> None:
        if self._ended.is_set():
            raise EndedError
        self._told(step, text, share)


class EndedError(Exception):
    """The run was cancelled; raised where a step says what it does, so that it ends there."""


def _default_tools() -> Equipment:
    try:
        made: Equipment = importlib.import_module("builder.optimizing").Tools()
    except ModuleNotFoundError as error:
        raise TargetError(
            "Measuring needs Satchel's source tree: run it as `python3 build.py optimize`, or give "
            "`tools`."
        ) from error
    return made
