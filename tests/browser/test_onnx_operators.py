"""ONNX's own operator tests, through EdgeRuntime, in Pyodide, in Chromium."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections import Counter

import bare_page
import onnx_reasons
import pytest
from playwright.sync_api import Error as PageError

from builder.server import serving

BATCH = 100
"""Cases that are run by one call."""

START = """
import json, micropip, sys
from js import location, URL
from pathlib import Path
from pyodide.code import run_js
from pyodide.http import pyfetch
base = URL.new("./", location.href).href
await micropip.install(base + "wheels/satchel-0.1.0-py3-none-any.whl")
import satchel
ort_url = base + "ort/ort.wasm.bundle.min.mjs"
satchel.configure(ort_url=ort_url)
for name in ("operators.zip", "onnx_operators_page.py"):
    Path(name).write_bytes(await (await pyfetch(base + name)).bytes())
sys.path.insert(0, ".")
import onnx_operators_page
raw = await run_js("(url) => import(url)")(base + "onnx_operators_raw.mjs")
cases = onnx_operators_page.Cases(Path("operators.zip"), raw, ort_url)
json.dumps(None)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The bare page with all cases beside it."""
    folder = tmp_path_factory.mktemp("operators") / "page"
    bare_page.make(folder)
    pack = bare_page.HERE / "onnx_operators.py"
    subprocess.run([sys.executable, pack, folder / "operators.zip"], check=True)
    for name in ("onnx_operators_page.py", "onnx_operators_raw.mjs"):
        shutil.copy(bare_page.HERE / name, folder)
    return folder


def outcomes_of(names, browser, url):
    """Run all cases; where a page breaks down, find out at which one."""
    outcomes, page = {}, None
    batches = [names[start : start + BATCH] for start in range(0, len(names), BATCH)]
    while batches:
        batch = batches.pop(0)
        try:
            if page is None:
                page = browser.new_page()
                page.goto(url)
                bare_page.run(page, START)
            outcomes |= bare_page.run(page, f"json.dumps(await cases.run({batch!r}))")
        except (AssertionError, PageError) as error:
            page.close()
            page = None
            if len(batch) == 1:
                outcomes[batch[0]] = {"status": "broke the page", "message": str(error)}
            else:
                middle = len(batch) // 2
                batches[:0] = [batch[:middle], batch[middle:]]
    if page is not None:
        page.close()
    return outcomes


@pytest.mark.heavy
def test_every_operator_that_onnxruntime_has_gives_what_onnx_says(
    folder, browser, tmp_path, record_property
):
    with zipfile.ZipFile(folder / "operators.zip") as archive:
        types = {
            case["name"]: frozenset(case["types"])
            for case in json.loads(archive.read("cases.json"))
        }
    with serving(folder, plain=True) as url:
        outcomes = outcomes_of(list(types), browser, url)
    assert outcomes.keys() == types.keys()

    failed = {name: outcome for name, outcome in outcomes.items() if outcome["status"] != "passed"}
    reasons = {name: onnx_reasons.proven(failed[name], types[name]) for name in failed}
    counts = Counter(reasons.values())
    record_property(
        "figure",
        f"ONNX's operator tests: {len(outcomes)} run, {len(outcomes) - len(failed)} passed, "
        + ", ".join(f"{count} {reason}" for reason, count in counts.most_common()),
    )

    proposed = tmp_path / onnx_reasons.LISTED.name
    proposed.write_text(onnx_reasons.listing(reasons), encoding="utf-8")
    unexplained = [f"{name}: {failed[name]}" for name, reason in reasons.items() if reason is None]
    assert not unexplained, "no fault of onnxruntime's:\n" + "\n".join(unexplained)
    listed = onnx_reasons.listed()
    changed = [
        f"{name}: listed as {listed.get(name)}, now {reasons.get(name, 'passed')}"
        for name in sorted(listed.keys() | reasons.keys())
        if listed.get(name) != reasons.get(name)
    ]
    assert not changed, f"the list must become {proposed}:\n" + "\n".join(changed)


KERNEL = {
    "status": "refused",
    "same": True,
    "error": "UnsupportedModelError",
    "why": "ERROR_CODE: 9, ERROR_MESSAGE: Could not find an implementation for Add(6)",
    "message": "The model needs something that onnxruntime does not have here.",
}
SEQUENCE = {
    "status": "refused",
    "same": False,
    "error": "UnsupportedModelError",
    "why": "",
    "message": "'x' is no tensor, and Satchel carries tensors only.",
}


@pytest.mark.parametrize(
    ("outcome", "types", "reason"),
    [
        (KERNEL, {"FLOAT"}, "kernel"),
        (KERNEL | {"same": False}, {"FLOAT"}, None),
        (KERNEL | {"error": "ModelFormatError"}, {"FLOAT"}, None),
        (KERNEL | {"error": "EngineCrashedError", "why": "Aborted()"}, {"FLOAT"}, None),
        (SEQUENCE, {"FLOAT", "sequence"}, "no-tensor"),
        (SEQUENCE, {"FLOAT"}, None),
        ({"status": "differs", "same": True, "message": ""}, {"FLOAT"}, "other-results"),
        ({"status": "differs", "same": False, "message": ""}, {"FLOAT"}, None),
        ({"status": "broke the page", "message": ""}, {"FLOAT"}, None),
    ],
)
def test_a_reason_counts_only_when_it_is_proven(outcome, types, reason):
    assert onnx_reasons.proven(outcome, frozenset(types)) == reason
