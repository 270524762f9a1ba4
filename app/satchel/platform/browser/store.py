"""Records and blobs in IndexedDB (https://w3c.github.io/IndexedDB/)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import js
from pyodide.ffi import JsException, to_js

from satchel.errors import SchemaError, StorageError, StorageFullError
from satchel.platform import (
    Change,
    DeleteBlob,
    DeleteParts,
    DeleteRecord,
    Part,
    PutBlob,
    PutPart,
    PutRecord,
    Record,
    Space,
)
from satchel.platform.browser.blobs import BrowserBlob, blob_of
from satchel.platform.browser.host import host

__all__ = ["IndexedDbStore"]

LAYOUT = 2
"""IndexedDB's version: raise it when TABLES changes. What records mean is the library's schema."""

TABLES = ("meta", "models", "blobs", "parts")
"""Keys are text; those of parts are [digest of the blob, offset in it]."""


NO_ROOM = ("QuotaExceededError", "DataError")
"""Chromium's names for it: by its own count, or when the disk takes no more of a Blob. The standard
gives the second to keys that are none; ours are hashes and ids."""


class IndexedDbStore:
    """One database; records are JSON text, blobs are Blobs named by their hash."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._database: Any = None

    async def record(self, table: str, key: str) -> Record | None:
        text = await self._use("get", table, key)
        return None if text is None else json.loads(text)

    async def records(self, table: str) -> dict[str, Record]:
        keys, values = await self._use("getAll", table)
        return {key: json.loads(text) for key, text in zip(keys, values, strict=True)}

    async def blob(self, digest: str) -> BrowserBlob | None:
        value = await self._use("get", "blobs", digest)
        return None if value is None else blob_of(value)

    async def blobs(self) -> dict[str, int]:
        keys, values = await self._use("getAll", "blobs")
        return {key: blob_of(value).size for key, value in zip(keys, values, strict=True)}

    async def parts(self, digest: str) -> Sequence[Part]:
        keys, values = await self._use("getAll", "parts", _parts_of(digest))
        return [Part(int(key[1]), blob_of(value)) for key, value in zip(keys, values, strict=True)]

    async def part_sizes(self) -> dict[str, int]:
        keys, values = await self._use("getAll", "parts")
        sizes: dict[str, int] = {}
        for (digest, _), value in zip(keys, values, strict=True):
            sizes[digest] = sizes.get(digest, 0) + blob_of(value).size
        return sizes

    async def commit(self, changes: Sequence[Change]) -> None:
        if changes:
            await self._use("commit", to_js([_operation(change) for change in changes]))

    async def space(self) -> Space:
        storage = getattr(js.navigator, "storage", None)
        if storage is None:
            return Space(None, None, None)
        estimate = await storage.estimate()
        return Space(int(estimate.usage), int(estimate.quota), bool(await storage.persisted()))

    async def close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    async def _use(self, operation: str, *arguments: Any) -> Any:
        module = await host()
        try:
            if self._database is None:
                self._database = await module.openDatabase(self.name, LAYOUT, to_js(TABLES))
            try:
                return await getattr(module, operation)(self._database, *arguments)
            except JsException as error:
                # Closed to let another tab upgrade; opening afresh tells whether we are too old.
                if error.name != "InvalidStateError":
                    raise
                self._database = await module.openDatabase(self.name, LAYOUT, to_js(TABLES))
                return await getattr(module, operation)(self._database, *arguments)
        except JsException as error:
            raise await self._explained(error) from error

    async def _explained(self, error: JsException) -> StorageError | SchemaError:
        if error.name == "VersionError":
            return SchemaError(
                "The models on this device were stored by a newer version of this page",
                todo="Reload the page",
            )
        if error.name in NO_ROOM:
            space = await self.space()
            return StorageFullError(
                "There is no room for this on the device",
                why=f"This site uses {space.used} bytes of {space.quota} that the browser allows,"
                " or the disk is full",
                todo="Free some space, or remove a model, and try again",
            )
        return StorageError(
            "The browser's storage failed",
            why=f"{error.name}: {error.message}",
            todo="Reload the page; private windows and blocked site data can cause this",
        )


def _operation(change: Change) -> tuple[str, str, Any, Any]:
    match change:
        case PutRecord(table, key, record):
            return "put", table, key, json.dumps(record)
        case DeleteRecord(table, key):
            return "delete", table, key, None
        case PutBlob(digest, BrowserBlob(js=js_blob)):
            return "put", "blobs", digest, js_blob
        case DeleteBlob(digest):
            return "delete", "blobs", digest, None
        case PutPart(digest, start, BrowserBlob(js=js_blob)):
            return "put", "parts", to_js([digest, start]), js_blob
        case DeleteParts(digest, None):
            return "delete", "parts", _parts_of(digest), None
        case DeleteParts(digest, start):
            return "delete", "parts", to_js([digest, start]), None
    raise TypeError(f"not a change of a browser's store: {change!r}")


def _parts_of(digest: str) -> Any:
    # Every array sorts after every number.
    return js.IDBKeyRange.bound(to_js([digest]), to_js([digest, []]))
