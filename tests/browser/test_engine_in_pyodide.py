"""The wheel in someone else's Pyodide page, and the engine's tests once more in there."""

from __future__ import annotations

import shutil
import subprocess
import sys

import bare_page
import pytest

from builder import litert
from builder.paths import APP
from builder.server import serving

BROWSER = APP / "satchel/platform/browser"

INSTALL = """
import json, micropip
from js import location, URL
base = URL.new("./", location.href).href
await micropip.install(base + "wheels/satchel-0.1.0-py3-none-any.whl")
"""

UPDATES = (
    INSTALL
    + f"""
# Given first, so that resolving the extra asks no index for them.
await micropip.install([base + "wheels/" + name for name in {bare_page.wheels()}])
await micropip.install(f"satchel[updates] @ {{base}}wheels/satchel-0.1.0-py3-none-any.whl")
"""
)

BOTH = (
    INSTALL
    + """
import satchel
from pyodide.http import pyfetch
from satchel import platform
satchel.configure(
    ort_url=base + "ort/ort.wasm.bundle.min.mjs", litert_url=base + "litert/litert.mjs"
)
engines = platform.current().engines
"""
)

RUN_TESTS = (
    UPDATES
    + """
import os, shutil, sys
from pyodide.http import pyfetch
import satchel
satchel.configure(
    ort_url=base + "ort/ort.wasm.bundle.min.mjs", litert_url=base + "litert/litert.mjs"
)
await (await pyfetch(base + "tests.zip")).unpack_archive(extract_dir="/work")
await (await pyfetch(base + "files.zip")).unpack_archive(extract_dir="/work/files")
sys.path[:0] = ["/work/site-packages", "/work/tests/engine"]
os.environ["SATCHEL_TEST_FILES"] = "/work/files"
os.environ["SATCHEL_TEST_URL"] = base + "files/"
import pytest

class Outcomes:
    def __init__(self):
        self.of = {}
    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.outcome != "passed":
            self.of[report.nodeid.rpartition("/")[2]] = [report.outcome, report.longreprtext]
    def pytest_collectreport(self, report):
        if report.outcome != "passed":
            self.of[report.nodeid] = [report.outcome, report.longreprtext]

outcomes = Outcomes()
pytest.main(["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "-W", "error",
             "--rootdir=/work", *["/work/tests/engine/" + name for name in chosen or [""]]],
            plugins=[outcomes])
json.dumps(outcomes.of)
"""
)


@pytest.fixture(scope="module")
def bare_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bare") / "page"
    bare_page.make(folder)
    fixtures = bare_page.ENGINE_TESTS / "fixtures.py"
    subprocess.run([sys.executable, fixtures, folder / "files"], check=True)
    for name in ("host.mjs", "features.mjs"):
        shutil.copy(BROWSER / name, folder)
    shutil.make_archive(str(folder / "files"), "zip", folder / "files")
    return folder


@pytest.fixture(scope="module")
def bare(bare_folder):
    """URL of the bare page."""
    # A plain host: nothing is isolated there, and there is no CSP.
    with serving(bare_folder, plain=True) as url:
        yield url


def without_policy(served):
    """A host that isolates its pages and has no policy."""
    return changed(served, lambda name: name != b"content-security-policy")


def for_everybody(served):
    """A host whose files any page may use."""
    return changed(served, lambda _: True, (b"access-control-allow-origin", b"*"))


def changed(served, keeps, *more):
    """The same application, with other headers."""

    async def app(scope, receive, send):
        async def answer(message):
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message["headers"] if keeps(name.lower())]
                message = {**message, "headers": [*kept, *more]}
            await send(message)

        await served(scope, receive, answer)

    return app


@pytest.fixture(scope="module")
def shared(bare, browser):
    """A bare page for tests that leave it as it was, with both engines named."""
    page = browser.new_page()
    page.goto(bare)
    bare_page.run(page, BOTH + "json.dumps(None)")
    yield page
    page.close()


@pytest.fixture
def strict(bare_folder):
    """URL of the bare page, on a host whose policy has no place for workers of a page's making."""
    with serving(bare_folder) as url:
        yield url


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("runtime", "library", "label", "locks"), id="some"),
        pytest.param((), id="all", marks=pytest.mark.heavy),
    ],
)
def test_the_engine_s_tests_pass_in_pyodide_in_chromium(bare, browser, names):
    chosen = [f"test_{name}.py" for name in names]
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q",
         *[bare_page.ENGINE_TESTS / name for name in chosen or ["."]]],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    wanted = {line.rpartition("/")[2] for line in collected.stdout.splitlines() if "::" in line}
    page = browser.new_page()
    page.goto(bare)
    outcomes = bare_page.run(page, f"chosen = {chosen}\n{RUN_TESTS}")
    page.close()
    failed = {name: text for name, (outcome, text) in outcomes.items() if outcome != "passed"}
    assert not failed, "\n\n".join(f"{name}\n{text}" for name, text in failed.items())
    assert set(outcomes) == wanted


def test_micropip_installs_the_wheel_and_the_error_shows_the_line_to_add(bare, browser):
    page = browser.new_page()
    page.goto(bare)
    code = (
        INSTALL
        + """
import satchel
from pyodide.http import pyfetch
data = await (await pyfetch(base + "files/fixed.onnx")).buffer()
try:
    await satchel.EdgeRuntime(data).load()
    said = ""
except satchel.EngineUnavailableError as error:
    said = str(error)
satchel.configure(ort_url=base + "ort/ort.wasm.bundle.min.mjs")
async with satchel.EdgeRuntime(data) as runtime:
    y = await runtime.infer([[-1.0, 2, -3], [4, 5, 6]])
json.dumps([said, y.tolist(), data.byteLength > 0])
"""
    )
    said, y, usable = bare_page.run(page, code)
    page.close()
    assert "satchel.configure(ort_url=" in said
    assert y == [[0, 2, 0], [4, 5, 6]]
    assert usable


@pytest.mark.heavy
def test_a_page_whose_policy_refuses_the_worker_learns_what_to_allow(strict, browser):
    page = browser.new_page()
    page.goto(strict)
    code = """
import json, js, pyodide_js
from pyodide.http import pyfetch
base = js.URL.new("./", js.location.href).href
await (await pyfetch("wheels/satchel-0.1.0-py3-none-any.whl")).unpack_archive(format="wheel")
pyodide_js.registerJsModule("satchel_host", await js.load(base + "host.mjs"))
import satchel
satchel.configure(ort_url="ort/ort.wasm.bundle.min.mjs")
data = await (await pyfetch("files/fixed.onnx")).buffer()
try:
    await satchel.EdgeRuntime(data).load()
    said = ""
except satchel.EngineUnavailableError as error:
    said = str(error)
json.dumps(said)
"""
    assert "worker-src blob:" in bare_page.run(page, code)
    page.close()


@pytest.mark.heavy
def test_the_page_s_own_onnxruntime_is_used_where_there_is_one(bare, browser):
    page = browser.new_page()
    page.goto(bare)
    code = (
        INSTALL
        + """
import js, satchel
from pyodide.code import run_js
from pyodide.http import pyfetch
js.globalThis.ort = await run_js("(url) => import(url)")(base + "ort/ort.wasm.bundle.min.mjs")
data = (await (await pyfetch(base + "files/fixed.onnx")).bytes())
async with satchel.EdgeRuntime(data) as runtime:
    y = await runtime.infer([[-1.0, 2, -3], [4, 5, 6]])
json.dumps(y.tolist())
"""
    )
    assert bare_page.run(page, code) == [[0, 2, 0], [4, 5, 6]]
    page.close()


@pytest.mark.heavy
def test_model_bytes_never_lie_whole_in_python_s_heap(bare, browser):
    page = browser.new_page()
    page.goto(bare)
    code = (
        INSTALL
        + """
import js, pyodide_js, satchel
from pyodide.code import run_js
from pyodide.http import pyfetch
from satchel import platform as platforms
from satchel.installer import Installer
from satchel.library import Library
from satchel.manifest import Manifest, Reference, Release, Variant
from satchel.versions import Version
import hashlib

satchel.configure(ort_url=base + "ort/ort.wasm.bundle.min.mjs")
heap = lambda: pyodide_js._module.HEAP8.length
size = 96 << 20
# A real model with 96 MiB behind it that onnxruntime skips: an unknown field of that length.
pad = await run_js("(url) => fetch(url).then(r => r.arrayBuffer())")(base + "files/fixed.onnx")
length, head = size, bytearray(b"\\xa2\\x3e")  # field 996, bytes
while length >= 128:
    head.append(length & 127 | 128)
    length >>= 7
head.append(length)
from pyodide.ffi import to_js
blob = js.Blob.new(to_js([pad, to_js(bytes(head)), js.Uint8Array.new(size)]))
before = heap()
async with satchel.EdgeRuntime(blob) as runtime:
    y = await runtime.infer([[-1.0, 2, -3], [4, 5, 6]])
    await runtime.cache_model("big")
async with await satchel.EdgeRuntime.load_cached_model("big") as runtime:
    again = await runtime.infer([[-1.0, 2, -3], [4, 5, 6]])

digest = hashlib.sha256()
for start in range(0, blob.size, 1 << 20):
    digest.update((await blob.slice(start, start + (1 << 20)).arrayBuffer()).to_py())
variant = Variant("big", "onnxruntime", Reference(digest.hexdigest(), blob.size))
release = Release(Version.parse("1.0.0"), "", "CC0-1.0", {"browser": (variant,)})
url = js.URL.createObjectURL(blob)
await Library().delete("big")
manifest = Manifest("fetched", "", "Fetched", (release,))
await Installer(Library(), platforms.current(), lambda _: url).install(manifest)
json.dumps([y.tolist(), again.tolist(), heap() - before])
"""
    )
    y, again, grown = bare_page.run(page, code)
    page.close()
    assert y == again == [[0, 2, 0], [4, 5, 6]]
    assert grown < 16 << 20


def test_a_thousand_inferences_leave_no_javascript_object_behind(shared):
    code = """
import gc, pyodide_js
async def growth(name):
    data = await (await pyfetch(base + "files/" + name)).bytes()
    async with satchel.EdgeRuntime(data) as runtime:
        async def runs(count):
            for _ in range(count):
                await runtime.run({"a": [[1, 2, 3]] * 2, "b": [[1, 2, 3]] * 2})
            gc.collect()
            return pyodide_js._module._hiwire_num_refs()
        return [await runs(20), await runs(1000)]
json.dumps([await growth("several.onnx"), await growth("several.tflite")])
"""
    for first, later in bare_page.run(shared, code):
        assert first == later


@pytest.mark.heavy
def test_a_model_may_come_as_any_kind_of_javascript_bytes(bare, browser):
    page = browser.new_page()
    page.goto(bare)
    code = (
        INSTALL
        + """
import js, satchel
from pyodide.code import run_js
from pyodide.http import pyfetch
satchel.configure(ort_url=base + "ort/ort.wasm.bundle.min.mjs")
buffer = await (await pyfetch(base + "files/fixed.onnx")).buffer()
kinds = run_js('''(buffer) => {
  const padded = new Uint8Array(buffer.byteLength + 7);
  padded.set(new Uint8Array(buffer), 3);
  const kinds = {
    buffer,
    view: padded.subarray(3, 3 + buffer.byteLength),
    words: new DataView(padded.buffer, 3, buffer.byteLength),
    blob: new Blob([buffer]),
  };
  if (globalThis.SharedArrayBuffer) {
    kinds.shared = new SharedArrayBuffer(buffer.byteLength);
    new Uint8Array(kinds.shared).set(new Uint8Array(buffer));
  }
  return kinds;
}''')(buffer)
sums = {}
for name in js.Object.keys(kinds):
    async with satchel.EdgeRuntime(getattr(kinds, name)) as runtime:
        sums[name] = float((await runtime.infer([[1, 2, 3], [4, 5, 6]])).sum())
try:
    satchel.EdgeRuntime(js.Object.new())
except satchel.InputError as error:
    sums["refused"] = "as bytes" in str(error)
json.dumps(sums)
"""
    )
    sums = bare_page.run(page, code)
    page.close()
    assert sums.pop("refused")
    assert {"buffer", "view", "words", "blob"} <= set(sums)
    assert set(sums.values()) == {21}


def test_no_session_is_left_behind_by_models_that_were_closed_or_refused(shared):
    code = """
async def counts(engine, *names):
    sessions = [(await engine.describe())["sessions"]]
    for name in names:
        data = await (await pyfetch(base + "files/" + name)).bytes()
        runtime = satchel.EdgeRuntime(data)
        try:
            await runtime.load()
            sessions.append((await engine.describe())["sessions"])
        except satchel.ModelError:
            pass
        await runtime.close()
        sessions.append((await engine.describe())["sessions"])
    return sessions
names = "sequence.onnx", "unknown_operator.onnx", "fixed.onnx"
onnx = await counts(engines["onnxruntime"], *names)
names = "identity-int8.tflite", "unknown_operator.tflite", "hollow.tflite", "fixed.tflite"
json.dumps([onnx, await counts(engines["litert"], *names)])
"""
    assert bare_page.run(shared, code) == [[0, 0, 0, 1, 0], [0, 0, 0, 0, 1, 0]]


LITERT = """
async def tried():
    data = await (await pyfetch(base + "files/fixed.tflite")).bytes()
    async with satchel.EdgeRuntime(data) as runtime:
        y = await runtime.infer([[-1.0, 2, -3], [4, 5, 6]])
    told = await engines["litert"].describe()
    return [y.tolist(), told["build"], told["threads"]]
json.dumps([sorted(platform.current().features), await tried()])
"""

ANSWER = [[0, 2, 0], [4, 5, 6]]


def test_litert_runs_on_one_thread_where_the_page_is_not_isolated(shared):
    features, tried = bare_page.run(shared, LITERT)
    assert features == ["relaxed-simd", "shared-memory"]
    assert tried == [ANSWER, "threaded", 1]


@pytest.mark.heavy
def test_litert_runs_where_the_browser_has_no_relaxed_simd(bare, browser):
    # Chromium can't be told to do without: the question is put for an opcode that nobody has.
    without = """
from importlib.resources import files
script = files("satchel.platform.browser").joinpath("features.mjs")
asked = script.read_text()
assert asked.count("253, 128, 2") == 1
script.write_text(asked.replace("253, 128, 2", "253, 255, 3"))
"""
    page = browser.new_page()
    page.goto(bare)
    features, tried = bare_page.run(page, BOTH + without + LITERT)
    assert features == ["shared-memory"]
    assert tried == [ANSWER, "compat", 1]
    page.close()


def test_on_an_isolated_page_litert_runs_on_threads_also_from_another_origin(bare_folder, browser):
    code = (
        INSTALL
        + """
import satchel
from pyodide.http import pyfetch
from satchel import platform
engines = platform.current().engines
data = await (await pyfetch(base + "files/fixed.tflite")).bytes()
said = []
async def attempt():
    try:
        await satchel.EdgeRuntime(data).load()
    except satchel.EngineUnavailableError as error:
        said.append(str(error))
await attempt()
satchel.configure(litert_url=base + "nowhere/litert.mjs")
await attempt()
satchel.configure(litert_url=base + "litert/litert.mjs")
"""
    )
    elsewhere = """
await engines["litert"].close()
satchel.configure(litert_url=OTHER + "litert.mjs", litert_wasm_url=OTHER)
json.dumps([said, await tried()])
"""
    with (
        serving(bare_folder, wrap=without_policy) as url,
        serving(litert.folder(), plain=True, wrap=for_everybody) as other,
    ):
        page = browser.new_page()
        page.goto(url)
        features, here = bare_page.run(page, code + LITERT)
        (unknown, missing), there = bare_page.run(page, f"OTHER = {str(other)!r}\n{elsewhere}")
        cores = page.evaluate("navigator.hardwareConcurrency")
        page.close()
    assert "satchel.configure(litert_url=" in unknown
    assert "LiteRT could not be started" in missing
    assert features == ["relaxed-simd", "shared-memory", "threads"]
    assert here == there == [ANSWER, "threaded", min(4, cores)]


def test_models_can_be_closed_before_their_threads_have_begun(bare_folder, browser):
    code = """
import asyncio
import js
import satchel
from pyodide.http import pyfetch
satchel.configure(litert_url=base + "litert/litert.mjs")
data = await (await pyfetch(base + "files/fixed.tflite")).bytes()
async with asyncio.timeout(30), satchel.EdgeRuntime(data) as stays:
    for _ in range(5):
        async with satchel.EdgeRuntime(data) as goes:
            assert goes.threads == min(4, js.navigator.hardwareConcurrency)
    answer = await stays.infer([[-1.0, 2, -3], [4, 5, 6]])
json.dumps(answer.tolist())
"""
    with serving(bare_folder, wrap=without_policy) as url:
        page = browser.new_page()
        page.goto(url)
        assert bare_page.run(page, INSTALL + code) == ANSWER
        page.close()


@pytest.mark.heavy
def test_signatures_are_verified_where_the_browser_cannot_or_it_says_so(bare, browser):
    page = browser.new_page()
    page.goto(bare)
    code = (
        UPDATES
        + """
import js
from pyodide.code import run_js
from pyodide.http import pyfetch
# As on a page without HTTPS; browsers of before 2025 lack Ed25519 alone.
run_js('Object.defineProperty(crypto, "subtle", { value: undefined })')
import satchel
from satchel import platform
from satchel.trust import Trust

async def check(moment, scenario="spoilt"):
    root = await (await pyfetch(base + f"files/trust/{scenario}/root.json")).bytes()
    folder = f"{base}files/trust/{scenario}/{moment}/"
    trust = Trust(
        platform.current(), metadata_url=folder + "metadata/",
        manifests_url=folder + "manifests/", root=root, name=scenario,
    )
    try:
        return sorted(await trust.manifests(["tiny"]))
    except satchel.TrustError as error:
        return str(error)

seen = [await check(moment) for moment in ("1", "wrong-key-timestamp", "next")]
json.dumps([*seen, await check("1", "ecdsa")])
"""
    )
    first, forged, honest, other = bare_page.run(page, code)
    page.close()
    assert first == honest == ["tiny"]
    assert "timestamp metadata is not signed" in forged
    assert "https://" in other
