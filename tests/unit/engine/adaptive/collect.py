"""Collects latencies that benchmarks recorded in a real Chromium: steady traces for drift's tests.

.venv/bin/python tests/unit/engine/adaptive/collect.py

From docs/benchmarks, every arm of at least 48 runs, in the order of their recording, into
traces/chromium.json: a copy, so that measuring again doesn't move what the tests judge.
"""

from __future__ import annotations

import json
from pathlib import Path

HERE = Path(__file__).parent
BENCHMARKS = Path(__file__).resolve().parents[4] / "docs/benchmarks"
SOURCES = ("inference.json", "optimize-minilm-l6/report.json",
           "optimize-efficientnet-lite0/report.json")  # fmt: skip
FEWEST = 48


def main() -> None:
    """Collect and write them."""
    traces = []
    for source in SOURCES:
        report = json.loads((BENCHMARKS / source).read_text("utf-8"))
        for name, sample in report["samples"].items():
            if sample["unit"] == "ms" and len(sample["values"]) >= FEWEST:
                values = [round(value, 2) for value in sample["values"]]
                traces.append({"name": f"{source}: {name}", "ms": values})
    document = {"machine": report["machine"], "traces": traces}
    (HERE / "traces/chromium.json").write_text(json.dumps(document) + "\n", "utf-8")


if __name__ == "__main__":
    main()
