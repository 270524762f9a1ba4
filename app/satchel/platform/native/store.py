"""Records and blobs as files, for CPython.

    <root>/records/<table>.json     all records of a table
    <root>/blobs/<sha256>           one blob each
    <root>/parts/<sha256>/<start>   verified bytes of a blob that is not here as a whole yet
    <root>/journal.json             a commit under way, applied again after a crash

A commit writes new files beside their place and flushes them, then the journal, then carries it
out; the journal's rename is the instant at which the commit counts.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from satchel.errors import StorageError, StorageFullError
from satchel.platform import (
    Blob,
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
from satchel.platform.native.blobs import FileBlob

if TYPE_CHECKING:
    from filelock import BaseFileLock

__all__ = ["FileStore"]

T = TypeVar("T")

COPY = 1024 * 1024
"""Bytes of a blob that are copied at a time."""


class FileStore:
    """A folder. Use it under the platform's locks: it does not lock by itself."""

    def __init__(self, root: Path) -> None:
        self.root = root

    async def record(self, table: str, key: str) -> Record | None:
        return (await self.records(table)).get(key)

    async def records(self, table: str) -> dict[str, Record]:
        return await self._io(lambda: self._read_table(table))

    async def blob(self, digest: str) -> FileBlob | None:
        path = self.root / "blobs" / digest
        return FileBlob(path) if path.exists() else None

    async def blobs(self) -> dict[str, int]:
        return {
            path.name: path.stat().st_size
            for path in (self.root / "blobs").glob("*")
            if not path.suffix
        }

    async def parts(self, digest: str) -> Sequence[Part]:
        await self._io(self._recover)
        found = (path for path in (self.root / "parts" / digest).glob("*") if not path.suffix)
        return [Part(int(path.name), FileBlob(path)) for path in sorted(found, key=_start)]

    async def part_sizes(self) -> dict[str, int]:
        await self._io(self._recover)
        sizes: dict[str, int] = {}
        for path in (self.root / "parts").glob("*/*"):
            if not path.suffix:
                digest = path.parent.name
                sizes[digest] = sizes.get(digest, 0) + path.stat().st_size
        return sizes

    async def commit(self, changes: Sequence[Change]) -> None:
        if not changes:
            return
        await self._io(self._recover)
        puts = [change for change in changes if isinstance(change, PutBlob | PutPart)]
        staged = [self.root / f"{_path(put)}.new" for put in puts]
        try:
            for put, path in zip(puts, staged, strict=True):
                await self._stage(put.blob, path)
            await self._io(lambda: self._carry_out(changes))
        finally:
            for path in staged:
                path.unlink(missing_ok=True)

    async def space(self) -> Space:
        used = sum(path.stat().st_size for path in self.root.rglob("*") if path.is_file())
        try:
            status = os.statvfs(self.root if self.root.exists() else self.root.parent)
        except (AttributeError, OSError):  # Windows, or nothing stored yet
            return Space(used, None, True)
        return Space(used, used + status.f_bavail * status.f_frsize, True)

    async def close(self) -> None:
        """Nothing is held open."""

    async def _stage(self, blob: Blob, path: Path) -> None:
        await self._io(lambda: path.parent.mkdir(parents=True, exist_ok=True))
        for start in range(0, max(blob.size, 1), COPY):
            piece = await blob.read(start, start + COPY)
            await self._io(lambda s=start, p=piece: _append(path, p, fresh=s == 0))  # type: ignore[misc]

    def _carry_out(self, changes: Sequence[Change]) -> None:
        with self._lock():
            self._replay()
            self._write(changes)
            self._replay()

    def _write(self, changes: Sequence[Change]) -> None:
        tables: dict[str, dict[str, Record]] = {}
        journal: dict[str, Any] = {"tables": tables, "put": [], "delete": []}
        for change in changes:
            match change:
                case PutRecord(table, key, record):
                    tables.setdefault(table, self._table(table))[key] = record
                case DeleteRecord(table, key):
                    tables.setdefault(table, self._table(table)).pop(key, None)
                case PutBlob() | PutPart():
                    journal["put"].append(_path(change))
                case DeleteBlob() | DeleteParts():
                    journal["delete"].append(_path(change))
        _replace(self.root / "journal.json", json.dumps(journal))

    def _recover(self) -> None:
        """Finish a commit that was under way in a process that is gone, or wait for one that is."""
        if (self.root / "journal.json").exists():
            with self._lock():
                self._replay()

    def _lock(self) -> BaseFileLock:
        """Held by whoever changes anything; not for long, unlike the platform's locks."""
        from filelock import FileLock

        self.root.mkdir(parents=True, exist_ok=True)
        return FileLock(self.root / "store.lock")

    def _replay(self) -> None:
        """Carry out what the journal says; doing so twice changes nothing."""
        path = self.root / "journal.json"
        if not path.exists():
            return
        journal = json.loads(path.read_text())
        for name in journal["put"]:
            new = self.root / f"{name}.new"
            if new.exists():
                new.replace(new.with_suffix(""))
        for table, records in journal["tables"].items():
            _replace(self.root / "records" / f"{table}.json", json.dumps(records))
        for name in journal["delete"]:
            gone = self.root / name
            if gone.is_dir():
                shutil.rmtree(gone)
            else:
                gone.unlink(missing_ok=True)
        path.unlink()

    def _read_table(self, table: str) -> dict[str, Record]:
        self._recover()
        return self._table(table)

    def _table(self, table: str) -> dict[str, Record]:
        try:
            records: dict[str, Record] = json.loads(
                (self.root / "records" / f"{table}.json").read_text()
            )
        except FileNotFoundError:
            return {}
        return records

    async def _io(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFullError(
                    f"There is no room for this in {self.root}",
                    why=str(error),
                    todo="Free some space, or remove a model, and try again",
                ) from error
            raise StorageError(f"{self.root} could not be used", why=str(error)) from error


def _path(change: PutBlob | PutPart | DeleteBlob | DeleteParts) -> str:
    """Where it lies, below the root."""
    match change:
        case PutBlob(digest) | DeleteBlob(digest):
            return f"blobs/{digest}"
        case DeleteParts(digest, None):
            return f"parts/{digest}"
        case PutPart(digest, start) | DeleteParts(digest, start):
            return f"parts/{digest}/{start}"


def _start(path: Path) -> int:
    return int(path.name)


def _append(path: Path, data: bytes, *, fresh: bool) -> None:
    with path.open("wb" if fresh else "ab") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    with new.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
