"""The package as a whole: its surface, its errors, and which way its imports point."""

import ast
import doctest
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import satchel
from satchel import errors

PACKAGE = Path(satchel.__file__).parent
MODULES = [
    module.name
    for module in pkgutil.walk_packages([str(PACKAGE)], "satchel.")
    if not module.name.startswith("satchel.platform.browser")
]


def imports(path):
    """Names of all modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_every_public_name_exists_and_is_documented():
    assert len(set(satchel.__all__)) == len(satchel.__all__)
    for name in satchel.__all__:
        value = getattr(satchel, name)
        assert name == "__version__" or value.__doc__, f"{name} has no docstring"


def test_the_error_tree_is_the_one_in_the_picture():
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), satchel.SatchelError)
        assert name in errors.__doc__, f"{name} is not in the picture"
    error = satchel.NetworkError("It broke", why="the cable", todo="Mend it!")
    assert str(error) == "It broke. the cable. Mend it!"


@pytest.mark.parametrize("name", ["satchel", *MODULES])
def test_every_module_says_what_it_is_for_and_its_examples_run(name):
    module = importlib.import_module(name)
    assert module.__doc__
    assert doctest.testmod(module).failed == 0


def test_only_the_browser_platform_touches_javascript():
    for path in PACKAGE.rglob("*.py"):
        if "browser" in path.parts:
            continue
        touched = {name.partition(".")[0] for name in imports(path)} & {
            "js",
            "pyodide",
            "pyodide_js",
        }
        assert not touched, f"{path.relative_to(PACKAGE)} imports {touched}"


LAYERS = (
    {"errors", "device", "footprints"},
    {"tensors", "settings", "versions", "fields", "adaptive"},
    {"platform", "manifest", "chunks", "golden", "generated"},
    {"plan", "picker", "keeping", "variants", "engines"},
    {"attempts", "probation", "digests", "unfit"},
    {"transfer", "installed", "schema", "policy", "rollout"},
    {"history", "room", "changes", "offers", "trial"},
    {"runtime", "validation"},
    {"library"},
    {"delivery"},
    {"installer"},
    {"repair", "trust"},
    {"updates"},
    {"tasks", "effort"},
)


WHEN_NEEDED = {
    ("runtime", "library"),  # a model stores itself in the library, which opens models
    ("device", "platform"),  # a profile asks the platform, whose sensors fill it
}


def test_imports_point_one_way():
    rank = {name: number for number, layer in enumerate(LAYERS) for name in layer}
    for path in PACKAGE.rglob("*.py"):
        where = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if where == "__init__":
            continue
        for name in imports(path):
            package, _, rest = name.partition(".")
            target = rest.partition(".")[0]
            if package != "satchel" or not target or target == where:
                continue
            if (where, target) in WHEN_NEEDED:
                continue
            assert rank[target] < rank[where], f"{path.relative_to(PACKAGE)} imports {name}"


def test_the_engine_needs_nothing_but_numpy():
    allowed = {
        "satchel",
        "numpy",
        "onnxruntime",
        "ai_edge_litert",
        "PIL",
        "filelock",
        "psutil",
        "js",
        "pyodide",
        "satchel_host",
    }
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).parts[0] == "trust" or path.stem == "signatures":
            continue  # these come with the extra `updates`
        outside = {name.partition(".")[0] for name in imports(path)} - sys.stdlib_module_names
        assert outside <= allowed, f"{path.relative_to(PACKAGE)} imports {outside - allowed}"


def test_what_a_first_inference_does_not_need_is_not_imported():
    code = "import satchel, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    late = {"satchel.device", "satchel.adaptive", "satchel.effort", "satchel.updates",
            "satchel.platform.sensors"}  # fmt: skip
    assert not late & set(done.stdout.split())
