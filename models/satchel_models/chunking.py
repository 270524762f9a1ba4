"""A blob cut into chunks where its content says so: a change moves no other chunk's borders.

docs/decisions/0008 has the measurements that the sizes come from.
"""

import hashlib

from pyfastcdc import FastCDC

from satchel.chunks import Chunk

SMALLEST = 16 << 10
AVERAGE = 64 << 10
"""Before FastCDC's skipping: the chunks that come out have `SMALLEST + AVERAGE` on average."""
LARGEST = 256 << 10
"""Bytes. What an interrupted download may lose, beside what is not committed yet."""


def cut(data: bytes) -> list[Chunk]:
    """Return the chunks of a blob, by FastCDC (2020) with its authors' gear table."""
    cutter = FastCDC(avg_size=AVERAGE, min_size=SMALLEST, max_size=LARGEST)
    return [
        Chunk(hashlib.sha256(part.data).hexdigest(), part.offset, part.length)
        for part in cutter.cut_buf(data)
    ]
