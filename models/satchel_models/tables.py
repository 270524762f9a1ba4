"""TOML tables into frozen dataclasses, strictly: what is unknown, missing or mistyped is named."""

from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from satchel_models.errors import RecipeError

T = TypeVar("T")

_NAMES = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}


def read_table(cls: type[T], table: object, where: str, extra: dict[str, Any] | None = None) -> T:
    """Make a `cls` (a dataclass) of `table`.

    Args:
        cls: A dataclass of str, int, float, bool, Literal, tuple[X, ...], dict[str, X], other such
            dataclasses, and X | None (JSON has null; TOML leaves the field out). A field with
            metadata `table=False` is no part of the table.
        table: What the TOML parser gave.
        where: Names the table in errors.
        extra: Values of the fields that are no part of the table.

    Raises:
        RecipeError: a field is unknown, missing or has another type; it is named.
    """
    if not isinstance(table, dict):
        raise RecipeError(f"{where} must be a table, not {_shown(table)}.")
    if not is_dataclass(cls):
        raise TypeError(f"{cls.__name__} is no dataclass")
    hints = get_type_hints(cls)
    known = {f.name: f for f in fields(cls) if f.metadata.get("table", True)}
    for name in table:
        if name not in known:
            raise RecipeError(
                f"{where} has an unknown field {name!r}; it may have {', '.join(known)}."
            )
    values: dict[str, Any] = dict(extra or {})
    for name, f in known.items():
        if name in table:
            values[name] = _read(hints[name], table[name], f"{where}: {name}")
        elif f.default is MISSING and f.default_factory is MISSING:
            raise RecipeError(f"{where} lacks the field {name!r}.")
    return cls(**values)


def _read(hint: Any, value: object, where: str) -> Any:
    origin, args = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return None if value is None else _read(args[0], value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise RecipeError(f"{where} must be a list, not {_shown(value)}.")
        return tuple(_read(args[0], item, f"{where}[{k}]") for k, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            raise RecipeError(f"{where} must be a table, not {_shown(value)}.")
        return {key: _read(args[1], item, f"{where}.{key}") for key, item in value.items()}
    if origin is Literal:
        if value not in args:
            raise RecipeError(f"{where} must be one of {', '.join(args)}, not {_shown(value)}.")
        return value
    if is_dataclass(hint) and isinstance(hint, type):
        return read_table(hint, value, where)
    if hint is float and type(value) is int:
        return float(value)
    # `type is`, not isinstance: true is an int to Python, and no number to a reader.
    if type(value) is not hint:
        raise RecipeError(f"{where} must be {_NAMES[hint]}, not {_shown(value)}.")
    return value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "…"
