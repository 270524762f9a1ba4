"""Hashing files, and putting finished work in place in one move."""

import hashlib
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def sha256(path: Path) -> str:
    """Return the hex SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def short(data: bytes | str) -> str:
    """Return the ten hex digits that name content in URLs."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()[:10]


def folder_hash(files: Mapping[str, str]) -> str:
    """Return the ten hex digits for a folder, from its files' names and SHA-256."""
    return short("".join(f"{name} {files[name]}\n" for name in sorted(files)))


def tree(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield every file below a folder with its relative POSIX path, sorted."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def fingerprint(paths: Iterable[Path], *extra: str) -> str:
    """Return one hash over the names and contents of files and folders, and of some strings."""
    digest = hashlib.sha256("\0".join(extra).encode())
    for path in paths:
        found = tree(path) if path.is_dir() else [(path.name, path)] if path.exists() else []
        digest.update(f"\n{path}\n".encode())
        for name, file in found:
            if "__pycache__" not in name:
                digest.update(f"{name} {sha256(file)}\n".encode())
    return digest.hexdigest()


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside `folder` that takes its place if nothing goes wrong.

    A failed run leaves the old folder as it was.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = folder.with_name(f".{folder.name}-{uuid.uuid4().hex[:8]}")
    work.mkdir()
    try:
        yield work
        old = work.with_name(work.name + "-old")
        if folder.exists():
            folder.rename(old)
        work.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def write_whole(path: Path, data: bytes | str) -> None:
    """Write a file so that a reader sees the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}")
    part.write_bytes(data.encode() if isinstance(data, str) else data)
    part.replace(path)
