"""PyScript's one expression that a strict Content Security Policy forbids, made lazy.

PyScript's core composes the code of worker hooks with `Function(…)` while it loads, which needs
'unsafe-eval'. Our page starts no PyScript worker, so the function is never called: building it at
the first call instead of at load is enough. Everything else stays as published.
"""

from typing import NamedTuple

from builder.errors import BuildError


class Patch(NamedTuple):
    """A patched file and the hash that it must have afterwards."""

    file: str
    sha256: str


PATCHED = Patch(
    "core-C9KDLldu.js", "e9278f370d82614029bc13e79565a4bd5bda9cb1d55f44eb2920948359b1a51a"
)

BEFORE = "return Function(`return(w,x)=>(${r})(w,x,...[${s}])`)()}}"
AFTER = "let f;return(w,x)=>(f??=Function(`return(w,x)=>(${r})(w,x,...[${s}])`)())(w,x)}}"


def patched(source: str) -> str:
    """Return PyScript's core with the expression made lazy.

    Raises:
        BuildError: The expression isn't there exactly once: PyScript changed.
    """
    if (times := source.count(BEFORE)) != 1:
        raise BuildError(
            f"PyScript's core holds the expression that needs the CSP patch {times} times, not "
            "once: it changed. Look for `Function(` in the new core-*.js and adapt "
            "builder/pyscript.py; without it the page would need 'unsafe-eval'."
        )
    return source.replace(BEFORE, AFTER)
