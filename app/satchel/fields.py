"""Reading JSON data strictly: one reader for each kind of field, and an error that names the field.

A reader takes (value, where) and gives the parsed value, or raises a ManifestError that says where.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from satchel.errors import ManifestError

__all__ = [
    "Reader",
    "boolean",
    "build",
    "list_of",
    "map_of",
    "mapping",
    "number",
    "one_of",
    "optional",
    "size",
    "text",
    "wrong",
]

Reader = Callable[[object, str], Any]
T = TypeVar("T")


def build(kind: type[T], data: dict[str, object], where: str, **readers: Reader) -> T:
    """A dataclass of parsed fields; fields without a default must be there, no others may."""
    required = {field.name for field in fields(kind) if _is_required(field)}  # type: ignore[arg-type]
    for name in data.keys() - readers.keys():
        raise wrong(f"{where}.{name}", "is unknown")
    for name in sorted(required - data.keys()):
        raise wrong(f"{where}.{name}", "is missing")
    return kind(**{name: readers[name](value, f"{where}.{name}") for name, value in data.items()})


def _is_required(item: Any) -> bool:
    return item.default is MISSING and item.default_factory is MISSING


def wrong(where: str, problem: str) -> ManifestError:
    """The error for a field."""
    return ManifestError(f"The manifest's field {where} {problem}")


def mapping(value: object, where: str) -> dict[str, object]:
    """An object, as a copy that may be taken apart."""
    if not isinstance(value, dict):
        raise wrong(where, "is no object")
    return dict(value)


def text(value: object, where: str) -> str:
    """A string."""
    if not isinstance(value, str):
        raise wrong(where, "is no text")
    return value


def boolean(value: object, where: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise wrong(where, "is neither true nor false")
    return value


def number(value: object, where: str) -> float:
    """An integer or a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(where, "is no number")
    return value


def size(value: object, where: str) -> int:
    """A whole number from 0 up."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise wrong(where, "is no whole number from 0 up")
    return value


def one_of(*choices: str) -> Reader:
    """One of some strings."""

    def read(value: object, where: str) -> str:
        if value not in choices:
            raise wrong(where, f"is none of {', '.join(choices)}")
        return str(value)

    return read


def optional(reader: Reader) -> Reader:
    """Null, or what the reader reads."""
    return lambda value, where: None if value is None else reader(value, where)


def list_of(reader: Reader) -> Reader:
    """A list, as a tuple of what the reader reads."""

    def read(value: object, where: str) -> tuple[Any, ...]:
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise wrong(where, "is no list")
        return tuple(reader(item, f"{where}[{index}]") for index, item in enumerate(value))

    return read


def map_of(reader: Reader) -> Reader:
    """An object whose values the reader reads."""

    def read(value: object, where: str) -> dict[str, Any]:
        return {key: reader(item, f"{where}.{key}") for key, item in mapping(value, where).items()}

    return read
