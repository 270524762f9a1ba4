"""Runs python-tuf's client, which waits for each file and each signature, where nothing may wait.

What the client needs and isn't here ends the attempt; it is got asynchronously, and the client
starts again from the same state, up to the next thing that it lacks. The last attempt has seen just
what a client that waits would have seen. So there are no threads, no stack switching and no
synchronous requests: cancelling, time limits and other tasks work as everywhere, in every browser.

Signatures that nobody has checked yet are taken for valid while an attempt runs, noted, and checked
before anything is done about the attempt's outcome. If one of them is wrong, that outcome is thrown
away and the client starts again, knowing better.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import IO, TypeVar

from satchel.platform import PublicKey, Signatures
from satchel.trust.upstream import (
    KEY_FOR_TYPE_AND_SCHEME,
    DownloadError,
    FetcherInterface,
    RepositoryError,
    Signature,
    SSlibKey,
    UnverifiedSignatureError,
)

__all__ = ["Answers", "replay"]

T = TypeVar("T")
Fetch = Callable[[str, int], Awaitable["bytes | DownloadError"]]
Claim = tuple[PublicKey, bytes, bytes]
"""A key, a signature of it, and the bytes it is said to be over."""


class Wanted(BaseException):
    """The client needs a file that isn't here yet.

    No Exception, which python-tuf would take for a failed download, or a damaged local file.
    """

    def __init__(self, url: str, limit: int) -> None:
        super().__init__(url)
        self.url, self.limit = url, limit


class Answers(FetcherInterface):
    """Gives the client the files that are here.

    Attributes:
        known: What each URL has given so far: bytes, or an error.
        asked: URLs that the attempt under way has asked for, in order.
    """

    def __init__(self) -> None:
        self.known: dict[str, bytes | DownloadError] = {}
        self.asked: list[str] = []

    @contextmanager
    def download_file(self, url: str, max_length: int) -> Iterator[IO[bytes]]:
        """Give a file that is here; python-tuf's own code holds it to its length."""
        self.asked.append(url)
        if url not in self.known:
            raise Wanted(url, max_length)
        with super().download_file(url, max_length) as file:
            yield file

    def _fetch(self, url: str) -> Iterator[bytes]:
        answer = self.known[url]
        if isinstance(answer, DownloadError):
            raise answer
        return iter([answer])


async def replay(
    work: Callable[[Answers], T], answers: Answers, fetch: Fetch, signatures: Signatures | None
) -> T:
    """Run the client until it has all it needs.

    Args:
        work: An attempt: runs the client from its first state on.
        answers: What it gets its files from.
        fetch: Gets a file of at most so many bytes, or says why not.
        signatures: Verifies them; None: python-tuf does it by itself.

    Raises:
        RepositoryError: The client refused something.
        DownloadError: A file that it needs can't be had.
    """
    notes = _Notes(signatures)
    while True:
        answers.asked.clear()
        wanted: Wanted | None = None
        failure: Exception | None = None
        try:
            with notes.taken():
                result = work(answers)
        except Wanted as missing:
            wanted = missing
        except (RepositoryError, DownloadError) as error:
            failure = error
        if await notes.mistaken():
            continue
        if failure is not None:
            raise failure
        if wanted is None:
            return result
        answers.known[wanted.url] = await fetch(wanted.url, wanted.limit)


class _Notes:
    """Which signatures were asked about, and which are right."""

    def __init__(self, signatures: Signatures | None) -> None:
        self._signatures = signatures
        self._known: dict[Claim, bool] = {}
        self._open: dict[Claim, None] = {}

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Let python-tuf's keys ask here, as long as an attempt runs."""
        if self._signatures is None:
            yield
            return
        before = dict(KEY_FOR_TYPE_AND_SCHEME)
        key = type("NotedKey", (_NotedKey,), {"notes": self})
        KEY_FOR_TYPE_AND_SCHEME.update(dict.fromkeys(self._signatures.kinds, key))
        try:
            yield
        finally:
            KEY_FOR_TYPE_AND_SCHEME.clear()
            KEY_FOR_TYPE_AND_SCHEME.update(before)

    def presumed(self, claim: Claim) -> bool:
        """Whether a signature is right; one that nobody has checked yet is noted."""
        if claim not in self._known:
            self._open[claim] = None
        return self._known.get(claim, True)

    async def mistaken(self) -> bool:
        """Check what was noted, and tell whether any of it is wrong."""
        asked, self._open = self._open, {}
        wrong = False
        for claim in asked:
            assert self._signatures is not None  # else nothing is noted
            key, signature, data = claim
            self._known[claim] = right = await self._signatures.verify(key, signature, data)
            wrong = wrong or not right
        return wrong


class _NotedKey(SSlibKey):
    """A key whose signatures the platform verifies."""

    notes: _Notes

    def verify_signature(self, signature: Signature, data: bytes) -> None:
        """Take it for right, unless it is known to be wrong."""
        try:
            if signature.keyid != self.keyid:
                raise ValueError("it is another key's")
            key = PublicKey(self.keytype, self.scheme, self.keyval["public"])
            right = self.notes.presumed((key, bytes.fromhex(signature.signature), data))
        except ValueError as error:
            raise UnverifiedSignatureError(f"{self.keyid}: {error}") from error
        if not right:
            raise UnverifiedSignatureError(f"{self.keyid} did not make this signature")
