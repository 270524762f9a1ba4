"""Strangers' words made harmless: a model's name may hold anything, and ends up in a terminal."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TypeVar, cast

T = TypeVar("T")

INSTEAD = "\N{REPLACEMENT CHARACTER}"


def printable(value: T) -> T:
    r"""Return a report, or a part of one, without control characters in its texts.

    An escape sequence would move the cursor of a terminal, a direction mark would turn a line
    round, a line break would tear a table.

    Example:
        >>> printable("\x1b[2Jnice") == INSTEAD + "[2Jnice"
        True
    """
    return cast(T, _made(value))


def _made(value: object) -> object:
    if isinstance(value, str):
        return "".join(letter if letter.isprintable() else INSTEAD for letter in value)
    if isinstance(value, Path):
        return Path(str(_made(str(value))))
    if is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: _made(getattr(value, field.name)) for field in fields(value)}
        return type(value)(**parts)
    if isinstance(value, Mapping):
        return {_made(key): _made(inside) for key, inside in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_made(inside) for inside in value)
    return value
