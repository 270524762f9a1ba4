"""transformers.js, to measure against: fetched at first need, checked, kept in `.cache`.

The page never gets it, so it is no dependency: its npm package would bring a second onnxruntime-web
and a native one. Its library is one file, which is given the onnxruntime-web that we have.
"""

import tarfile
import tempfile
from pathlib import Path

from builder import node
from builder.errors import BuildError, HashMismatchError
from builder.files import sha256, write_whole
from builder.paths import CACHE
from builder.progress import doing

PACKAGE = "@huggingface/transformers"
VERSION = "4.3.1"
FILE = "dist/transformers.web.min.js"
SHA256 = "cc66a4de933cc21f0158dcbf72607721bfed0044d3791b2e9874f653659f979b"

IMPORTS = ('from"onnxruntime-common"', 'from"onnxruntime-web/webgpu"')
"""How the library names onnxruntime-web; a bundler would put it in place."""


def library(runtime: str) -> bytes:
    """Return the library as a module that takes onnxruntime-web from `runtime`, a relative URL.

    Raises:
        BuildError: The library imports something else than before.
    """
    text = _file().read_text("utf-8")
    for line in IMPORTS:
        if text.count(line) != 1:
            raise BuildError(f"{PACKAGE} {VERSION} doesn't say {line} once any more.")
        text = text.replace(line, f'from"{runtime}"')
    return text.encode()


def _file() -> Path:
    kept = CACHE / "bench" / f"transformers-{VERSION}.mjs"
    if not kept.is_file():
        with doing(f"Fetching {PACKAGE} {VERSION} …"), tempfile.TemporaryDirectory() as folder:
            archive = node.pack(f"{PACKAGE}@{VERSION}", Path(folder))
            with tarfile.open(archive) as packed:
                found = packed.extractfile(f"package/{FILE}")
                if found is None:
                    raise BuildError(f"{PACKAGE} {VERSION} has no {FILE}.")
                write_whole(kept, found.read())
    if sha256(kept) != SHA256:
        kept.unlink()
        raise HashMismatchError(f"{FILE} of {PACKAGE} {VERSION} isn't what is pinned.")
    return kept
