"""The form in which large parts travel: Zstandard, as files named `*.zst`.

So a site is as small on a host that compresses nothing as on one that does. The page expands them
(app/static/expand.mjs), since browsers' own DecompressionStream doesn't know the format.
Packing takes long: what was packed once is kept in `.cache/wire` under its content's hash.
"""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import zstandard

from builder.files import write_whole
from builder.paths import CACHE
from builder.progress import doing

SUFFIX = ".zst"
LEVEL = 22
WINDOW_LOG = 23
"""8 MiB: the most that a browser must accept where a host says `Content-Encoding: zstd`
(https://www.rfc-editor.org/rfc/rfc9659). A larger one saves 1 %, and takes three times as long."""

STORE = CACHE / "wire"


def packed(content: bytes) -> bytes:
    """Return content in its wire form, the same bytes on every machine."""
    place = _place(content)
    if not place.is_file():
        parameters = zstandard.ZstdCompressionParameters.from_level(LEVEL, window_log=WINDOW_LOG)
        write_whole(
            place, zstandard.ZstdCompressor(compression_params=parameters).compress(content)
        )
    return place.read_bytes()


def packed_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return files in their wire form, under the names that say so; several are packed at once."""
    new = [name for name, content in files.items() if not _place(content).is_file()]
    with ThreadPoolExecutor() as pool, doing(_words(new)) if new else nullcontext():
        return {
            name + SUFFIX: wire
            for name, wire in zip(files, pool.map(packed, files.values()), strict=True)
        }


def _words(names: Sequence[str]) -> str:
    return f"Packing {', '.join(names)} (once per version) …"


def _place(content: bytes) -> Path:
    digest = hashlib.sha256(content).hexdigest()
    return STORE / f"{digest}-{zstandard.__version__}-{LEVEL}-{WINDOW_LOG}{SUFFIX}"


def unpacked(wire: bytes) -> bytes:
    """Return what `packed` got.

    Example:
        >>> unpacked(zstandard.compress(b"part"))
        b'part'
    """
    return zstandard.ZstdDecompressor().decompress(wire)
