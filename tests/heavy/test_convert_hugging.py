"""Hugging Face folders become ONNX graphs that answer as `transformers` does."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from satchel_models import sentences
from satchel_models.convert import Original, convert
from satchel_models.embed_recipe import EmbedRecipe
from satchel_models.errors import ConversionError, UntrustedError

pytestmark = pytest.mark.heavy

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent / "originals"


@pytest.fixture(scope="module")
def minilm() -> Path:
    recipe = EmbedRecipe.load(ROOT / "models/minilm-l6")
    return sentences.originals(recipe, ROOT / ".cache/originals").config.parent


@pytest.fixture(scope="module")
def originals(torch_python, minilm, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("originals")
    command = [torch_python, HERE / "write_hugging.py", folder, minilm]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return folder


@pytest.fixture
def step(torch_python, tmp_path):
    class Tools:
        def python(self, environment):
            return torch_python

    def run(path, **options):
        out = tmp_path / "out"
        return convert(Original(path, **options), out, Tools(), lambda text, share: None)

    return run


def test_a_sentence_encoder_of_plain_bert_embeds_as_transformers_does(originals, minilm, step):
    done = step(minilm)
    assert done.origin == "Hugging Face BERT sentence encoder"
    assert [(s.name, s.shape) for s in done.inputs] == [
        ("input_ids", ("batch", "sequence")),
        ("attention_mask", ("batch", "sequence")),
    ]
    assert [(s.name, s.shape) for s in done.outputs] == [("embedding", ("batch", 384))]
    assert "It takes texts of 256 tokens at most." in done.notes
    right = np.load(originals / "right.npz")
    feeds = {"input_ids": right["ids"], "attention_mask": right["mask"]}
    (found,) = onnxruntime.InferenceSession(done.file).run(None, feeds)
    np.testing.assert_allclose(found, right["embedding"], atol=2e-6)


def test_bare_bert_and_its_first_token_agree(originals, tmp_path, step):
    done = step(originals / "bert")
    assert [s.name for s in done.inputs] == ["input_ids", "attention_mask", "token_type_ids"]
    assert done.outputs[0].name == "last_hidden_state"
    ids = np.arange(12).reshape(2, 6)
    feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    types = {"token_type_ids": np.zeros_like(ids)}
    (tokens,) = onnxruntime.InferenceSession(done.file).run(None, {**feeds, **types})
    folder = tmp_path / "sentences"
    shutil.copytree(originals / "bert", folder)
    steps = [{"type": "models.Transformer", "path": ""}, {"type": "models.Pooling", "path": "p"}]
    (folder / "modules.json").write_text(json.dumps(steps))
    (folder / "p").mkdir()
    (folder / "p/config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    (first,) = onnxruntime.InferenceSession(step(folder).file).run(None, feeds)
    np.testing.assert_allclose(first, tokens[:, 0], atol=1e-5)


def test_another_network_for_texts_goes_through_transformers(originals, step):
    done = step(originals / "roberta")
    assert done.origin == "Hugging Face RobertaForSequenceClassification"
    assert [s.shape for s in done.inputs] == [("batch", "input_ids_1")] * 2
    assert [(s.name, s.shape) for s in done.outputs] == [("logits", ("batch", 3))]
    ids = np.arange(4, 25).reshape(3, 7)
    feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    assert onnxruntime.InferenceSession(done.file).run(None, feeds)[0].shape == (3, 3)


def test_a_network_for_images_goes_through_transformers(originals, step):
    done = step(originals / "vit")
    assert [(s.name, s.shape) for s in done.inputs] == [("pixel_values", ("batch", 3, 32, 32))]
    assert [(s.name, s.shape) for s in done.outputs] == [("logits", ("batch", 4))]


def test_a_network_that_transformers_does_not_know_is_named_with_the_way_out(originals, step):
    config = originals / "roberta/config.json"
    before = config.read_text()
    wrong = {**json.loads(before), "model_type": "wobble", "architectures": ["WobbleModel"]}
    config.write_text(json.dumps(wrong))
    with pytest.raises(ConversionError, match=r"is a WobbleModel.*torch\.export\.save"):
        step(originals / "roberta")
    config.write_text(json.dumps({**wrong, "auto_map": {"AutoModel": "code.Wobble"}}))
    with pytest.raises(UntrustedError, match=r"its own Python code for WobbleModel.*--trust"):
        step(originals / "roberta")
    config.write_text(before)
