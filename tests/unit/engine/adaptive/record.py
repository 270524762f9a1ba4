"""Records how long one inference after another takes: traces for the tests of drift.

.venv/bin/python tests/unit/engine/adaptive/record.py

The label model on CPython's ONNX Runtime, as the machine is, then while other programs keep every
core busy besides. Writes traces/loaded.json.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np

import satchel
from builder.report import machine

HERE = Path(__file__).parent
MODEL = Path(__file__).resolve().parents[4] / "models/efficientnet-lite0/model.onnx"
BEFORE, LOADED = 100, 30
LOADS = 2
"""Programs that are busy on each core."""


def busy(parent: int) -> None:
    """Work for nothing, as long as whoever wants it lives."""
    while os.getppid() == parent:
        sum(range(100_000))


async def record(threads: int, size: int) -> dict[str, object]:
    """Milliseconds of each run; the load begins with run `onset`."""
    values: list[float] = []
    pixels = np.random.default_rng(0).integers(0, 255, (1, size, size, 3), dtype=np.uint8)
    async with satchel.EdgeRuntime(MODEL.read_bytes(), threads=threads) as runtime:

        async def run(times: int) -> None:
            for _ in range(times):
                begun = time.perf_counter()
                await runtime.infer(pixels)
                values.append(round(1000 * (time.perf_counter() - begun), 2))

        await run(BEFORE)
        cores = os.cpu_count() or 1
        programs = [
            multiprocessing.Process(target=busy, args=(os.getpid(),), daemon=True)
            for _ in range(LOADS * cores)
        ]
        for program in programs:
            program.start()
        await asyncio.sleep(0.2)  # till they are under way: what is recorded is a loaded machine
        try:
            await run(LOADED)
        finally:
            for program in programs:
                program.kill()
                program.join()
    name = f"label, {size} px, {threads} threads"
    return {"name": name, "onset": BEFORE, "ms": values}


async def main() -> None:
    """Record and write all of them."""
    traces = [await record(threads, size) for threads in (1, 2) for size in (224, 160)]
    report = {"machine": machine(), "model": "efficientnet-lite0", "traces": traces}
    (HERE / "traces/loaded.json").write_text(json.dumps(report) + "\n", "utf-8")


if __name__ == "__main__":
    asyncio.run(main())
