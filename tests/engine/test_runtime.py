"""EdgeRuntime: casts, shapes, names, queueing, cancelling, errors."""

import asyncio
import sys
from contextlib import asynccontextmanager

import numpy as np
import pytest

import satchel
from satchel import EdgeRuntime, TensorSpec
from satchel import platform as platforms

IN_BROWSER = sys.platform == "emscripten"

SUFFIXES = {"onnxruntime": ".onnx", "litert": ".tflite"}

NUMBERS = {
    "onnxruntime": (
        "float32", "float64", "float16", "int8", "int16", "int32", "int64",
        "uint8", "uint16", "uint32", "uint64",
    ),
    "litert": ("float32", "int32", "uint8"),
}  # fmt: skip


@pytest.fixture(params=SUFFIXES)
def engine(request):
    """The name of an engine; what asks for it is promised by both."""
    if request.param not in platforms.current().engines:
        pytest.skip(f"there is no {request.param} for this machine")
    return request.param


@pytest.fixture
def own(files, engine):
    """Reads a model by name, in the format of the engine."""
    return lambda name: (files / f"{name}{SUFFIXES[engine]}").read_bytes()


async def test_every_numeric_dtype_goes_in_and_comes_out_unchanged(own, engine):
    for kind in NUMBERS[engine]:
        await check_identity(own(f"identity-{kind}"), kind)


async def check_identity(model, kind):
    async with EdgeRuntime(model) as runtime:
        limits = np.finfo(kind) if np.dtype(kind).kind == "f" else np.iinfo(kind)
        x = np.array([[0, 1, 2], [limits.min, limits.max, 3]], kind)
        y = await runtime.infer(x)
    assert y.dtype == x.dtype
    np.testing.assert_array_equal(y, x)


async def test_booleans_and_strings_go_in_and_come_out_unchanged(model):
    async with EdgeRuntime(model("identity-bool")) as runtime:
        y = await runtime.infer([[True, False]])
    assert y.dtype == np.bool_
    assert y.tolist() == [[True, False]]
    async with EdgeRuntime(model("identity-string")) as runtime:
        for x in ([["grüße", ""]], np.array([["grüße", ""]]), np.array([["grüße", ""]], object)):
            y = await runtime.infer(x)
            assert y.dtype == object
            assert y.tolist() == [["grüße", ""]]


async def test_specs_tell_names_dtypes_and_shapes_with_dynamic_axes(model):
    async with EdgeRuntime(model("several")) as runtime:
        assert runtime.inputs == (
            TensorSpec("a", np.dtype(np.float32), ("batch", 3)),
            TensorSpec("b", np.dtype(np.float32), ("batch", 3)),
        )
        assert [spec.name for spec in runtime.outputs] == ["sum", "difference"]
    async with EdgeRuntime(model("unnamed")) as runtime:
        assert runtime.inputs[0].shape == ("?", 2)


async def test_several_inputs_and_outputs_go_by_name(own):
    async with EdgeRuntime(own("several")) as runtime:
        a, b = np.ones((2, 3)), np.full((2, 3), 2.0)
        for outputs in (await runtime.run({"a": a, "b": b}), await runtime.infer({"b": b, "a": a})):
            np.testing.assert_array_equal(outputs["sum"], np.full((2, 3), 3, np.float32))
            np.testing.assert_array_equal(outputs["difference"], np.full((2, 3), -1, np.float32))


async def test_one_array_is_refused_where_the_model_takes_several(own):
    async with EdgeRuntime(own("several")) as runtime:
        with pytest.raises(satchel.InputError, match=r"takes 2 inputs .*'a', 'b'"):
            await runtime.infer(np.ones((2, 3)))


async def test_names_are_checked_and_both_sides_listed(own):
    async with EdgeRuntime(own("several")) as runtime:
        with pytest.raises(
            satchel.InputNameError, match=r"takes 'a', 'b', but was given 'a', 'c'.*missing: 'b'"
        ):
            await runtime.run({"a": np.ones((1, 3)), "c": np.ones((1, 3))})


async def test_shapes_are_checked_and_both_shown(model):
    async with EdgeRuntime(model("several")) as runtime:
        with pytest.raises(
            satchel.InputShapeError, match=r"'b' has shape \[2, 4\], .* takes \[batch, 3\]"
        ):
            await runtime.run({"a": np.ones((2, 3)), "b": np.ones((2, 4))})
        with pytest.raises(satchel.InputShapeError, match=r"\[3\]"):
            await runtime.run({"a": np.ones(3), "b": np.ones(3)})


async def test_what_the_model_itself_refuses_is_an_error_and_the_runtime_lives_on(model):
    # Both fit the spec each, but not each other.
    async with EdgeRuntime(model("several")) as runtime:
        with pytest.raises(satchel.SatchelError):
            await runtime.run({"a": np.ones((2, 3)), "b": np.ones((4, 3))})
        outputs = await runtime.run({"a": np.ones((2, 3)), "b": np.ones((2, 3))})
        assert outputs["sum"].sum() == 12


@pytest.mark.parametrize("rows", [0, 1, 7])
async def test_batches_of_any_size_even_none(model, rows):
    async with EdgeRuntime(model("several")) as runtime:
        x = np.ones((rows, 3))
        outputs = await runtime.run({"a": x, "b": x})
        assert outputs["sum"].shape == (rows, 3)


async def test_any_memory_layout(own):
    async with EdgeRuntime(own("fixed")) as runtime:
        x = np.arange(-6, 6, dtype=np.float32).reshape(2, 6)[:, ::2]
        for laid_out in (x, np.asfortranarray(x), x[::-1][::-1], x.astype(">f4"), x.tolist()):
            np.testing.assert_array_equal(await runtime.infer(laid_out), np.maximum(x, 0))
        frozen = np.ascontiguousarray(x)
        frozen.flags.writeable = False
        np.testing.assert_array_equal(await runtime.infer(frozen), np.maximum(x, 0))


async def test_inputs_are_left_alone_and_outputs_own_their_memory(own):
    async with EdgeRuntime(own("fixed")) as runtime:
        x = np.arange(6, dtype=np.float32).reshape(2, 3)
        first = await runtime.infer(x)
        second = await runtime.infer(x + 1)
        np.testing.assert_array_equal(x, np.arange(6).reshape(2, 3))
        np.testing.assert_array_equal(first, x)
        assert first.flags.owndata
        assert first.flags.writeable
        assert not np.shares_memory(first, second)


async def test_scalars(own):
    async with EdgeRuntime(own("scalar")) as runtime:
        y = await runtime.infer(21.0)
        assert y.shape == ()
        assert y == 42


async def test_the_caller_may_reuse_the_buffer_of_the_model(own):
    data = bytearray(own("fixed"))
    runtime = EdgeRuntime(data)
    data[:] = bytes(len(data))
    np.testing.assert_array_equal(await runtime.infer(np.ones((2, 3))), np.ones((2, 3)))
    await runtime.close()


async def test_calls_queue_and_answer_in_order(own):
    async with EdgeRuntime(own("fixed")) as runtime:
        order = []

        async def call(number):
            y = await runtime.infer(np.full((2, 3), number))
            order.append(number)
            return y[0, 0]

        answers = await asyncio.gather(*(call(number) for number in range(8)))
        assert answers == order == list(range(8))


async def test_bytes_that_are_no_model_are_named_and_the_engine_lives_on(own, engine):
    kind = {"onnxruntime": "no ONNX model", "litert": "no model that LiteRT can read"}[engine]
    for junk in (b"", b"not a model", bytes(4096), own("several")[:-40]):
        with pytest.raises(satchel.ModelFormatError, match=kind):
            await EdgeRuntime(junk, engine=engine).load()
    async with EdgeRuntime(own("fixed")) as runtime:
        assert (await runtime.infer(np.ones((2, 3)))).sum() == 6


async def test_an_operator_that_the_engine_lacks_is_named(own):
    with pytest.raises(satchel.ModelError, match="Levitate"):
        await EdgeRuntime(own("unknown_operator")).load()


async def test_inputs_that_are_no_tensors_are_named(model):
    with pytest.raises(satchel.UnsupportedModelError, match="'s'"):
        await EdgeRuntime(model("sequence")).load()


async def test_what_holds_no_bytes_is_refused():
    with pytest.raises(satchel.InputError, match="as bytes"):
        EdgeRuntime(42)


async def test_an_engine_that_is_not_here_is_named(model):
    with pytest.raises(satchel.EngineUnavailableError, match=r"'abacus'.*onnxruntime"):
        EdgeRuntime(model("fixed"), engine="abacus")


async def test_the_engine_follows_from_the_file(own, engine, platform):
    async with EdgeRuntime(own("fixed"), platform=platform) as runtime:
        assert runtime.engine == engine
        await runtime.cache_model("by-itself")
    cached = await EdgeRuntime.load_cached_model("by-itself", platform=platform)
    async with cached:
        assert cached.engine == engine
        assert (await cached.infer(np.ones((2, 3)))).sum() == 6


# In WASM 4 GiB are all there is: a bit less than that passes every check but the allocator's.
TOO_MUCH = [(1 << 20, 1 << 22), *([(1022, 1 << 20)] if IN_BROWSER else [])]

# LiteRT on CPython can't be interrupted: there a second is endless.
ENDLESS = {"onnxruntime": 1 << 40, "litert": 1 << 30 if IN_BROWSER else 3000}


@pytest.mark.parametrize("part", range(2))
async def test_out_of_memory_is_an_error_and_other_models_live_on(model, part):
    async with EdgeRuntime(model("fixed")) as other, EdgeRuntime(model("hungry")) as hungry:
        with pytest.raises(satchel.OutOfMemoryError, match="smaller"):
            await hungry.infer(np.array(TOO_MUCH[part % len(TOO_MUCH)]))
        assert (await other.infer(np.ones((2, 3)))).sum() == 6
        assert await hungry.infer(np.array([2, 2])) == 0


async def test_a_run_that_takes_too_long_is_stopped_and_the_model_can_be_used_again(own, engine):
    async with EdgeRuntime(own("slow")) as runtime:
        with pytest.raises(satchel.InferenceTimeoutError, match=r"within 0.2 seconds"):
            await runtime.run({"times": ENDLESS[engine]}, timeout=0.2)
        assert await runtime.infer(3) == 192


async def test_cancelling_the_running_call_lets_the_waiting_ones_go_on(own, engine):
    async with EdgeRuntime(own("slow")) as slow, EdgeRuntime(own("fixed")) as other:
        endless = asyncio.ensure_future(slow.infer(ENDLESS[engine]))
        await asyncio.sleep(0.05)
        waiting = asyncio.ensure_future(slow.infer(2))
        beside = asyncio.ensure_future(other.infer(np.ones((2, 3))))
        await asyncio.sleep(0.05)
        endless.cancel()
        with pytest.raises(asyncio.CancelledError):
            await endless
        assert await waiting == 192
        assert (await beside).sum() == 6


async def test_cancelling_a_waiting_call_leaves_the_running_one_alone(own):
    async with EdgeRuntime(own("slow")) as runtime:
        running = asyncio.ensure_future(runtime.infer(2000))
        waiting = asyncio.ensure_future(runtime.infer(1))
        await asyncio.sleep(0)
        waiting.cancel()
        assert await running == 192
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_closing_twice_is_allowed_and_using_it_afterwards_is_an_error(own):
    runtime = await EdgeRuntime(own("fixed")).load()
    await runtime.close()
    await runtime.close()
    with pytest.raises(satchel.InputError, match="closed"):
        await runtime.infer(np.ones((2, 3)))


async def test_specs_before_loading_are_an_error_that_says_what_to_do(own):
    with pytest.raises(satchel.InputError, match=r"await runtime.load()"):
        _ = EdgeRuntime(own("fixed")).inputs


async def test_what_holds_a_model_s_file_is_let_go_even_when_the_model_fails_first(platform):
    held = []

    @asynccontextmanager
    async def slowly():
        await asyncio.sleep(0.3)  # a lock that others hold
        held.append("taken")
        yield
        held.append("let go")

    runtime = EdgeRuntime(b"no model", lease=slowly(), platform=platform)
    with pytest.raises(satchel.ModelError):
        await runtime.load()
    await runtime.close()
    assert held == ["taken", "let go"]


@pytest.fixture
def tflite(files):
    """Reads a .tflite by name, where LiteRT is."""
    if "litert" not in platforms.current().engines:
        pytest.skip("there is no LiteRT for this machine")
    return lambda name: (files / f"{name}.tflite").read_bytes()


async def test_a_tflite_file_without_a_signature_goes_by_its_tensors_names(tflite):
    async with EdgeRuntime(tflite("unsigned")) as runtime:
        assert (await runtime.run({"x": -np.ones((2, 3))}))["y"].sum() == 0
        assert runtime.inputs == (TensorSpec("x", np.dtype(np.float32), (2, 3)),)


async def test_a_tflite_file_that_breaks_its_reader_down_is_at_fault_itself(tflite):
    async with EdgeRuntime(tflite("fixed")) as other:
        with pytest.raises(satchel.ModelFormatError):
            await EdgeRuntime(tflite("hollow")).load()
        assert (await other.infer(np.ones((2, 3)))).sum() == 6


async def test_a_run_that_litert_gives_up_is_an_error_and_the_runtime_lives_on(tflite):
    # LiteRT.js hands out tensors all the same, with whatever was in memory.
    async with EdgeRuntime(tflite("refusing")) as runtime:
        for _ in range(2):
            with pytest.raises(satchel.InferenceError, match=r"RELU.* failed to invoke"):
                await runtime.infer(np.ones((2, 3), np.int32))


async def test_of_a_border_that_litert_does_not_carry_the_browser_says_so(tflite):
    unlike = {"int8": "identity-int8", "int64": "identity-int64", "bool": "identity-bool"}
    for words, name in {**unlike, "-1, 2": "unnamed"}.items():
        runtime = EdgeRuntime(tflite(name))
        if IN_BROWSER:
            with pytest.raises(satchel.UnsupportedModelError, match=f"'x' is .?{words}"):
                await runtime.load()
        else:  # its Python package carries them
            ones = np.ones((2, 2 if name == "unnamed" else 3))
            kind = "float32" if name == "unnamed" else words
            np.testing.assert_array_equal(await runtime.infer(ones.astype(kind)), ones)
        await runtime.close()


async def test_more_memory_than_litert_has_is_an_error_and_other_models_live_on(tflite):
    # Where the file fills memory that nobody gave it, WASM breaks down.
    kinds = (satchel.OutOfMemoryError, satchel.EngineCrashedError)
    async with EdgeRuntime(tflite("fixed")) as other, EdgeRuntime(tflite("hungry")) as hungry:
        for shape in ((1 << 16, 1 << 17), *([(1022, 1 << 20)] if IN_BROWSER else [])):
            with pytest.raises(kinds if IN_BROWSER else satchel.InferenceError):
                await hungry.infer(np.array(shape))
            assert (await other.infer(np.ones((2, 3)))).sum() == 6
            assert await hungry.infer(np.array([2, 2])) == 0
