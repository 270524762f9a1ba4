"""The bootstrap: standard library only, one sentence for what is missing."""

import ast
import importlib.util
import subprocess
import sys

import pytest

from builder import bootstrap
from builder.paths import ROOT

BARE = ("build.py", "builder/__init__.py", "builder/bootstrap.py", "builder/paths.py")


@pytest.mark.parametrize("name", BARE)
def test_it_imports_nothing_that_a_bare_python_lacks(name):
    for node in ast.walk(ast.parse((ROOT / name).read_text("utf-8"))):
        modules = [node.module] if isinstance(node, ast.ImportFrom) else []
        modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for module in modules:
            top = module.split(".")[0]
            assert top in sys.stdlib_module_names or module in (
                "builder.bootstrap",
                "builder.paths",
            )


def test_an_old_python_is_told_in_one_sentence():
    code = "import sys; sys.version_info = (3, 9, 1); exec(open('build.py').read())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip().startswith(
        "Satchel needs Python 3.11 or newer, and this is Python 3.9."
    )


def test_a_python_without_ensurepip_is_told_in_one_sentence(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(bootstrap, "_up_to_date", lambda _: False)
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "ensurepip" else find(name)
    )
    with pytest.raises(bootstrap.BootstrapError, match="apt-get install python3-venv"):
        bootstrap.environment()


def test_one_package_s_lines_are_taken_out_of_the_lock():
    block = "uv==2 \\\n    --hash=sha256:2 \\\n    --hash=sha256:3\n"
    lock = f"a==1 \\\n    --hash=sha256:1\n{block}z==4\n"
    assert bootstrap._block(lock, "uv") == block
    with pytest.raises(bootstrap.BootstrapError, match="pins no xy"):
        bootstrap._block(lock, "xy")
