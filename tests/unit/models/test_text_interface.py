"""A sentence encoder of one's own gives one vector of length 1 a text, whatever it gave before."""

import json

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from satchel.tasks.wordpiece import WordPiece
from satchel_models import Recipe, graph
from satchel_models.errors import SourceError, TaskError
from satchel_models.text_interface import with_text_interface

RECIPE = """
id = "notes"
task = "embed"
title = "Notes"
version = "1.0.0"
changelog = ""
[source]
file = "notes.onnx"
[embed]
vocabulary = "vocab.txt"
"""
WIDTH = 3
TABLE = np.random.default_rng(2).standard_normal((10, WIDTH)).astype(np.float32)


@pytest.fixture
def recipe(tmp_path):
    def make(*lines):
        return Recipe.parse(RECIPE + "\n".join(lines), tmp_path)

    return make


def encoder(*names, kind=onnx.TensorProto.INT64, output="last_hidden_state"):
    """A lookup of each token, as an encoder of no layers has it."""
    taken = [helper.make_tensor_value_info(name, kind, ["n", "length"]) for name in names]
    inside = helper.make_graph(
        [helper.make_node("Gather", ["table", names[0]], [output])],
        "g",
        taken,
        [helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, ["n", "length", WIDTH])],
        [numpy_helper.from_array(TABLE, "table")],
    )
    return helper.make_model(inside, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def embed(model, ids, mask=None):
    feeds = {"input_ids": np.array(ids, np.int64)}
    if mask is not None:
        feeds["attention_mask"] = np.array(mask, np.int64)
    return graph.run(model.SerializeToString(), feeds)


def test_tokens_become_their_mean_without_what_fills_up(recipe):
    made = with_text_interface(encoder("input_ids", "attention_mask"), recipe())
    found = embed(made, [[1, 2, 0, 0], [3, 4, 5, 6]], [[1, 1, 0, 0], [1, 1, 1, 1]])
    for row, ids in zip(found, ([1, 2], [3, 4, 5, 6]), strict=True):
        mean = TABLE[ids].mean(axis=0)
        np.testing.assert_allclose(row, mean / np.linalg.norm(mean), atol=1e-6)


def test_the_first_token_stands_for_the_text_where_the_recipe_says_so(recipe):
    made = with_text_interface(encoder("input_ids"), recipe('pooling = "cls"'))
    found = embed(made, [[7, 2]])
    np.testing.assert_allclose(found[0], TABLE[7] / np.linalg.norm(TABLE[7]), atol=1e-6)


def test_a_newer_operator_set_gives_the_same(recipe):
    model = encoder("input_ids", "attention_mask")
    old = embed(with_text_interface(model, recipe()), [[1, 2]], [[1, 1]])
    model.opset_import[0].version = 18
    new = embed(with_text_interface(model, recipe()), [[1, 2]], [[1, 1]])
    np.testing.assert_array_equal(old, new)


def test_a_mean_needs_a_mask(recipe):
    with pytest.raises(TaskError, match=r'takes no attention_mask.*pooling = "cls"'):
        with_text_interface(encoder("input_ids"), recipe())


@pytest.mark.parametrize(
    "model",
    [encoder("tokens"), encoder("input_ids", "extra"), encoder("input_ids", kind=6)],
    ids=["another name", "one more", "int32"],
)
def test_what_takes_no_token_ids_is_told_so(recipe, model):
    with pytest.raises(TaskError, match="but an embed model takes input_ids"):
        with_text_interface(model, recipe())


def test_a_vocabulary_becomes_a_tokenizer_that_knows_it(recipe, tmp_path):
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nfox\n##es\n", "utf-8")
    text = recipe("max_tokens = 5").texts()["tokenizer"]
    assert WordPiece.parse(text)("Foxes [MASK] dog fox") == [2, 5, 6, 4, 3]


def test_a_vocabulary_of_another_kind_is_refused(recipe, tmp_path):
    (tmp_path / "vocab.txt").write_text("<s>\n</s>\nfox\n", "utf-8")
    with pytest.raises(SourceError, match=r"lacks \[PAD\], \[UNK\], \[CLS\], \[SEP\]"):
        recipe().texts()
    (tmp_path / "vocab.txt").unlink()
    with pytest.raises(SourceError, match="can't be read"):
        recipe().texts()
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"type": "BPE"}}), "utf-8")
    asked = Recipe.parse(RECIPE.replace("vocab.txt", "tokenizer.json"), tmp_path)
    with pytest.raises(SourceError, match="is no BERT tokenizer"):
        asked.texts()
