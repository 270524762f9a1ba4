"""What releases are validated with holds in the browser's engines, with room to spare."""

from __future__ import annotations

import shutil
from dataclasses import replace

import bare_page
import pytest

from builder import litert
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
from satchel.platform import SessionOptions
satchel.configure(
    ort_url=base + "ort/ort.wasm.bundle.min.mjs", litert_url=base + "litert/litert.mjs"
)

async def fetched(name):
    return await (await pyfetch(base + name)).bytes()

async def judged(variant):
    found = golden.decode(await fetched(variant.golden.sha256))
    options = SessionOptions(variant.session.graph_optimization_level, variant.session.config)
    model = await fetched(variant.blob.sha256)
    problems, cosines = [], []
    async with satchel.EdgeRuntime(model, engine=variant.engine, options=options) as runtime:
        for number, case in enumerate(found.cases):
            outputs = await runtime.run(dict(case.inputs))
            problems.append(found.problem(number, outputs))
            for name, expected in case.outputs.items():
                right, got = (x.astype(np.float64) for x in (expected, outputs[name]))
                lengths = np.linalg.norm(right, axis=1) * np.linalg.norm(got, axis=1)
                cosines.append(float(((right * got).sum(axis=1) / lengths).min()))
    return problems, (1 - min(cosines)) / (1 - found.tolerance.cosine)

manifest = satchel.Manifest.parse(await fetched("manifest.json"))
json.dumps({one.name: await judged(one) for one in manifest.release().variants("browser")})
"""


@pytest.mark.parametrize("model", ["efficientnet-lite0", "minilm-l6"])
def test_the_shipped_models_give_their_golden_outputs_in_the_browser(
    model, browser, tmp_path, record_property
):
    recipe = ROOT / "models" / model / "recipe.toml"
    made = artefact.make(recipe)
    folder = tmp_path / "page"
    bare_page.make(folder)
    shutil.copytree(litert.folder(), folder / "litert", dirs_exist_ok=True)
    whole = replace(artefact.manifest(recipe), releases=(made.release,))
    (folder / "manifest.json").write_bytes(whole.encode())
    for digest, content in made.blobs.items():
        (folder / digest).write_bytes(content)
    with serving(folder, plain=True) as url:
        page = browser.new_page()
        page.goto(url)
        found = bare_page.run(page, RUN)
        page.close()
    for name, (problems, used) in found.items():
        assert problems == [None] * len(problems), name
        assert used < 0.1, name  # of the tolerance: other processors, later engines want the rest
        record_property("figure", f"{model}, {name}: {used:.1e} of the golden tolerance")
