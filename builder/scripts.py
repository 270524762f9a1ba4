"""JavaScript and CSS, bundled and minified by esbuild."""

import json
import tempfile
from pathlib import Path

from builder import node
from builder.errors import BuildError, InputMissingError
from builder.paths import APP

TARGETS = ("chrome109", "firefox115", "safari16.4")
"""Browsers with everything that the page can't do without; older ones get a sentence."""


def bundle(source: Path, *, form: str = "esm") -> bytes:
    """Return one self-contained, minified file made from `source` and what it imports.

    Args:
        source: A `.mjs`, `.js` or `.css` file of the project.
        form: "esm" for modules; "iife" for the service worker, which browsers start as a script.

    Raises:
        InputMissingError: There is no such file.
        BuildError: esbuild refuses it, or warns.
    """
    if not source.is_file():
        raise InputMissingError(
            f"The page needs {source.relative_to(APP.parent)}, which isn't there."
        )
    production = '--define:process.env.NODE_ENV="production"'
    return _esbuild(source, "--bundle", f"--format={form}", production)


def minified(source: Path) -> bytes:
    """Return somebody else's classic script in fewer bytes; what it defines keeps its name.

    Raises:
        BuildError: esbuild refuses it, or warns.
    """
    return _esbuild(source)


def _esbuild(source: Path, *flags: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / source.name
        done = node.run(
            "esbuild/bin/esbuild",
            [
                str(source),
                *flags,
                "--minify",
                f"--target={','.join(TARGETS)}",
                "--charset=utf8",
                "--legal-comments=none",
                "--log-level=warning",
                f"--outfile={out}",
            ],
            cwd=APP,
        )
        # A warning is a mistake that would show up only in someone's browser.
        if done.returncode or done.stderr.strip():
            raise BuildError(f"esbuild, on {source.name}:\n{done.stderr.strip()}")
        return out.read_bytes()


def json_for_html(value: object) -> str:
    """Return JSON that may stand inside a `<script>` element."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c")
