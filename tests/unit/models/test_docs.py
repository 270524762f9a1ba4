"""The examples in the docstrings run, and modules stay small."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[3] / "models" / "satchel_models"
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
)


# They run where PyTorch, TensorFlow or LiteRT's converters are.
ELSEWHERE = re.compile(
    r"satchel_models\.(convert|litert)\.(from_(torch|keras)|(torch|keras)_\w+|making)"
)


@pytest.mark.parametrize("name", [name for name in MODULES if not ELSEWHERE.fullmatch(name)])
def test_examples_run(name):
    module = importlib.import_module(name.removesuffix(".__init__"))
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_read_in_one_sitting(name):
    path = PACKAGE.parent / f"{name.replace('.', '/')}.py"
    assert len(path.read_text(encoding="utf-8").splitlines()) < 300
