"""The test command: what runs where, and what it needs beforehand."""

import os
import subprocess
import sys
from collections.abc import Sequence

from builder import browser, bundle, node, parts, site, toolenv
from builder.paths import ROOT

WORKERS = 2
"""Parallel test processes; browsers need a core each."""

QUICK = ("tests/unit", "tests/engine")
WHOLE = ("tests/heavy", "tests/faults", "tests/browser", "tests/engine", "tests/unit")
"""Those with long files first: what is short fills the gaps at the end."""

PYTEST_FOUND_NOTHING = 5


def run(*, everything: bool, quick: bool, arguments: Sequence[str]) -> int:
    """Prepare and run the tests; return pytest's exit status.

    Args:
        everything: Add the tests that need PyTorch, TensorFlow or LiteRT's converters.
        quick: Only what needs no browser.
        arguments: For pytest; paths among them replace the usual ones.
    """
    if not quick:
        browser.chromium()
        for name in parts.table():
            parts.folder(name)
        bundle.build(site.load(ROOT / "site.toml"), ROOT / "dist")
    else:
        node.packages()
    if everything:
        for name in ("torch", "tensorflow", "litert"):
            toolenv.python(name)
    command = [sys.executable, "-m", "pytest", *_defaults(everything, quick, arguments)]
    seeds = {"SATCHEL_HYPOTHESIS": "long"} if everything else {}
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **seeds}, check=False).returncode


def _defaults(everything: bool, quick: bool, arguments: Sequence[str]) -> list[str]:
    """Return pytest's arguments: the given ones, and ours where nothing else was said."""
    given = list(arguments)
    if not any(argument.startswith("-m") for argument in given) and not everything:
        given += ["-m", "not heavy"]
    if not any(argument.startswith(("-n", "--numprocesses")) for argument in given):
        given += ["-n", str(WORKERS), "--dist", "loadfile", "--no-loadscope-reorder"]
    if not any((ROOT / argument.split("::")[0]).exists() for argument in arguments):
        places = QUICK if quick else WHOLE
        given += [place for place in places if (ROOT / place).exists()]
    return given
