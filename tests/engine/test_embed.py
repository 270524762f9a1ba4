"""The embed task on a model small enough to be judged by eye: it counts token ids."""

import asyncio
import hashlib

import numpy as np
import pytest

import satchel
from satchel.installer import Installer
from satchel.library import Library
from satchel.manifest import Manifest, Reference, Release, Variant
from satchel.tasks import Embed
from satchel.tasks.embed import batches
from satchel.versions import Version


@pytest.fixture
def opened(platform, files, served):
    """Installs an encoder and opens it."""

    async def open_embed(model="bag.onnx"):
        def reference(name):
            data = (files / name).read_bytes()
            return Reference(hashlib.sha256(data).hexdigest(), len(data))

        wanted = {name: reference(name) for name in (model, "tokenizer.txt")}
        names = {item.sha256: name for name, item in wanted.items()}
        variant = Variant(
            "plain", "onnxruntime", wanted[model], files={"tokenizer": wanted["tokenizer.txt"]}
        )
        release = Release(Version.parse("1.0.0"), "", "CC0-1.0", {"browser": (variant,)})
        manifest = Manifest("bag", "embed", "Bag", (release,))
        installer = Installer(Library(platform), platform, lambda item: served + names[item.sha256])
        await installer.install(manifest)
        return await Embed.open("bag", platform=platform)

    return open_embed


def by_hand(embed, text):
    counts = np.bincount(np.array(embed.tokenizer(text)) % 8, minlength=8).astype(np.float32)
    return counts / np.linalg.norm(counts)


async def test_one_text_gives_one_vector(opened):
    embed = await opened()
    vector = await embed("The quick brown fox")
    assert (vector.dtype, vector.shape) == (np.float32, (8,))
    np.testing.assert_allclose(vector, by_hand(embed, "The quick brown fox"), atol=1e-6)
    await embed.close()


async def test_many_texts_come_back_in_their_order_whatever_their_length(opened):
    embed = await opened()
    texts = ["fox " * (17 * n % 300) + "dog" for n in range(60)] + ["", "Fluß, 你好", "[PAD]"]
    vectors = await embed(texts)
    assert (vectors.dtype, vectors.shape) == (np.float32, (63, 8))
    for text, vector in zip(texts, vectors, strict=True):
        np.testing.assert_allclose(vector, by_hand(embed, text), atol=1e-6)
    await embed.close()


async def test_any_iterable_of_texts_will_do_and_none_at_all_too(opened):
    embed = await opened()
    texts = ("fox", "dog")
    np.testing.assert_array_equal(await embed(iter(texts)), await embed(list(texts)))
    nothing = await embed([])
    assert (nothing.dtype, nothing.shape) == (np.float32, (0, 8))
    assert (await embed(["fox"])).shape == (1, 8)
    await embed.close()


@pytest.mark.parametrize(
    ("texts", "named"),
    [
        (None, "not None"),
        (7, "type int"),
        (b"fox", "type bytes"),
        ({"a": "fox"}, "type dict"),
        (["fox", None], r"number 1 \(from 0\) is None"),
        (["fox", "dog", ["cat"]], r"number 2 \(from 0\) is a value of type list"),
    ],
)
async def test_what_is_no_text_is_named(opened, texts, named):
    embed = await opened()
    with pytest.raises(satchel.InputTypeError, match=named):
        await embed(texts)
    await embed.close()


async def test_after_a_cancelled_call_the_next_one_works(opened):
    embed = await opened()
    task = asyncio.ensure_future(embed(["fox " * n for n in range(200)]))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    np.testing.assert_allclose(await embed("dog"), by_hand(embed, "dog"), atol=1e-6)
    await embed.close()


async def test_calls_at_the_same_time_do_not_mix(opened):
    embed = await opened()
    texts = [f"fox {'dog ' * n}" for n in range(12)]
    for text, vector in zip(
        texts, await asyncio.gather(*(embed(text) for text in texts)), strict=True
    ):
        np.testing.assert_allclose(vector, by_hand(embed, text), atol=1e-6)
    await embed.close()


async def test_a_model_that_is_no_sentence_encoder_is_refused(opened):
    with pytest.raises(satchel.ModelFormatError, match="no sentence encoder: it takes image"):
        await opened("colours.onnx")


async def test_a_model_that_is_not_here_is_named(platform):
    with pytest.raises(satchel.ModelNotFoundError, match="minilm-l6"):
        await Embed.open(platform=platform)


async def test_batches_hold_texts_of_similar_length():
    lengths = [3, 250, 12, 12, 4, 128, 64, 64, 13]
    found = list(batches(lengths, 128))
    assert sorted(place for batch in found for place in batch) == list(range(len(lengths)))
    for batch in found:
        assert len(batch) == 1 or len(batch) * max(lengths[k] for k in batch) <= 128
    assert [5] in found
    assert [1] in found
