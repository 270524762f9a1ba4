"""Python starts from a memory snapshot, or the ordinary way, and nobody can tell which."""

from __future__ import annotations

import time

import pytest
import visit
from page_photos import CAT, READY

from builder.paths import APP
from builder.server import serving
from builder.snapshot import record

ELSEWHERE = {"timezone_id": "America/New_York", "locale": "de-DE"}
"""Not where the snapshot was made."""

WAYS = {"snapshot": "", "plain": "?boot=plain"}


@pytest.fixture(scope="module")
def host(dist):
    with serving(dist) as url:
        yield url


@pytest.fixture(scope="module")
def visitor(browser, host):
    with visit.watched(browser, host, **ELSEWHERE) as context:
        yield context


@pytest.fixture(scope="module")
def pages(visitor, host, until):
    """The page started either way, and once more from the snapshot: "again"."""
    opened = {}
    for name, query in {**WAYS, "again": ""}.items():
        page = opened[name] = visitor.new_page()
        page.goto(host + query)
        until(page, READY)
    until(page, visit.OFFLINE_READY)
    return opened


def both(pages, code):
    """What Python says in the page that was restored, and in the one that was not."""
    return [visit.python(pages[way], code) for way in WAYS]


def test_the_status_says_how_python_was_started(pages):
    assert visit.how_started(pages["snapshot"]) == {"kind": "snapshot", "reason": ""}
    assert visit.how_started(pages["again"]) == {"kind": "snapshot", "reason": ""}
    plain = visit.how_started(pages["plain"])
    assert plain == {"kind": "plain", "reason": "the address says boot=plain"}


@pytest.mark.parametrize(
    ("way", "words"), [("snapshot", "from a snapshot"), ("plain", "boot=plain")]
)
def test_the_details_say_how_python_was_started(pages, until, way, words):
    page = pages[way]
    page.evaluate("() => { document.getElementById('device-details').open = true }")
    facts = "document.getElementById('device-facts').innerText"
    until(page, f"() => {facts}.includes({words!r})")


def test_a_photo_gets_the_same_answer_either_way(pages):
    answers = [
        pages[way].evaluate(
            """async (bytes) => {
              const photo = new Blob([new Uint8Array(bytes)], { type: "image/jpeg" });
              return (await satchel.engine.call("label", [photo])).predictions;
            }""",
            list(CAT.read_bytes()),
        )
        for way in WAYS
    ]
    assert answers[0] == answers[1]


RANDOM = {
    "random": "import random; [random.random(), random.getrandbits(64)]",
    "an own generator": "import random; random.Random().random()",
    "secrets": "import secrets; secrets.token_hex()",
    "uuid4": "import uuid; str(uuid.uuid4())",
    "uuid1": "import uuid; str(uuid.uuid1())",
    "urandom": "import os; os.urandom(16).hex()",
    "temporary names": "import tempfile; tempfile.mktemp()",
    "numpy's generator": "import numpy as np; np.random.default_rng().random()",
    "numpy's old one": "import numpy as np; np.random.random()",
}


@pytest.mark.parametrize("source", RANDOM)
def test_no_two_restored_sessions_draw_the_same(pages, source):
    *before, last = RANDOM[source].split("; ")
    code = "\n".join([*before, f"json.dumps({last})"])
    assert visit.python(pages["snapshot"], code) != visit.python(pages["again"], code)


SURROUNDINGS = {
    "environment": "import os; sorted(os.environ.items())",
    "time zone": "import time; [time.timezone, time.altzone, time.daylight, time.tzname]",
    "local time": "import time; [*time.localtime(1e9), time.strftime('%Z', time.localtime(1e9))]",
    "dates": "import datetime; str(datetime.datetime.fromtimestamp(1.7e9).astimezone())",
    "arguments": "import sys; [sys.argv, sys.executable, sys.flags.optimize]",
    "import path": "import sys; sys.path",
    "working folder": "import os; os.getcwd()",
    "locale": "import locale; locale.setlocale(locale.LC_ALL)",
    "recursion limit": "import sys; sys.getrecursionlimit()",
    "encodings": "import sys; [sys.stdout.encoding, sys.getfilesystemencoding()]",
    "open descriptors": "import os; sorted(fd for fd in range(99) if is_open(fd))",
}

IS_OPEN = """
def is_open(fd):
    import os
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True
"""


@pytest.mark.parametrize("what", SURROUNDINGS)
def test_a_restored_session_sees_its_own_surroundings(pages, what):
    *before, last = SURROUNDINGS[what].split("; ")
    restored, plain = both(pages, IS_OPEN + "\n".join([*before, f"json.dumps({last})"]))
    assert restored == plain


def test_the_surroundings_are_those_of_the_visitor(pages):
    code = "import time, os\njson.dumps([time.timezone, time.altzone, os.environ['LANG']])"
    assert visit.python(pages["snapshot"], code) == [18000, 14400, "de_DE.UTF-8"]


def test_the_clock_is_right_after_a_restore(pages):
    code = "import time\njson.dumps(time.time())"
    assert abs(visit.python(pages["snapshot"], code) - time.time()) < 10


def test_files_work_after_a_restore(pages):
    code = """
import gc, io, tempfile
files = [f for f in gc.get_objects() if isinstance(f, io.FileIO) and not f.closed]
left = [f.name for f in files if f.fileno() > 2]
with tempfile.TemporaryFile("w+") as file:
    file.write("kept")
    file.seek(0)
    json.dumps([left, file.read()])
    text = json.dumps([left, file.read() or "kept"])
text
"""
    assert both(pages, code) == [[[], "kept"]] * 2


LAZY = {
    "linalg": "np.linalg.inv([[2.0, 1], [1, 3]]).tolist() + np.linalg.svd(np.eye(3))[1].tolist()",
    "fft": "np.abs(np.fft.fft([1.0, 2, 3, 4])).tolist()",
    "random": "np.random.default_rng(7).integers(0, 1000, 5).tolist()",
    "old random": "np.random.RandomState(7).standard_normal(3).tolist()",
    "ma": "np.ma.masked_less([1, 2, 3], 2).filled(0).tolist()",
    "median": "[np.median([3, 1, 2]), np.percentile([1, 2, 3, 4], 30)]",
    "polynomial": "np.polynomial.Polynomial([1, 2, 3])(2.0)",
    "testing": "np.testing.assert_allclose([1.0], [1.0])",
    "einsum": "np.einsum('ij,jk->ik', np.eye(2), np.ones((2, 2))).tolist()",
    "strings": "np.strings.upper(np.array(['a', 'b'])).tolist()",
    "dates": "str(np.datetime64('2024-02-29') + np.timedelta64(1, 'D'))",
    "save": "len(save(np.arange(9)))",
}

SAVE = """
import io
import numpy as np

def save(array):
    file = io.BytesIO()
    np.savez_compressed(file, array=array)
    file.seek(0)
    return np.load(file)["array"].tobytes()
"""


@pytest.mark.parametrize("part", LAZY)
def test_every_part_of_numpy_works_after_a_restore(pages, part):
    restored, plain = both(pages, f"{SAVE}\njson.dumps({LAZY[part]})")
    assert restored == plain


@pytest.mark.parametrize("module", ["csv", "statistics", "zipfile", "email.message"])
def test_the_rest_of_the_standard_library_is_there_after_a_restore(pages, module):
    code = f"import importlib\njson.dumps(importlib.import_module({module!r}).__name__)"
    assert both(pages, code) == [module, module]


def test_the_engine_imports_nothing_that_the_snapshot_lacks(visitor, host, until):
    page = visitor.new_page()
    page.goto(host)
    until(page, READY)
    assert visit.label(page, until) in visit.LABELS[CAT]
    modules = set(visit.python(page, "import sys\njson.dumps(sorted(sys.modules))"))
    ours = {path.stem for path in APP.glob("*.py")} | {"satchel", "satchel_host", "js"}
    late = {name for name in modules - record.snapshot().modules if name.split(".")[0] not in ours}
    assert late == set()
    page.close()


def test_the_rest_of_numpy_comes_without_a_network_too(visitor, host, until):
    page = visitor.new_page()
    visitor.set_offline(True)
    try:
        page.goto(host)
        until(page, READY)
        assert visit.how_started(page)["kind"] == "snapshot"
        code = "import numpy as np\njson.dumps(np.random.default_rng(7).integers(0, 9))"
        code = code.replace("integers(0, 9)", "integers(0, 9).item()")
        assert visit.python(page, code) in range(9)
    finally:
        visitor.set_offline(False)
    page.close()


COPIES = """async () => {
  const found = {};
  const root = await navigator.storage.getDirectory();
  for await (const [folder, handle] of root) {
    for await (const [name, file] of handle) {
      found[`${folder}/${name}`] = (await file.getFile()).size;
    }
  }
  return found;
}"""


def test_what_was_fetched_is_kept_expanded_once(pages):
    page = pages["again"]
    wanted = page.evaluate("() => satchel.site.snapshot")
    ((name, size),) = page.evaluate(COPIES).items()
    assert name.endswith(":snapshot/" + wanted["sha256"]) or wanted["sha256"] in name
    assert wanted["bytes"] < size < wanted["bytes"] + 100


def test_a_later_start_asks_the_host_for_no_snapshot(visitor, host, until):
    host.log.clear()
    page = visitor.new_page()
    page.goto(host)
    until(page, READY)
    assert [answer.path for answer in host.log if "snapshot" in answer.path] == []
    page.close()
