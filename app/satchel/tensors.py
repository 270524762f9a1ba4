"""What a model's inputs and outputs look like, and making arrays fit them.

Pure functions on numpy arrays: nothing here knows an engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satchel.errors import InputNameError, InputShapeError, InputTypeError, UnsupportedModelError

__all__ = ["TensorSpec", "check_names", "dtype_of", "element_type_of", "fit"]

ELEMENT_TYPES: Mapping[str, np.dtype[Any]] = {
    "float32": np.dtype(np.float32),
    "float16": np.dtype(np.float16),
    "float64": np.dtype(np.float64),
    "int8": np.dtype(np.int8),
    "int16": np.dtype(np.int16),
    "int32": np.dtype(np.int32),
    "int64": np.dtype(np.int64),
    "uint8": np.dtype(np.uint8),
    "uint16": np.dtype(np.uint16),
    "uint32": np.dtype(np.uint32),
    "uint64": np.dtype(np.uint64),
    "bool": np.dtype(np.bool_),
    "string": np.dtype(object),
}
"""ONNX element types by their onnxruntime names, and the numpy dtype of each.

Strings are object arrays of ``str``, as everywhere in ONNX's Python packages.
"""

ANY_SIZE = "?"
"""The name of a dynamic axis that the model leaves unnamed."""

_NAMES = {dtype: name for name, dtype in ELEMENT_TYPES.items()}


def dtype_of(element_type: str) -> np.dtype[Any]:
    """The numpy dtype of an onnxruntime element type such as ``"float32"``.

    Raises:
        UnsupportedModelError: The type has no numpy counterpart here (complex, bfloat16, …).
    """
    try:
        return ELEMENT_TYPES[element_type]
    except KeyError:
        raise UnsupportedModelError(
            f"The model has a tensor of type {element_type}, which Satchel cannot carry",
            todo=f"Export it with one of: {', '.join(ELEMENT_TYPES)}",
        ) from None


def element_type_of(dtype: np.dtype[Any]) -> str:
    """The onnxruntime element type of a numpy dtype: the inverse of `dtype_of`."""
    return _NAMES[dtype]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output of a model.

    Attributes:
        name: As in the model.
        dtype: The numpy dtype; ``object`` for strings.
        shape: Sizes of the axes; a name (``str``) stands for a dynamic axis, ``"?"`` for one
            without a name.

    >>> TensorSpec("image", np.dtype(np.uint8), ("batch", 224, 224, 3)).describe()
    'uint8[batch, 224, 224, 3]'
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | str, ...]

    def describe(self) -> str:
        """Type and shape as a person writes them."""
        return f"{element_type_of(self.dtype)}{_shown(self.shape)}"


def check_names(given: Sequence[str] | Mapping[str, object], specs: Sequence[TensorSpec]) -> None:
    """Check that exactly the model's inputs are given.

    Raises:
        InputNameError: Some are missing or unknown; the message lists both sides.
    """
    wanted = [spec.name for spec in specs]
    missing = [name for name in wanted if name not in given]
    unknown = [name for name in given if name not in wanted]
    if missing or unknown:
        raise InputNameError(
            f"The model takes {_listed(wanted)}, but was given {_listed(list(given))}",
            why="; ".join(
                text
                for text, names in (
                    (f"missing: {_listed(missing)}", missing),
                    (f"unknown: {_listed(unknown)}", unknown),
                )
                if names
            ),
        )


def fit(value: ArrayLike, spec: TensorSpec) -> NDArray[Any]:
    """Make ``value`` fit ``spec``: its dtype, and contiguous in C order.

    Floats follow numpy's same-kind rule (float64, numpy's default, is welcome where the model
    takes float32); integers may change width as long as every value fits; anything else is an
    error. The result may share memory with ``value``.

    Args:
        value: Any array, nested sequence or scalar that numpy understands.
        spec: The model's input.

    Returns:
        A C-contiguous array of ``spec.dtype``.

    Raises:
        InputTypeError: The dtypes are of different kinds, or a value does not fit.
        InputShapeError: Another number of axes, or a fixed axis of another size.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InputTypeError(
            f"Input '{spec.name}' is not an array", why=str(error), todo=f"Pass {spec.describe()}"
        ) from error
    _check_shape(array.shape, spec)
    if array.dtype != spec.dtype:
        array = _cast(array, spec)
    elif spec.dtype.kind == "O":
        array = _strings(array, spec)
    elif not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return np.asarray(array, order="C")


def _check_shape(shape: tuple[int, ...], spec: TensorSpec) -> None:
    # An empty shape is a scalar or an unknown rank; engines do not tell them apart.
    if not spec.shape:
        return
    if len(shape) == len(spec.shape) and all(
        isinstance(wanted, str) or wanted == size
        for size, wanted in zip(shape, spec.shape, strict=True)
    ):
        return
    raise InputShapeError(
        f"Input '{spec.name}' has shape {_shown(shape)}, but the model takes {_shown(spec.shape)}"
    )


def _cast(array: NDArray[Any], spec: TensorSpec) -> NDArray[Any]:
    source, target = array.dtype, spec.dtype
    if target.kind == "f" and source.kind in "fiu":
        return _cast_float(array, spec)
    if target.kind in "iu" and source.kind in "iu":
        return _cast_integer(array, spec)
    if target.kind in "fiu" and source.kind == "b":
        return array.astype(target)
    if target.kind == "O" and source.kind in "UT":
        return array.astype(object)
    raise InputTypeError(
        f"Input '{spec.name}' is {source}, but the model takes {spec.describe()}",
        todo="Convert it first, so that it is clear how values are to be rounded",
    )


def _cast_float(array: NDArray[Any], spec: TensorSpec) -> NDArray[Any]:
    with np.errstate(over="ignore"):
        result = array.astype(spec.dtype)
    # WASM has no floating-point flags, so overflow is looked for, not trapped.
    if spec.dtype.itemsize < array.dtype.itemsize and not np.isfinite(result).all():
        overflowed = np.isinf(result) & np.isfinite(array)
        if overflowed.any():
            raise InputTypeError(
                f"Input '{spec.name}' holds {array[overflowed].flat[0]!s}, which is too large for"
                f" the model's {spec.describe()}"
            )
    return result


def _cast_integer(array: NDArray[Any], spec: TensorSpec) -> NDArray[Any]:
    limits = np.iinfo(spec.dtype)
    if array.size:
        low, high = int(array.min()), int(array.max())
        if low < limits.min or high > limits.max:
            value = low if low < limits.min else high
            raise InputTypeError(
                f"Input '{spec.name}' is {array.dtype} and holds {value}, but the model takes"
                f" {spec.describe()} ({limits.min} to {limits.max})"
            )
    return array.astype(spec.dtype)


def _strings(array: NDArray[Any], spec: TensorSpec) -> NDArray[Any]:
    for item in array.flat:
        if not isinstance(item, str):
            raise InputTypeError(
                f"Input '{spec.name}' holds a {type(item).__name__}, but the model takes"
                f" {spec.describe()}"
            )
    return array


def _shown(shape: Sequence[int | str]) -> str:
    return "[" + ", ".join(str(size) for size in shape) + "]"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names) or "nothing"
