"""Made-up inputs are the same everywhere, and stay within what their type and meaning allow."""

import numpy as np
import pytest

from satchel.errors import InputTypeError
from satchel.generated import generated, shape_of
from satchel.tensors import TensorSpec


def spec(dtype, *shape):
    return TensorSpec("x", np.dtype(dtype), shape)


def test_numbers_never_change():
    # SplitMix64's own test vector begins with these for the seed 0 (prng.di.unimi.it/splitmix64.c).
    bits = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    want = [(one >> 40) / 2**23 - 1 for one in bits]
    np.testing.assert_array_equal(generated(spec(np.float64, 3)), want)


def test_another_seed_gives_other_numbers():
    one, other = (generated(spec(np.float32, 50), seed) for seed in (1, 2))
    assert np.intersect1d(one, other).size == 0
    np.testing.assert_array_equal(one, generated(spec(np.float32, 50), 1))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_lie_between_minus_one_and_one(dtype):
    numbers = generated(spec(dtype, 10_000))
    assert numbers.dtype == dtype
    assert -1 <= numbers.min() < -0.9
    assert 0.9 < numbers.max() <= 1
    assert abs(numbers.astype(float).mean()) < 0.05


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_small_integers_take_their_whole_range(dtype):
    numbers = generated(spec(dtype, 10_000))
    limits = np.iinfo(dtype)
    assert (numbers.min(), numbers.max()) == (limits.min, limits.max)


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint32, np.bool_])
def test_other_integers_are_good_as_indices_and_masks(dtype):
    numbers = generated(spec(dtype, 100))
    assert numbers.dtype == dtype
    assert set(numbers.tolist()) == {0, 1}


def test_dynamic_axes_have_the_size_that_is_said_or_one():
    assert generated(spec(np.float32, "batch", 3, "length"), sizes={"length": 4}).shape == (1, 3, 4)
    assert shape_of(spec(np.float32), {}) == ()
    assert generated(spec(np.float32)).shape == ()
    assert generated(spec(np.float32, 0, 2)).shape == (0, 2)


def test_nobody_makes_up_text():
    with pytest.raises(InputTypeError, match="takes text"):
        generated(spec(object, 1))
