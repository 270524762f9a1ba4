"""Programs in other environments get along with what is there; their words come through."""

import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from satchel_models.convert import Original, convert, exchange, foreign
from satchel_models.convert.exchange import Task
from satchel_models.convert.kinds import Kind
from satchel_models.convert.numerics import Case
from satchel_models.errors import ConversionError, UntrustedError
from satchel_models.tools import Installed

MODELS = Path(__file__).resolve().parents[3] / "models"

# What the environments of PyTorch and TensorFlow don't have, or need not.
ABSENT = (
    "brotli", "cattrs", "onnxoptimizer", "onnxruntime", "onnxslim", "playwright", "rich",
    "satchel", "tokenizers", "builder",
)  # fmt: skip


def test_what_those_programs_share_needs_nothing_but_numpy():
    code = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({ABSENT}, None))\n"
        "import satchel_models.convert.exchange, satchel_models.convert.samples\n"
        "import satchel_models.convert.pickles, satchel_models.convert.numerics\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(MODELS)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def task(tmp_path):
    original = Original(
        tmp_path / "model.pt",
        factory="a:b",
        arguments=("c",),
        places=(tmp_path,),
        inputs={"x": ((1, 4), "float32")},
        outputs=("y",),
        dynamic={"x": (1,)},
    )
    return Task(original, Kind.TORCH_OBJECT, tmp_path)


def test_a_task_comes_out_as_it_went_in(task):
    exchange.write_task(task)
    assert exchange.read_task(task.folder) == task


@pytest.fixture
def python(tmp_path):
    """A stand-in for another environment's Python: runs `code` with the task's folder."""

    def make(code):
        script = tmp_path / "python"
        script.write_text(f"#!{sys.executable}\nimport sys, json\nfolder = sys.argv[-1]\n{code}\n")
        script.chmod(0o755)
        return script

    return make


def test_the_answers_of_the_other_program_come_through(task, tmp_path):
    case = Case({"x": np.ones((1, 4), np.float32)}, [np.zeros(3), np.arange(2)], 2)
    exchange._write_cases(tmp_path, [case])
    (tmp_path / exchange.RESULT).write_text(json.dumps({"origin": "o", "notes": ["n"]}))
    done = exchange.read_result(tmp_path)
    assert (done.origin, done.notes, done.cases[0].batch) == ("o", ("n",), 2)
    np.testing.assert_array_equal(done.cases[0].feeds["x"], case.feeds["x"])
    np.testing.assert_array_equal(done.cases[0].answers[1], case.answers[1])


def test_an_error_of_the_other_program_is_raised_here_as_it_was(task, python):
    words = {"error": "UntrustedError", "message": "no, thanks"}
    code = f"open(folder + '/result.json', 'w').write(json.dumps({words}))"
    with pytest.raises(UntrustedError, match="no, thanks"):
        foreign.draft(python(code), "from_torch", task, lambda text, share: None)


def test_a_program_that_ends_without_a_word_is_told_with_its_last_ones(task, python):
    code = "print('lots of chatter'); sys.exit('no room left')"
    with pytest.raises(ConversionError, match=r"model\.pt wasn't converted.*no room left"):
        foreign.draft(python(code), "from_torch", task, lambda text, share: None)


def test_a_program_that_the_system_ends_says_that_memory_ran_out(task, python):
    code = "import os; os.kill(os.getpid(), 9)"
    with pytest.raises(ConversionError, match="out of memory"):
        foreign.draft(python(code), "from_torch", task, lambda text, share: None)


def test_what_it_is_doing_is_told_and_an_ended_step_ends_the_program(task, python):
    code = (
        "import os, signal\n"
        "print('chatter')\n"
        "print('doing: counting', flush=True)\n"
        "open(folder + '/pid', 'w').write(str(os.getpid()))\n"
        "signal.pause()"
    )

    class EndedError(Exception):
        pass

    said = []

    def progress(text, share):
        said.append(text)
        pid = task.folder / "pid"
        if text == "counting" and pid.exists() and pid.read_text():
            raise EndedError

    with pytest.raises(EndedError):
        foreign.draft(python(code), "from_torch", task, progress)
    pid = (task.folder / "pid").read_text()
    assert not Path(f"/proc/{pid}").exists()
    assert "chatter" not in said


def test_a_library_that_is_missing_here_is_named_with_how_to_get_it(tmp_path):
    path = tmp_path / "old.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(ConversionError, match="pip install tensorflow tf2onnx"):
        convert(Original(path), tmp_path / "out", Installed(), lambda text, share: None)
    assert list((tmp_path / "out").iterdir()) == []


def refused(path, **options):
    """Convert without any environment: what can be told from the file needs none."""

    class Tools:
        def python(self, environment):
            raise AssertionError("nothing is to be started")

    out = path.parent / "out"
    with pytest.raises(ConversionError) as raised:
        convert(Original(path, **options), out, Tools(), lambda text, share: None)
    assert list(out.iterdir()) == []
    return raised.value


def saved(path, **entries):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(f"archive/{name}", data)
    return path


MODULE = b"\x80\x02cnetworks\nDigits\n)R."
TENSORS = b"\x80\x02ccollections\nOrderedDict\n)R."


def test_a_pickled_module_is_refused_before_anything_is_started(tmp_path):
    error = refused(saved(tmp_path / "whole.pt", **{"data.pkl": MODULE}))
    assert isinstance(error, UntrustedError)
    for words in ("whole.pt", "names networks.Digits", "can do anything", "--trust", "--factory"):
        assert words in str(error)


def test_a_program_with_pickled_objects_inside_is_refused_like_a_pickle(tmp_path):
    entries = {"archive_format": b"pt2", "data/constants/custom_obj_0": pickle.dumps(print)}
    error = refused(saved(tmp_path / "bad.pt2", **entries))
    assert isinstance(error, UntrustedError)
    assert "builtins.print" in str(error)


def test_weights_alone_ask_for_the_network_that_they_belong_to(tmp_path):
    error = refused(saved(tmp_path / "weights.pth", **{"data.pkl": TENSORS}))
    assert "--factory module:callable" in str(error)


def test_an_opset_that_is_too_old_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    assert "Opset 12 is too old" in str(refused(tmp_path / "any.onnx", opset=12))
