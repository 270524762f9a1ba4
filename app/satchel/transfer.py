"""Getting blobs: only what is missing, chunk by chunk, kept as soon as it is verified.

A download asks for the spans of its plan one after the other. Whatever the server answers with,
the whole file or some of it, goes by once; chunks that are missing are picked out of it, hashed,
and committed to the store as parts while more comes. So an interruption, of whatever kind, costs
what was not committed yet, and the next attempt asks for the rest.
"""

from __future__ import annotations

from dataclasses import replace

from satchel.attempts import LIMITS, Attempts, Limits, Progress
from satchel.digests import same
from satchel.errors import IntegrityError
from satchel.keeping import Batches, InMemory
from satchel.manifest import Reference
from satchel.plan import Plan, Source, plan
from satchel.platform import Blob, DeleteParts, Platform, Slice

__all__ = [
    "Limits",
    "Plan",
    "Progress",
    "Source",
    "assemble",
    "checked",
    "download",
    "fetch_blob",
    "plan",
]


async def download(
    platform: Platform,
    url: str,
    wanted: Plan,
    progress: Progress | None = None,
    *,
    limits: Limits = LIMITS,
) -> None:
    """Fetch what a plan misses, and keep it in the store as parts.

    Cancelling it, or any error, leaves what was verified so far; a plan made anew from the store's
    parts goes on from there.

    Args:
        platform: Whose network and store.
        url: Where the blob lies.
        wanted: What to fetch.
        progress: Told of each piece that is of use: bytes of `Plan.download_size`.
        limits: How long to try.

    Raises:
        NetworkError: No answer, a refusal, or too many cuts in a row.
        IntegrityError: The server's file is another one.
        StorageFullError: The device has no room for more.
    """
    keeper = Batches(platform, wanted.wanted.sha256)
    await Attempts(platform, url, wanted, progress, limits, keeper).run()


async def fetch_blob(
    platform: Platform,
    url: str,
    wanted: Reference,
    progress: Progress | None = None,
    *,
    limits: Limits = LIMITS,
) -> Blob:
    """Download a small blob as a whole, into memory, and check it.

    Raises:
        NetworkError: No answer, a refusal, or too many cuts in a row.
        IntegrityError: Another length or hash than promised.
    """
    keeper = InMemory()
    whole = plan(wanted, ())
    await Attempts(platform, url, whole, progress, limits, keeper).run()
    return platform.compose([Slice(blob, 0, blob.size) for blob in keeper.blobs])


async def assemble(platform: Platform, wanted: Plan) -> Blob:
    """The blob, made of slices of the store's parts and of the plan's sources. Nothing is written.

    Raises:
        IntegrityError: Not all of it is here.
    """
    now = await _again(platform, wanted)
    if now.missing:
        raise IntegrityError(
            "Some of a download is not on this device any more",
            why=f"{now.download_size} of {now.wanted.size} bytes are missing",
            todo="Download it again: only these are fetched",
        )
    slices: list[Slice] = []
    for chunk in now.chunks:
        for part in now.here[chunk.start]:
            last = slices[-1] if slices else None
            if last is not None and last.blob is part.blob and last.stop == part.start:
                slices[-1] = Slice(part.blob, last.start, part.stop)
            else:
                slices.append(part)
    return platform.compose(slices)


async def checked(platform: Platform, wanted: Plan) -> Plan:
    """Hash each chunk where it lies, and plan again without those that are spoilt.

    For a blob that was assembled and is not what was promised: spoilt parts are deleted, spoilt
    chunks of sources are not used again. When the plan that comes back misses nothing, all chunks
    are right, and so the chunk index is that of another file.
    """
    now = await _again(platform, wanted)
    distrust, gone = set(now.distrust), set[int]()
    parts = await platform.store.parts(now.wanted.sha256)
    for chunk in now.chunks:
        slices = now.here.get(chunk.start, ())
        if not slices or await same(platform.compose(slices), chunk.sha256):
            continue
        stop = chunk.start + chunk.size
        if any(slices[0].blob is source.blob for source in now.sources):
            distrust.add(chunk.sha256)
        else:
            ends = ((part.start, part.start + part.blob.size) for part in parts)
            gone |= {start for start, end in ends if start < stop and chunk.start < end}
    await platform.store.commit([DeleteParts(now.wanted.sha256, start) for start in sorted(gone)])
    return await _again(platform, replace(now, distrust=frozenset(distrust)))


async def _again(platform: Platform, old: Plan) -> Plan:
    parts = await platform.store.parts(old.wanted.sha256)
    return plan(old.wanted, old.chunks, old.sources, parts, distrust=old.distrust)
