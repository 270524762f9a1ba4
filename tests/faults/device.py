"""The device's side of the fault matrix: plays a case and says what it found; judges nothing.

Runs in Pyodide in a page, and on CPython. Nothing in it replaces a part of Satchel: it calls the
public manager, and looks into the store by itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from contextlib import suppress
from urllib.parse import quote

import numpy as np

import satchel
from satchel import chunks as indexes
from satchel.installer import Installer
from satchel.keeping import BATCH
from satchel.library import Library
from satchel.manifest import Manifest
from satchel.plan import JOIN
from satchel.platform import DeleteBlob, PutBlob, PutPart
from satchel.repair import Repair
from satchel.updates import EdgeModelManager

CHECK_AGAIN = 2
"""How often at most a device tries once the fault is gone: the first attempt may find that what is
stored is damaged, and drop it."""


class Device:
    """One device with a store of its own, which meets one case."""

    def __init__(self, case: dict, facts: dict, base: str, platform) -> None:
        self.case, self.facts, self.platform = case, facts, platform
        self.base, self.url = base, f"{base}{case['id']}/"
        self.model = facts["model"]
        self.library = Library(platform)
        self.progress: list[str] = []
        self.spoilt: str | None = None  # the file that the case itself has damaged
        self._truth: dict[str, bytes] = {}

    # ---- what the host is told

    async def lead(self, **wanted: object) -> None:
        """Tell the host what to show and to spoil from now on."""
        await self._get(f"{self.url}_lead?{quote(json.dumps(wanted))}")

    async def sent(self) -> list:
        """What the host has sent since: [path, first, stop, status, bytes]."""
        return json.loads(await self._get(f"{self.url}_sent"))

    async def truth(self, digest: str) -> bytes:
        """A blob as it was published."""
        if digest not in self._truth:
            self._truth[digest] = await self._get(f"{self.base}truth/blobs/{digest}")
        return self._truth[digest]

    async def _get(self, url: str) -> bytes:
        async with self.platform.fetcher.get(url) as answer:
            return b"".join([bytes(piece.view()) async for piece in answer])

    # ---- the story

    async def install(self) -> None:
        """A first visit: the pinned manifest, no signed metadata."""
        start = self.case["state"] if self.case["from_start"] else "v1"
        await self.lead(show=start)
        manifest = Manifest.parse(self.facts["first"].encode())
        await Installer(self.library, self.platform, self.locate).install(manifest)
        for state in self.case["seen"]:
            await self.lead(show=state)
            await self.manager().check_for_updates()

    def locate(self, item) -> str:
        """The URL of a blob."""
        return f"{self.url}blobs/{item.sha256}"

    def manager(self) -> EdgeModelManager:
        """A manager as a freshly opened page makes it."""
        return EdgeModelManager(
            self.url,
            model_id=self.model,
            trusted_root=self.facts["root"],
            platform=self.platform,
        )

    async def attempt(self, pause: int | None = None) -> dict:
        """All steps of an update; says how far it got."""
        before = await self._before()
        told: dict = {"step": "check", "error": None, "message": "", "update": None}
        try:
            await self._steps(told, pause)
        except satchel.SatchelError as error:
            told |= {"error": type(error).__name__, "message": str(error)}
        except asyncio.CancelledError:
            told |= {"error": "cancelled"}
        except Exception as error:  # noqa: BLE001  # the judge wants to see it
            told |= {"error": f"{type(error).__name__} (not ours)", "message": repr(error)}
        told["cost"] = await self._cost(before, told["update"])
        return told

    async def _steps(self, told: dict, pause: int | None) -> None:
        manager = self.manager()
        update = await manager.check_for_updates()
        if update is None:
            return
        told |= {"step": "download", "update": update.version, "size": update.download_size}
        told["blob"] = update.sha256
        artifact = await self._download(manager, update, pause)
        told["step"] = "verify"
        if not await manager.verify_update(artifact, update.sha256):
            told |= {"error": "IntegrityError", "message": "verify_update said no"}
            return
        told["step"] = "apply"
        result = await manager.apply_update(artifact)
        told |= {"validation": result.validation, "version": result.version}
        if not result.success:
            told |= {"error": type(result.error).__name__, "message": str(result.error)}
            return
        told["step"] = "done"

    async def _download(self, manager, update, pause):
        seen = [0, 0]

        def progress(received, total):
            if not seen[0] <= received <= total:
                self.progress.append(f"progress {received} of {total} after {seen}")
            seen[:] = received, total
            if pause is not None and received >= pause:
                task.cancel()

        task = asyncio.ensure_future(manager.download_update(update, progress))
        return await task

    # ---- what happens to a device's storage

    async def damage(self, what: str) -> None:
        """Flip a bit of what is stored, or lose it."""
        store = self.platform.store
        digest = (await self.library.installed(self.model)).current.variant.blob.sha256
        if what == "lost":
            await store.commit([DeleteBlob(digest)])
            return
        if what == "active":
            spoilt = await self._flipped(await store.blob(digest))
            await store.commit([PutBlob(digest, spoilt)])
            self.spoilt = digest
            return
        for digest in await store.part_sizes():
            part = max(await store.parts(digest), key=lambda part: part.blob.size)
            spoilt = await self._flipped(part.blob)
            await store.commit([PutPart(digest, part.start, spoilt)])

    async def _flipped(self, blob):
        content = bytearray(await blob.read())
        content[len(content) // 3] ^= 1
        return self.platform.blob(bytes(content))

    # ---- what must be true

    async def whole(self) -> dict:
        """Look at the device: {"active": version, "problems": sentences}."""
        problems = [*self.progress]
        self.progress.clear()
        models = await self.platform.store.records("models")
        if list(models) != [self.model]:
            problems.append(f"installed: {list(models)}")
        model = await self.library.installed(self.model)
        await self._check_files(model, problems)
        await self._check_parts(problems)
        digest = model.current.variant.blob.sha256
        if digest not in self.facts["answers"]:
            problems.append(f"{model.active} has a file that is nobody's")
        else:
            problems += await self._check_answer(self.facts["answers"][digest])
        aside = {str(version): why for version, why in model.set_aside.items()}
        return {"active": str(model.active), "problems": problems, "set_aside": aside}

    async def _check_files(self, model, problems: list) -> None:
        stored = await self.platform.store.blobs()
        needed = {item.sha256 for item in model.current.references}
        for digest in stored:
            content = await (await self.platform.store.blob(digest)).read()
            kept_to_go_back = digest == self.spoilt and digest not in needed
            if hashlib.sha256(content).hexdigest() != digest and not kept_to_go_back:
                problems.append(f"blob {digest[:8]} is not what its name says")
        problems += [
            f"{item.sha256[:8]} of {model.active} is missing"
            for item in model.current.references
            if stored.get(item.sha256) != item.size
        ]
        if await Repair(self.library, self.platform, self.locate).damaged(model):
            problems.append("the library finds it damaged")

    async def _check_parts(self, problems: list) -> None:
        for digest in await self.platform.store.part_sizes():
            for part in await self.platform.store.parts(digest):
                right = (await self.truth(digest))[part.start : part.start + part.blob.size]
                if await part.blob.read() != right:
                    problems.append(f"a part of {digest[:8]} at {part.start} is wrong")

    async def _check_answer(self, expected: list) -> list:
        async with await self.library.open(self.model) as runtime:
            found = await runtime.infer(np.array(self.facts["x"], np.float32))
        near = np.allclose(found, np.array(expected, np.float32), rtol=1e-3, atol=1e-3)
        return [] if near else ["the active version answers otherwise than its file does"]

    # ---- what it cost

    async def _before(self) -> dict[str, list]:
        store = self.platform.store
        parts = {
            digest: [
                (part.start, part.start + part.blob.size) for part in await store.parts(digest)
            ]
            for digest in await store.part_sizes()
        }
        model = await self.library.find(self.model)
        have: set[str] = set()
        if model is not None and model.current.variant.chunks:
            variant = model.current.variant
            data = await (await store.blob(variant.chunks.sha256)).read()
            have = {chunk.sha256 for chunk in indexes.readable(data, variant.blob.size)}
        return {"parts": parts, "have": have, "blobs": set(await store.blobs())}

    async def _cost(self, before: dict, version: str | None) -> dict | None:
        """Bytes that were missing, that came, and that may have come."""
        model = await self.library.find(self.model)
        if version is None or model is None or str(model.active) != version:
            return None
        variant = model.current.variant
        digest = variant.blob.sha256
        if digest in before["blobs"]:
            missing, largest, spans = 0, 0, 0
        else:
            data = await self.truth(variant.chunks.sha256)
            whole = indexes.Chunk(digest, 0, variant.blob.size)
            chunks = indexes.readable(data, variant.blob.size) or (whole,)
            covered = before["parts"].get(digest, [])
            gaps = [
                chunk
                for chunk in chunks
                if chunk.sha256 not in before["have"] and not _covers(covered, chunk)
            ]
            missing = sum(chunk.size for chunk in gaps)
            largest = max(chunk.size for chunk in chunks)
            spans = len(gaps)
        sent = [entry for entry in await self.sent() if entry[0] == f"blobs/{digest}"]
        known = {*before["parts"], *before["blobs"]}
        again = [
            entry[0]
            for entry in await self.sent()
            if entry[0].startswith("blobs/") and entry[4] and entry[0][6:] in known
            and entry[0] != f"blobs/{digest}"
        ]  # fmt: skip
        return {
            "missing": missing,
            "sent": sum(entry[4] for entry in sent),
            "requests": len(sent),
            "metadata": sum(
                entry[4] for entry in await self.sent() if not entry[0].startswith("blobs/")
            ),
            "allowed": BATCH + largest + min(spans, 3) * JOIN,
            "again": again,
        }


def _covers(spans: list, chunk) -> bool:
    covered = sum(
        max(0, min(stop, chunk.start + chunk.size) - max(start, chunk.start))
        for start, stop in spans
    )
    return covered >= chunk.size


async def play(case: dict, facts: dict, base: str, platform, set_clock=None) -> dict:
    """Play a case from a first visit to the end, and say all that was seen.

    Args:
        case: A row of the matrix.
        facts: What was published.
        base: The host.
        platform: With a store of its own.
        set_clock: Sets the device's clock off by so many years, for all that runs here.
    """
    if set_clock:
        set_clock(case["years"])
    device = Device(case, facts, base, platform)
    started = platform.clock.monotonic()
    told: dict = {"id": case["id"]}
    await device.install()
    told["before"] = await device.whole()
    await device.lead(show=case["state"], rules=case["rules"])
    told["attempts"] = []
    for _ in range(case["repeat"]):
        told["attempts"].append(await device.attempt(case["pause"]))
    told["sent"] = await device.sent()
    told["after"] = await device.whole()
    if case["damage"]:
        await device.damage(case["damage"])
    told["later"] = []
    if set_clock:
        set_clock(0)
    for _ in range(CHECK_AGAIN):
        await device.lead(show=case["then"])
        told["later"].append(await device.attempt())
        if told["later"][-1]["error"] is None:
            break
    if case["damage"]:
        # What an update didn't replace is mended when the page rests.
        await Repair(device.library, platform, device.locate).repair(device.model)
    told["finally"] = await device.whole()
    with suppress(satchel.SatchelError):
        await platform.store.close()
    told["seconds"] = round(platform.clock.monotonic() - started, 2)
    return told


async def play_all(
    cases: list, facts: dict, bases: list, platform_of, at_once: int, forget, set_clock=None
) -> list:
    """Play cases side by side, each on a device of its own; what fails is told by its name.

    `forget` deletes a database by its name.
    """
    turns = asyncio.Semaphore(at_once)

    async def one(number: int, case: dict) -> dict:
        async with turns:
            try:
                base = bases[number % len(bases)]
                platform = platform_of(case["id"])
                told = await play(case, facts, base, platform, set_clock)
                await forget(platform.store.name)
            except Exception as error:  # noqa: BLE001  # told, not swallowed
                import traceback

                return {"id": case["id"], "broken": "".join(traceback.format_exception(error))}
            return told

    return await asyncio.gather(*(one(number, case) for number, case in enumerate(cases)))
