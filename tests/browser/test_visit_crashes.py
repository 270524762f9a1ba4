"""Something below breaks down: the next photo works all the same, in the same tab."""

from __future__ import annotations

import base64
import importlib.util
from pathlib import Path

import pytest
import visit
from page_photos import CAT, CATS, READY, choose, copy_of, state

from builder.server import serving

MODELS = Path(__file__).resolve().parents[1] / "engine" / "fixtures.py"

HUNGRY = """async (model) => {
  pyodide.globals.set("encoded", model);
  return await pyodide.runPythonAsync(`
import base64, numpy, satchel
async with satchel.EdgeRuntime(base64.b64decode(encoded), name="hungry") as hungry:
    try:
        await hungry.infer(numpy.array([1 << 20, 1 << 22]))
        said = "nothing"
    except satchel.OutOfMemoryError as error:
        said = str(error)
said`);
}"""
"""Run in the engine's worker: ask onnxruntime for 16 TiB."""


@pytest.fixture(scope="module")
def opened(dist, browser, until):
    with serving(dist) as url, visit.watched(browser, url) as context:
        page = context.new_page()
        page.goto(url)
        until(page, READY)
        visit.label(page, until)
        yield page


def hungry() -> str:
    """A model that needs as much memory as it is asked for, in base64."""
    spec = importlib.util.spec_from_file_location("engine_fixtures", MODELS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return base64.b64encode(module.hungry().SerializeToString()).decode()


def test_after_an_out_of_memory_error_the_same_engine_answers(opened, until):
    (engine,) = visit.workers(opened, "engine.worker")
    said = engine.evaluate(HUNGRY, hungry())
    assert said.startswith("The model needs more memory than there is.")
    assert visit.label(opened, until, name="after memory.jpg") in CATS


@pytest.mark.parametrize("time", ["first", "second"])
def test_when_the_inference_worker_is_gone_the_next_photo_does_not_notice(opened, until, time):
    visit.end_inference(opened)
    assert visit.label(opened, until, name=f"{time}.jpg") in CATS


def test_when_it_goes_in_the_middle_of_the_work_no_photo_waits_for_ever(opened, until):
    names = [f"busy {n}.jpg" for n in range(8)]
    choose(opened, *[copy_of(CAT, name) for name in names])
    until(opened, state(names[0], "done"))
    visit.end_inference(opened)
    until(opened, "() => document.querySelectorAll('[data-state=pending]').length === 0")
    # At most the one that was being looked at has failed, and can be tried again.
    again = opened.get_by_role("button", name="Try again:")
    assert again.count() <= 1
    if again.count():
        again.click()
    for name in names:
        assert visit.answer(opened, until, name) in CATS


def test_when_the_engine_itself_is_gone_the_page_says_so_and_starts_it_again(opened, until):
    visit.end_worker(opened, "engine.worker")
    choose(opened, copy_of(CAT, "patient.jpg"))
    until(opened, visit.FAILED)
    assert "stopped" in opened.inner_text("#setup-title")
    opened.get_by_role("button", name="Try again").click()
    assert visit.answer(opened, until, "patient.jpg") in CATS
