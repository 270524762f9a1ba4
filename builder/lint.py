"""Every check that needs no running program, in one place, for people, hooks and CI alike."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from builder import node
from builder.paths import APP, ROOT
from builder.progress import console, say

PYTHON = ("build.py", "builder", "app", "models", "tests")


@dataclass(frozen=True)
class Check:
    """One tool's run."""

    name: str
    command: list[str]
    fix: list[str] | None = None
    """The command that mends what it can, instead."""


def run(*, fix: bool) -> bool:
    """Run every check, all of them even when one fails.

    Args:
        fix: Let the tools mend what they can.

    Returns:
        True when nothing was found.
    """
    clean = True
    for check in checks():
        command = check.fix if fix and check.fix else check.command
        done = subprocess.run(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            clean = False
            console.print(f"[red]✗[/] {check.name}")
            console.print(done.stdout.strip(), markup=False)
        else:
            console.print(f"[green]✓[/] {check.name}")
    if not clean:
        say("Some of it may mend itself: python3 build.py lint --fix")
    return clean


def checks() -> Iterator[Check]:
    """Yield the checks, quick ones first."""
    ruff = [sys.executable, "-m", "ruff"]
    paths = [path for path in PYTHON if (ROOT / path).exists()]
    yield Check(
        "Python format", [*ruff, "format", "--check", "--quiet", *paths], [*ruff, "format", *paths]
    )
    yield Check(
        "Python lint", [*ruff, "check", "--quiet", *paths], [*ruff, "check", "--fix", *paths]
    )
    biome = [str(node.executable()), str(node.packages() / "@biomejs/biome/bin/biome")]
    yield Check(
        "JavaScript, CSS, HTML",
        [*biome, "check", "--error-on-warnings", *_biome_paths()],
        [*biome, "check", "--write", "--error-on-warnings", *_biome_paths()],
    )
    yield Check("Python types", [sys.executable, "-m", "mypy", "--no-error-summary"])


def _biome_paths() -> list[str]:
    places = (APP / "static", APP / "satchel", ROOT / "models", ROOT / "builder", ROOT / "tests")
    return [str(place.relative_to(Path(ROOT))) for place in places if place.exists()]
