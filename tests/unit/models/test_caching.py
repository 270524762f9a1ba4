"""A step runs once for the same inputs, and leaves nothing of a run that was ended."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from satchel_models.caching import Cache


@dataclass(frozen=True)
class Made:
    file: Path
    inherited: Path
    words: tuple[str, ...]


class Step:
    """Counts how often it runs."""

    def __init__(self, root):
        self.cache = Cache(root / "cache")
        self.source = root / "source"
        self.source.write_text("one")
        self.code = root / "code"
        self.code.mkdir()
        (self.code / "step.py").write_text("x = 1")
        self.runs = 0

    def __call__(self, facts=("a",)):
        def make(work):
            self.runs += 1
            (work / "file").write_text(self.source.read_text())
            return Made(work / "file", self.source, ("a", "b"))

        return self.cache.step(
            "step", Made, make, code=[self.code], facts=facts, files=[self.source], tools=["numpy"]
        )


@pytest.fixture
def step(tmp_path):
    return Step(tmp_path)


def test_an_unchanged_step_is_not_run_again(step):
    first, second = step(), step()
    assert step.runs == 1
    assert first == second
    assert first.file.read_text() == "one"
    assert first.inherited == step.source
    assert step.cache.hits == ("step",)


def test_another_input_other_code_or_another_option_runs_it_again(step):
    first = step()
    step.source.write_text("two")
    assert step().file.read_text() == "two"
    (step.code / "step.py").write_text("x = 2")
    step()
    step(("b",))
    assert step.runs == 4
    assert first.file.read_text() == "one"


def test_bytecode_is_no_code(step):
    step()
    (step.code / "__pycache__").mkdir()
    (step.code / "__pycache__/step.pyc").write_bytes(b"1")
    step()
    assert step.runs == 1


def test_a_step_that_was_ended_leaves_nothing_and_runs_again(step, tmp_path):
    def ended(work):
        (work / "half").write_text("")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        step.cache.step("step", Made, ended, code=[], facts=[])
    folder = tmp_path / "cache/step"
    assert [path.name for path in folder.iterdir() if path.is_dir()] == []
    assert step().words == ("a", "b")


def test_what_nobody_asked_for_in_a_long_time_goes(step):
    import os

    kept, old = step(), step(("old",))
    os.utime(old.file.parent / "result.json", (0, 0))
    step.cache.tidy()
    assert kept.file.is_file()
    assert not old.file.parent.exists()


def test_results_move_along_with_their_cache(step, tmp_path):
    step()
    (tmp_path / "cache").rename(tmp_path / "moved")
    step.cache = Cache(tmp_path / "moved")
    assert step().file == next((tmp_path / "moved").glob("step/*/file"))
    assert step.runs == 1
