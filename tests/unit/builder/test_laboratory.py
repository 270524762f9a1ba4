"""The laboratory's order of turns and its bytes, without a browser."""

from pathlib import Path

import numpy as np

from builder.laboratory import exchange, turns
from satchel_models.measurement import Contestant, Schedule
from satchel_models.recipe import Session

BASIC = Session("basic")


def contestant(name, memory, **more):
    return Contestant(name, "onnxruntime", Path(name), BASIC, {"a": {}, "b": {}}, memory, **more)


def names(groups):
    return ["".join(one.name for one in group) for group in groups]


def test_every_group_has_the_first_one_and_fits_the_memory():
    four = [contestant(name, 300) for name in "abcdef"]
    assert names(turns.groups(four, 1000)) == ["abc", "ade", "af"]
    assert names(turns.groups(four, 10_000)) == ["abcdef"]
    assert names(turns.groups(four[:1], 10)) == ["a"]


def test_what_fits_no_group_is_tried_beside_the_first_one_alone():
    assert names(turns.groups([contestant(name, 900) for name in "abc"], 1000)) == ["ab", "ac"]


def test_each_round_has_everybody_once_in_an_order_that_the_seed_decides():
    rounds = list(turns.orders("abcde", 40, 3))
    assert all(sorted(order) == list("abcde") for order in rounds)
    assert rounds == list(turns.orders("abcde", 40, 3))
    assert rounds != list(turns.orders("abcde", 40, 4))
    places = np.array([order.index("a") for order in rounds])
    assert set(places) == set(range(5))  # nobody is always first


def test_a_turn_is_long_enough_for_the_clock_and_no_longer_than_need_be():
    schedule = Schedule(turn_ms=160, least=2, most=50)
    assert [turns.length(ms, schedule) for ms in (500, 60, 20, 1, 0)] == [2, 3, 8, 50, 50]


def test_all_turns_are_counted_for_the_progress():
    schedule = Schedule(threads=(1, 2), rounds=3, sessions=4)
    three = [contestant(name, 1) for name in "abc"]
    assert turns.count(three, schedule) == 3 * (2 * 2 * 3 + 4)


def test_who_has_one_thread_only_has_no_turns_at_two():
    schedule = Schedule(threads=(1, 2), rounds=3, sessions=4)
    two = [contestant("a", 1), contestant("b", 1, threads=(1,))]
    assert turns.count(two, schedule) == 2 * (2 * 3 + 4) + 1 * 2 * 3


def test_contestants_share_a_worker_where_engine_and_features_are_the_same():
    plain = contestant("a", 1, without=frozenset({"relaxed-simd"}))
    assert contestant("b", 1).runtime == contestant("c", 1).runtime != plain.runtime


def test_inputs_and_outputs_keep_their_names_shapes_dtypes_and_values():
    random = np.random.default_rng(0)
    given = [
        {"x": random.normal(size=(2, 3)).astype(np.float32), "n": np.int64(7) + np.zeros((), int)},
        {"x": random.normal(size=(1, 3)).astype(np.float32).T.T, "n": np.array(-1)},
    ]
    content, told = exchange.packed(given)
    back = [[[name, dtype, dims, to - start] for name, dtype, dims, start, to in s] for s in told]
    for before, after in zip(given, exchange.unpacked(content, back), strict=True):
        assert list(after) == ["x", "n"]
        for name, value in before.items():
            np.testing.assert_array_equal(after[name], value)
            assert after[name].dtype == value.dtype


def test_a_transposed_array_goes_out_in_the_order_of_its_axes():
    value = np.arange(6).reshape(2, 3).T
    content, (((_, _, dims, _, _),),) = exchange.packed([{"x": value}])
    np.testing.assert_array_equal(np.frombuffer(content, value.dtype).reshape(dims), value)
