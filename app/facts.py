"""What the page shows of its models: a picture of the library, made anew whenever it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from satchel import history, offers, unfit
from satchel.device import DeviceProfile
from satchel.installed import PROBATION_RUNS, InstalledModel
from satchel.library import Library
from satchel.offers import Offer
from satchel.platform import Platform
from satchel.variants import Abilities, engine_title, reason

__all__ = ["Facts", "Live", "device_facts", "engine_in_words", "in_words", "why"]


@dataclass(frozen=True, slots=True)
class Live:
    """What goes on with a model's update right now.

    Attributes:
        state: "waiting", "downloading", "paused", "verifying", "validating" or "failed".
        received: Bytes that have come.
        total: Bytes in all.
        reason: Why it waits, or what went wrong: a sentence.
        ask: Whether the person is to be asked: it must be had, and the connection may cost money.
    """

    state: str
    received: int = 0
    total: int = 0
    reason: str = ""
    ask: bool = False


class Facts:
    """The library in plain data; see "The library's facts" in docs/ARCHITECTURE.md.

    Attributes:
        live: What goes on, by model id; told by whoever updates, in this tab or another.
        checking: Whether somebody looks for updates now.
    """

    def __init__(self, models: list[dict[str, Any]], library: Library, platform: Platform) -> None:
        self._models = models
        self._library = library
        self._platform = platform
        self.live: dict[str, Live] = {}
        self.checking = False
        self.development = False

    async def all(self) -> dict[str, Any]:
        """The whole picture."""
        store = self._platform.store
        installed = {model.model: model for model in await self._library.list()}
        pending = {offer.model: offer for offer in await offers.pending(self._platform)}
        parts = await store.part_sizes()
        abilities = await unfit.abilities(self._platform)
        check = await store.record("meta", "check") or {"at": None, "problem": None, "models": {}}
        return {
            "models": [
                self._model(
                    entry, installed.get(entry["id"]), pending.get(entry["id"]), parts, abilities
                )
                | {"checked_at": check["at"], "problem": check["models"].get(entry["id"])}
                for entry in self._models
            ],
            "storage": await self.storage(),
            "history": [asdict(entry) | {"from": entry.before, "to": entry.after}
                        for entry in await history.read(store)],
            "check": {
                "at": check["at"],
                "problem": check["problem"],
                "running": self.checking,
                "development": self.development,
            },
            "device": {"rollouts": await store.record("meta", "device") is not None},
        }  # fmt: skip

    async def storage(self) -> dict[str, Any]:
        """What is stored, and how much room there is."""
        space = await self._platform.store.space()
        return {
            "used": space.used,
            "used_text": in_words(space.used),
            "quota": space.quota,
            "quota_text": in_words(space.quota),
            "persisted": space.persisted,
        }

    def _model(
        self,
        entry: dict[str, Any],
        model: InstalledModel | None,
        offer: Offer | None,
        parts: dict[str, int],
        abilities: Abilities,
    ) -> dict[str, Any]:
        site = {key: entry[key] for key in ("id", "task", "title", "bytes")}
        facts = site | {"bytes_text": in_words(entry["bytes"]), "installed": model is not None}
        if model is None:
            nothing = dict.fromkeys(
                ("version", "previous", "pinned", "probation", "update", "withdrawn", "variant")
            )
            empty = {"size": 0, "size_text": in_words(0), "set_aside": [], "reason": ""}
            return facts | nothing | empty
        return facts | {
            "version": str(model.active),
            "previous": model.previous and str(model.previous),
            "pinned": model.pinned and str(model.pinned),
            "variant": {
                "name": model.current.chosen,
                "engine": model.current.variant.engine,
                "engine_title": engine_title(model.current.variant.engine),
            },
            "reason": why(model, abilities),
            "size": model.size,
            "size_text": in_words(model.size),
            "probation": model.probation and {"runs": model.probation.runs, "of": PROBATION_RUNS},
            "set_aside": [
                {"version": str(version), "reason": why} for version, why in model.set_aside.items()
            ],
            "withdrawn": f"Version {model.active} was withdrawn by whoever published it."
            if model.withdrawn(model.active)
            else None,
            "update": offer and self._update(offer, parts),
        }

    def _update(self, offer: Offer, parts: dict[str, int]) -> dict[str, Any]:
        fetch = offer.size if offer.download_size is None else offer.download_size
        come = parts.get(offer.variant.blob.sha256, 0)
        live = self.live.get(offer.model) or _resting(offer, come, fetch)
        return {
            "version": str(offer.release.version),
            "changelog": offer.release.changelog,
            "mandatory": offer.mandatory,
            "size": offer.size,
            "size_text": in_words(offer.size),
            "fetch": fetch,
            "fetch_text": in_words(fetch),
            "state": live.state,
            "received": live.received,
            "total": live.total,
            "reason": live.reason,
            "ask": live.ask,
        }


def _resting(offer: Offer, come: int, fetch: int) -> Live:
    """What is known of an update when nobody is at it."""
    if offer.problem:
        return Live("failed", come, fetch, offer.problem)
    if come:
        return Live("paused", come, max(come, fetch))
    return Live("available", 0, fetch)


def device_facts(device: DeviceProfile) -> dict[str, Any]:
    """A reading of the device in plain data; the page's Python can't hold as many bytes."""
    return asdict(device) | {"storage_free_text": in_words(device.storage_free)}


def why(model: InstalledModel, abilities: Abilities) -> str:
    """Why no better variant of a model is in use, as of now: a sentence; empty: there is none."""
    return reason(model.current.variant, model.current.published, abilities)


def engine_in_words(name: str, described: Mapping[str, Any]) -> str:
    """An engine as the page's details name it.

    Args:
        name: As manifests name it.
        described: What it says of itself.
    """
    text = f"{engine_title(name)} {described['version']}"
    if described.get("build") != "compat":
        return text
    return f"{text}, its build for browsers without relaxed SIMD or shared memory"


def in_words(size: int | None) -> str | None:
    """Bytes as people read them: 4.9 MB."""
    if size is None:
        return None
    value, units = float(size), ["bytes", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:.0f} {units[0]}" if units[0] in ("bytes", "kB") else f"{value:.1f} {units[0]}"
