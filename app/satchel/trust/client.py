"""Asks a release repository which manifests its keys vouch for, and remembers what it has seen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from satchel.errors import NetworkError, SatchelError
from satchel.platform import Platform, PutRecord
from satchel.trust.limits import CHECK_SECONDS, FILE_SECONDS, is_too_deep, limits
from satchel.trust.refusal import ROLES, explained, role_of
from satchel.trust.replay import Answers, replay
from satchel.trust.state import MANIFESTS, State
from satchel.trust.upstream import (
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    RepositoryError,
    Updater,
)

__all__ = ["Trust"]


class Trust:
    """A repository, as this device trusts it.

    Its protections are The Update Framework's: signatures by enough of the right keys, expiry,
    nothing older than what was seen before, no mixed versions, no endless answers.
    """

    def __init__(
        self,
        platform: Platform,
        *,
        metadata_url: str,
        manifests_url: str,
        root: bytes,
        name: str,
    ) -> None:
        """Say what is trusted; nothing is fetched yet.

        Args:
            platform: Where the bytes, the memory and the time come from.
            metadata_url: Absolute URL of the folder with the metadata.
            manifests_url: Absolute URL of the folder with the targets.
            root: Root metadata, the bytes that trust begins with.
            name: Names the repository among all that this store may know.
        """
        self._platform = platform
        self._urls = metadata_url, manifests_url
        self._root = root
        self._key = f"trust:{name}"

    async def manifests(self, model_ids: Sequence[str]) -> dict[str, bytes]:
        """Ask for the newest metadata, and return the manifests that it vouches for.

        What was verified on the way is kept even when something later on fails, so that new keys
        are known from then on. One tab at a time.

        Returns:
            The bytes of each model's manifest; a model that the repository lacks is left out.

        Raises:
            ExpiredError: Metadata was right once, but its time is over by this device's clock.
            TrustError: Metadata or a manifest is not what the keys vouch for.
            NetworkError: No answer, a refusal, or one that took too long.
            StorageError: What was verified could not be kept.
        """
        async with self._platform.locks.hold(self._key):
            before = State.parse(await self._platform.store.record("meta", self._key))
            answers, client = Answers(), _Client(self._urls, self._root, before, model_ids)
            failure: SatchelError | None = None
            try:
                async with asyncio.timeout(CHECK_SECONDS):
                    found = await replay(client, answers, self._fetch, self._platform.signatures)
            except (RepositoryError, DownloadError) as error:
                at_hand = client.metadata(answers)
                failure = explained(error, answers.asked, at_hand, self._platform.clock.now())
                failure.__cause__ = error
            except TimeoutError as error:
                raise _too_slow() from error
            if client.after != before:
                record = client.after.record()
                await self._platform.store.commit([PutRecord("meta", self._key, record)])
            if failure is not None:
                raise failure
            return found

    async def _fetch(self, url: str, limit: int) -> bytes | DownloadError:
        """Get a small file; what goes wrong is an answer too, which python-tuf judges."""
        data = bytearray()
        try:
            async with (
                asyncio.timeout(FILE_SECONDS),
                self._platform.fetcher.get(url, stall=FILE_SECONDS) as answer,
            ):
                async for piece in answer:
                    data += piece.view()
                    if len(data) > limit:
                        break
        except NetworkError as error:
            why = error.why or str(error)
            return DownloadHTTPError(why, error.status) if error.status else DownloadError(why)
        except TimeoutError:
            return DownloadError(f"It took longer than {FILE_SECONDS:.0f} seconds")
        if data.lstrip()[:1] == b"<":
            # Some hosts answer so, and with status 200, when they haven't got a file; and networks
            # that want people to sign in first. It can't be metadata, which is JSON.
            return DownloadHTTPError("A web page came in its place", 404)
        if len(data) > limit:
            return DownloadLengthMismatchError(f"{url} has more than {limit} bytes")
        # Nothing that python-tuf could read, and nothing that it should try to.
        return b"" if is_too_deep(bytes(data)) else bytes(data)


class _Client:
    """One attempt after the other of python-tuf's client, each from the same memory.

    Attributes:
        after: What the last attempt left.
    """

    def __init__(
        self, urls: tuple[str, str], root: bytes, before: State, model_ids: Sequence[str]
    ) -> None:
        self._urls, self._root, self._model_ids = urls, root, model_ids
        self._before = self.after = before

    def __call__(self, answers: Answers) -> dict[str, bytes]:
        with TemporaryDirectory(prefix="satchel-trust-") as name:
            folder = Path(name)
            self._before.write(folder)
            try:
                return self._manifests(folder, answers)
            finally:
                self.after = State.read(folder)

    def _manifests(self, folder: Path, answers: Answers) -> dict[str, bytes]:
        metadata_url, manifests_url = self._urls
        updater = Updater(
            str(folder),
            metadata_url,
            str(folder / MANIFESTS),
            manifests_url,
            answers,
            limits(),
            bootstrap=self._root,
        )
        updater.refresh()
        found = {}
        for model in self._model_ids:
            target = updater.get_targetinfo(f"{model}.json")
            if target is not None:
                path = updater.find_cached_target(target) or updater.download_target(target)
                found[model] = Path(path).read_bytes()
        return found

    def metadata(self, answers: Answers) -> Mapping[str, bytes]:
        """The metadata that the last attempt worked with, by role: as it came, else as kept."""
        found = {role: self.after.files.get(f"{role}.json") for role in ROLES}
        found["root"] = self.after.newest_root() or self._root
        for url in answers.asked:
            role, answer = role_of(url), answers.known.get(url)
            if role in ROLES and role != "root" and isinstance(answer, bytes):
                found[role] = answer
        return {role: data for role, data in found.items() if data is not None}


def _too_slow() -> NetworkError:
    return NetworkError(
        "Looking for updates took too long",
        why=f"Not all metadata came within {CHECK_SECONDS:.0f} seconds",
        todo="What is installed goes on working. Check the connection and try again",
    )
