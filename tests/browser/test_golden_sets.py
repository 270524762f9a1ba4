"""What releases are validated with holds in the browser's engine, with room to spare."""

from __future__ import annotations

import bare_page
import pytest

from builder.paths import ROOT
from builder.release import artefact
from builder.server import serving

RUN = """
import json, micropip
from js import location, URL
from pyodide.http import pyfetch
base = URL.new("./", location.href).href
await micropip.install(base + "wheels/satchel-0.1.0-py3-none-any.whl")
import numpy as np, satchel
from satchel import golden
satchel.configure(ort_url=base + "ort/ort.wasm.bundle.min.mjs")

async def fetched(name):
    return await (await pyfetch(base + name)).bytes()

found = golden.decode(await fetched("golden.zip"))
runtime = satchel.EdgeRuntime(await fetched("model.onnx"))
problems, cosines = [], []
for number, case in enumerate(found.cases):
    outputs = await runtime.run(dict(case.inputs))
    problems.append(found.problem(number, outputs))
    for name, expected in case.outputs.items():
        right, got = (x.astype(np.float64) for x in (expected, outputs[name]))
        lengths = np.linalg.norm(right, axis=1) * np.linalg.norm(got, axis=1)
        cosines.append(float(((right * got).sum(axis=1) / lengths).min()))
await runtime.close()
json.dumps([problems, (1 - min(cosines)) / (1 - found.tolerance.cosine)])
"""


@pytest.mark.parametrize("model", ["efficientnet-lite0", "minilm-l6"])
def test_the_shipped_models_give_their_golden_outputs_in_the_browser(model, browser, tmp_path):
    made = artefact.make(ROOT / "models" / model / "recipe.toml")
    (variant,) = made.release.variants("browser")
    folder = tmp_path / "page"
    bare_page.make(folder)
    (folder / "golden.zip").write_bytes(made.blobs[variant.golden.sha256])
    (folder / "model.onnx").write_bytes(made.blobs[variant.blob.sha256])
    with serving(folder, plain=True) as url:
        page = browser.new_page()
        page.goto(url)
        problems, used = bare_page.run(page, RUN)
        page.close()
    assert problems == [None] * len(problems)
    assert used < 0.1  # of the tolerance: other processors and later engines want the rest
