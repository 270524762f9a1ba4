"""Picks missing chunks out of a body that goes by, whatever of the file the body holds."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from satchel.chunks import Chunk
from satchel.platform import Blob, Piece

__all__ = ["Picker"]


class Picker:
    """For one answer's body, from its beginning.

    Args:
        missing: The chunks to look for, in the file's order.

    Attributes:
        pending: Bytes that are here of a chunk whose rest is still to come.
    """

    def __init__(self, missing: Iterable[Chunk]) -> None:
        self.pending = 0
        self._left = deque(missing)
        self._digest = hashlib.sha256()
        self._kept: list[Blob] = []

    def take(self, at: int, piece: Piece) -> Iterator[tuple[Chunk, Sequence[Blob] | None]]:
        """The chunks that a piece completes, each with its bytes: None when its hash is wrong.

        Args:
            at: Offset of the piece's first byte in the file; pieces follow each other.
            piece: What came.
        """
        base, stop = at, at + piece.size
        view: memoryview | None = None  # made only where something of the piece is of use
        while self._left and at < stop:
            chunk = self._left[0]
            if at < chunk.start:  # here already, and only in between
                at = min(chunk.start, stop)
            elif at > chunk.start + self.pending:  # the body began in the middle of it
                self._left.popleft()
            else:
                view = memoryview(piece.view()) if view is None else view
                end = min(chunk.start + chunk.size, stop)
                self._digest.update(view[at - base : end - base])
                self._kept.append(piece.cut(at - base, end - base))
                self.pending, at = self.pending + end - at, end
                if self.pending == chunk.size:
                    yield self._left.popleft(), self._complete(chunk)

    def _complete(self, chunk: Chunk) -> Sequence[Blob] | None:
        kept, right = self._kept, self._digest.hexdigest() == chunk.sha256
        self.pending, self._kept, self._digest = 0, [], hashlib.sha256()
        return kept if right else None
