"""Casting and shape checks: every promise of `fit` for every pair of dtypes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import satchel
from satchel.tensors import ELEMENT_TYPES, TensorSpec, check_names, dtype_of, element_type_of, fit

FLOATS = ("float16", "float32", "float64")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def spec(dtype, shape=("n",)):
    return TensorSpec("x", np.dtype(dtype), tuple(shape))


@given(
    source=st.sampled_from(INTEGERS),
    target=st.sampled_from(INTEGERS),
    values=st.lists(st.integers(-(2**63), 2**64 - 1), max_size=8),
)
def test_integers_keep_their_value_or_are_refused(source, target, values):
    limits = np.iinfo(source)
    array = np.array([value for value in values if limits.min <= value <= limits.max], source)
    wanted = np.iinfo(target)
    if all(wanted.min <= int(value) <= wanted.max for value in array):
        fitted = fit(array, spec(target))
        assert fitted.dtype == target
        assert [int(value) for value in fitted] == [int(value) for value in array]
    else:
        with pytest.raises(satchel.InputTypeError, match=rf"{source} and holds .* takes {target}"):
            fit(array, spec(target))


@given(
    array=hnp.arrays(np.float64, st.integers(0, 8), elements=st.floats(width=64)),
    target=st.sampled_from(FLOATS),
)
def test_floats_are_rounded_but_never_become_infinite(array, target):
    with np.errstate(over="ignore"):
        expected = array.astype(target)
    if (np.isinf(expected) & np.isfinite(array)).any():
        with pytest.raises(satchel.InputTypeError, match="too large"):
            fit(array, spec(target))
    else:
        np.testing.assert_array_equal(fit(array, spec(target)), expected)


@pytest.mark.parametrize(
    "source", [*FLOATS, *INTEGERS, "bool", "complex64", "U1", "S1", "O", "M8[s]"]
)
@pytest.mark.parametrize("target", [*FLOATS, *INTEGERS, "bool", "object"])
def test_a_kind_that_would_change_meaning_is_refused_and_both_sides_shown(source, target):
    kinds = {"f": "fiub", "i": "iub", "u": "iub", "b": "b", "O": "U"}
    array = np.zeros(2, source)
    if np.dtype(source).kind in kinds[np.dtype(target).kind]:
        assert fit(array, spec(target)).dtype == target
        return
    with pytest.raises(satchel.InputTypeError) as caught:
        fit(array, spec(target))
    assert element_type_of(np.dtype(target)) in str(caught.value)


@given(
    wanted=st.lists(st.one_of(st.integers(0, 3), st.just("n")), min_size=1, max_size=4),
    given_shape=st.lists(st.integers(0, 3), max_size=4),
)
def test_shapes_fit_when_ranks_agree_and_fixed_axes_are_equal(wanted, given_shape):
    fits = len(wanted) == len(given_shape) and all(
        a in ("n", b) for a, b in zip(wanted, given_shape, strict=True)
    )
    array = np.zeros(given_shape, np.float32)
    if fits:
        assert fit(array, spec("float32", wanted)).shape == array.shape
    else:
        with pytest.raises(satchel.InputShapeError) as caught:
            fit(array, spec("float32", wanted))
        assert str(list(given_shape)) in str(caught.value)


def test_what_already_fits_is_passed_on_without_a_copy():
    array = np.arange(4, dtype=np.float32)
    assert np.shares_memory(fit(array, spec("float32")), array)


def test_results_are_contiguous_and_native_whatever_the_layout():
    array = np.arange(12, dtype=">f4").reshape(3, 4)[::-1, ::2]
    fitted = fit(array, spec("float32", ("a", "b")))
    assert fitted.flags.c_contiguous
    assert fitted.dtype.isnative
    np.testing.assert_array_equal(fitted, array)


def test_ragged_lists_are_refused_with_the_reason():
    with pytest.raises(satchel.InputTypeError, match="not an array"):
        fit([[1], [1, 2]], spec("float32", ("a", "b")))


def test_objects_that_are_no_text_are_refused_for_strings():
    with pytest.raises(satchel.InputTypeError, match="holds a int"):
        fit(np.array(["a", 1], object), spec("object"))


def test_names_may_come_in_any_order_but_must_be_exactly_the_models():
    specs = [spec("float32"), TensorSpec("y", np.dtype(np.int64), ())]
    check_names({"y": 0, "x": 0}, specs)
    with pytest.raises(satchel.InputNameError, match="missing: 'y'"):
        check_names({"x": 0}, specs)
    with pytest.raises(satchel.InputNameError, match="unknown: 'z'"):
        check_names({"x": 0, "y": 0, "z": 0}, specs)


def test_element_types_and_dtypes_are_inverse():
    for name, dtype in ELEMENT_TYPES.items():
        assert dtype_of(name) == dtype
        assert element_type_of(dtype) == name
    with pytest.raises(satchel.UnsupportedModelError, match="bfloat16"):
        dtype_of("bfloat16")
