"""Two places in PyScript's core that our page cannot have as they are published.

- It composes the code of worker hooks with `Function(…)` while it loads, which needs 'unsafe-eval'.
  Our page starts no PyScript worker, so the function is never called: building it at the first call
  instead of at load is enough.
- It opens a database whose name is the same for every site of an origin. Ours share nothing with
  their neighbours, so the page's folder becomes part of the name.

Everything else stays as published.
"""

from typing import NamedTuple

from builder.errors import BuildError


class Patch(NamedTuple):
    """A patched file and the hash that it must have afterwards."""

    file: str
    sha256: str


PATCHED = Patch(
    "core-C9KDLldu.js", "9c01669f214f8305dcee40207302df5a5098572579e278170f9fe11e033039d0"
)

REPLACEMENTS = (
    (
        "return Function(`return(w,x)=>(${r})(w,x,...[${s}])`)()}}",
        "let f;return(w,x)=>(f??=Function(`return(w,x)=>(${r})(w,x,...[${s}])`)())(w,x)}}",
        "without it the page would need 'unsafe-eval'; look for `Function(`",
    ),
    (
        'eo="@pyscript.fs",',
        'eo="@pyscript.fs"+new URL(".",document.baseURI).pathname,',
        "without it all sites of an origin share a database; look for `@pyscript.fs`",
    ),
)
"""What stands there, what takes its place, and why."""


def patched(source: str) -> str:
    """Return PyScript's core with both places changed.

    Raises:
        BuildError: One of them isn't there exactly once: PyScript changed.
    """
    for before, after, why in REPLACEMENTS:
        if (times := source.count(before)) != 1:
            raise BuildError(
                f"PyScript's core holds {before!r} {times} times, not once: it changed. Adapt "
                f"builder/pyscript.py; {why} in the new core-*.js."
            )
        source = source.replace(before, after)
    return source
