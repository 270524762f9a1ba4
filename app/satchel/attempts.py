"""One download: ask for what is missing, pick it out of what comes, try again where it helps."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from satchel.errors import IntegrityError, NetworkError, StorageError, TransferError
from satchel.keeping import Keeper
from satchel.picker import Picker
from satchel.plan import Plan, spans
from satchel.platform import STALL, Answer, Platform, Span

__all__ = ["LIMITS", "TEMPORARY", "Attempts", "Limits", "Progress"]

Progress = Callable[[int, int], None]
"""Called with (bytes received, bytes in all); never fewer than before, never more than all."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a download tries.

    With waits of half their maximum on the average, five attempts take about four seconds: enough
    for a moment without a network. Longer ones are for whoever starts downloads to sit out.

    Attributes:
        attempts: In a row that bring nothing, before it gives up; any progress starts the count
            afresh.
        spoilt: In a row that bring wrong bytes, before it gives up.
        first_wait: Seconds before the second attempt, at most; it doubles with each further one.
        longest_wait: Seconds that a wait grows to.
        patience: Seconds of Retry-After that are waited for here; a server that wants more gets
            its rest, and whoever asked an error that says how long.
        stall: Seconds without a byte after which a connection counts as dead.
    """

    attempts: int = 5
    spoilt: int = 3
    first_wait: float = 0.5
    longest_wait: float = 30.0
    patience: float = 60.0
    stall: float = STALL


LIMITS = Limits()

TEMPORARY = frozenset({408, 416, 425, 429})
"""Refusals that may pass, beside all of 500 and above (RFC 9110, 15.5; RFC 6585, 4). 416 refuses a
range: the third attempt does without."""


class Attempts:
    """All attempts of one download, and what they have brought so far.

    Args:
        platform: Whose network, clock and randomness.
        url: Where the file lies.
        wanted: What to fetch.
        progress: Told of each piece that is of use.
        limits: How long to try.
        keeper: Takes the chunks.
    """

    def __init__(
        self,
        platform: Platform,
        url: str,
        wanted: Plan,
        progress: Progress | None,
        limits: Limits,
        keeper: Keeper,
    ) -> None:
        self._platform = platform
        self._url = url
        self._size = wanted.wanted.size
        self._progress = progress
        self._limits = limits
        self._keeper = keeper
        self._missing = list(wanted.missing)
        self._total = wanted.download_size
        self._done = 0  # bytes of chunks that are verified
        self._told = -1
        self._fruitless = 0  # attempts in a row
        self._spoilt = 0  # of these, with wrong bytes

    async def run(self) -> None:
        """Fetch until nothing is missing, or it is of no use any more.

        Raises:
            NetworkError: No answer, a refusal, or too many cuts in a row.
            IntegrityError: The server's file is another one.
            StorageFullError: The keeper has no room for more.
        """
        self._tell(0)
        try:
            while self._missing:
                before = self._done
                try:
                    await self._attempt()
                except TransferError as error:
                    await self._keeper.flush()
                    await self._wait_after(error, fruitful=self._done > before)
        except BaseException:
            with suppress(StorageError):  # what is on its way tells more
                await self._keeper.flush()
            raise
        await self._keeper.flush()

    async def _attempt(self) -> None:
        """Ask for the first span that is missing, and take what of the answer is of use."""
        first = self._missing[0]
        span: Span | None = spans(self._missing)[0]
        # A server that mistreats ranges may still give the whole file: each third attempt in a row
        # without success asks for that.
        if span == Span(0, self._size) or self._fruitless % 3 == 2:
            span = None
        async with self._platform.fetcher.get(self._url, span, stall=self._limits.stall) as answer:
            await self._take(answer, self._size if span is None or answer.whole else span.stop)
        if self._missing and self._missing[0] is first:
            raise self._unlike("it answered with other bytes than it was asked for")

    async def _take(self, answer: Answer, end: int) -> None:
        """Pick missing chunks out of a body that should go on to ``end``."""
        picker, at = Picker(self._missing), answer.start
        async for piece in answer:
            for chunk, blobs in picker.take(at, piece):
                if blobs is None:
                    raise self._unlike(f"its SHA-256 is another one, from byte {chunk.start} on")
                self._missing.remove(chunk)
                self._done += chunk.size
                await self._keeper.keep(chunk, blobs)
            at += piece.size
            self._tell(self._done + picker.pending)
            if not self._missing or at >= end:
                return
        raise self._unlike(f"only {at} of {end} bytes came")

    async def _wait_after(self, error: TransferError, *, fruitful: bool) -> None:
        """Wait before the next attempt, or give up by raising the error.

        Exponential backoff with full jitter (Brooker, "Exponential Backoff and Jitter", AWS
        Architecture Blog, 2015).
        """
        self._fruitless = 0 if fruitful else self._fruitless + 1
        wrong = isinstance(error, IntegrityError)
        self._spoilt = 0 if fruitful else self._spoilt + wrong
        if wrong and fruitful:
            return  # some servers give no more than so much at a time
        limits = self._limits
        if self._fruitless >= limits.attempts or self._spoilt >= limits.spoilt:
            raise error
        longest = limits.first_wait * 2.0 ** max(0, self._fruitless - 1)
        wait = self._platform.random.uniform(0, min(longest, limits.longest_wait))
        if isinstance(error, NetworkError):
            if not _may_pass(error.status) or (error.retry_after or 0) > limits.patience:
                raise error
            wait = max(wait, error.retry_after or 0)
        await self._platform.clock.sleep(wait)

    def _tell(self, received: int) -> None:
        if received > self._told:
            self._told = received
            if self._progress is not None:
                self._progress(received, self._total)

    def _unlike(self, why: str) -> IntegrityError:
        return IntegrityError(
            f"What came from {self._url} is not what was promised",
            why=why,
            todo="Try again; if it stays so, the site was not uploaded completely",
        )


def _may_pass(status: int | None) -> bool:
    return status is None or status in TEMPORARY or status >= 500
