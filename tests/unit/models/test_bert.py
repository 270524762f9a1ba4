"""The encoder's graphs on a network small enough to compute by hand in NumPy."""

import json
import math

import numpy as np
import pytest

from satchel_models import bert, graph
from satchel_models.bert_int8 import Int8Encoder
from satchel_models.errors import SourceError

WIDTH, HEADS, LAYERS, WORDS, PLACES = 32, 4, 2, 50, 16
DIMENSIONS = bert.Dimensions(LAYERS, HEADS, WIDTH, 1e-12)


def weights(seed: int = 0) -> bert.Weights:
    generator = np.random.default_rng(seed)

    def some(*shape: int) -> np.ndarray:
        return generator.normal(0, 0.3, shape).astype(np.float32)

    def linear(name: str, width: int, reads: int) -> dict[str, np.ndarray]:
        return {f"{name}.weight": some(width, reads), f"{name}.bias": some(width)}

    def norm(name: str) -> dict[str, np.ndarray]:
        return {f"{name}.weight": 1 + some(WIDTH), f"{name}.bias": some(WIDTH)}

    made = {
        "embeddings.word_embeddings.weight": some(WORDS, WIDTH),
        "embeddings.position_embeddings.weight": some(PLACES, WIDTH),
        "embeddings.token_type_embeddings.weight": some(2, WIDTH),
        **norm("embeddings.LayerNorm"),
    }
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        for part in ("query", "key", "value"):
            made |= linear(f"{layer}.attention.self.{part}", WIDTH, WIDTH)
        made |= linear(f"{layer}.attention.output.dense", WIDTH, WIDTH)
        made |= linear(f"{layer}.intermediate.dense", 4 * WIDTH, WIDTH)
        made |= linear(f"{layer}.output.dense", WIDTH, 4 * WIDTH)
        made |= norm(f"{layer}.attention.output.LayerNorm") | norm(f"{layer}.output.LayerNorm")
    return made


def by_hand(w: bert.Weights, ids: np.ndarray, types: np.ndarray) -> np.ndarray:
    """The last layer for one text without padding, as the paper writes it."""

    def linear(name, x):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(name, x):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]

    x = w["embeddings.word_embeddings.weight"][ids]
    x = x + w["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm("embeddings.LayerNorm", x + w["embeddings.token_type_embeddings.weight"][types])
    size = WIDTH // HEADS
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        q, k, v = (
            linear(f"{layer}.attention.self.{part}", x).reshape(-1, HEADS, size).swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores = np.exp(q @ k.swapaxes(1, 2) / math.sqrt(size))
        mixed = (scores / scores.sum(-1, keepdims=True)) @ v
        attended = linear(
            f"{layer}.attention.output.dense", mixed.swapaxes(0, 1).reshape(-1, WIDTH)
        )
        x = norm(f"{layer}.attention.output.LayerNorm", attended + x)
        wide = linear(f"{layer}.intermediate.dense", x)
        wide = wide * (1 + np.vectorize(math.erf)(wide / math.sqrt(2))) / 2
        x = norm(f"{layer}.output.LayerNorm", linear(f"{layer}.output.dense", wide) + x)
    return x


def embedded(w: bert.Weights, ids: np.ndarray) -> np.ndarray:
    mean = by_hand(w, ids, np.zeros_like(ids)).mean(0)
    return mean / np.linalg.norm(mean)


def feeds(*texts: list[int], length: int | None = None) -> dict[str, np.ndarray]:
    length = length or max(len(text) for text in texts)
    ids = np.zeros((len(texts), length), np.int64)
    mask = np.zeros_like(ids)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = text
        mask[row, : len(text)] = 1
    return {"input_ids": ids, "attention_mask": mask}


TEXTS = ([3, 14, 15, 9, 2], [6, 5], [35, 8, 9, 7, 9, 3, 2, 38])


def test_the_float32_graph_computes_the_network():
    w = weights()
    found = graph.run(bert.Encoder(w, DIMENSIONS, PLACES).sentences(), feeds(*TEXTS))
    right = np.stack([embedded(w, np.array(text)) for text in TEXTS])
    np.testing.assert_allclose(found, right, atol=1e-5)


def test_padding_changes_nothing_in_float32():
    model = bert.Encoder(weights(), DIMENSIONS, PLACES).sentences()
    tight = graph.run(model, feeds(TEXTS[0]))
    loose = graph.run(model, feeds(TEXTS[0], length=PLACES))
    np.testing.assert_allclose(loose, tight, atol=1e-6)


def test_hidden_states_know_token_types():
    w = weights()
    model = bert.Encoder(w, DIMENSIONS, PLACES, token_types=True).hidden_states()
    ids, types = np.array(TEXTS[2]), np.array([0, 0, 0, 1, 1, 0, 1, 1])
    found = graph.run(model, {**feeds(TEXTS[2]), "token_type_ids": types[None]})
    np.testing.assert_allclose(found[0], by_hand(w, ids, types), atol=2e-5)


def test_the_int8_graph_answers_nearly_alike():
    w = weights()
    small = Int8Encoder(w, DIMENSIONS, PLACES).sentences()
    found = graph.run(small, feeds(*TEXTS), "disabled")
    right = np.stack([embedded(w, np.array(text)) for text in TEXTS])
    assert (found * right).sum(1).min() > 0.98
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_the_int8_graph_stores_every_large_tensor_in_bytes():
    small = Int8Encoder(weights(), DIMENSIONS, PLACES).sentences()
    floats = [t for t in small.graph.initializer if t.data_type == 1 and math.prod(t.dims) > 1000]
    assert not floats


def test_the_same_weights_give_the_same_bytes():
    first, second = (
        graph.canonical(Int8Encoder(weights(), DIMENSIONS, PLACES).sentences()) for _ in range(2)
    )
    deterministic = [model.SerializeToString(deterministic=True) for model in (first, second)]
    assert deterministic[0] == deterministic[1]


def test_another_kind_of_network_is_refused(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"model_type": "bert", "hidden_act": "relu"}))
    with pytest.raises(SourceError, match="hidden_act is 'relu'; only 'gelu' works"):
        bert.Dimensions.read(path)
