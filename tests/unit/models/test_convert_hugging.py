"""What a Hugging Face folder says about its network, and what ends in a sentence."""

import json

import numpy as np
import onnxruntime
import pytest
from safetensors.numpy import save_file

from satchel_models.convert import Original, convert, hugging_face
from satchel_models.errors import ConversionError
from satchel_models.tools import Installed

WIDTH, WORDS, PLACES = 8, 30, 20

CONFIG = {
    "model_type": "bert",
    "architectures": ["BertModel"],
    "hidden_act": "gelu",
    "hidden_size": WIDTH,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": PLACES,
    "vocab_size": WORDS,
}

SHAPES = {
    "embeddings.word_embeddings.weight": (WORDS, WIDTH),
    "embeddings.position_embeddings.weight": (PLACES, WIDTH),
    "embeddings.token_type_embeddings.weight": (2, WIDTH),
    "embeddings.LayerNorm": (WIDTH,),
    "encoder.layer.0.attention.self.query": (WIDTH, WIDTH),
    "encoder.layer.0.attention.self.key": (WIDTH, WIDTH),
    "encoder.layer.0.attention.self.value": (WIDTH, WIDTH),
    "encoder.layer.0.attention.output.dense": (WIDTH, WIDTH),
    "encoder.layer.0.attention.output.LayerNorm": (WIDTH,),
    "encoder.layer.0.intermediate.dense": (16, WIDTH),
    "encoder.layer.0.output.dense": (WIDTH, 16),
    "encoder.layer.0.output.LayerNorm": (WIDTH,),
}


def weights():
    random = np.random.default_rng(0)
    made = {}
    for name, shape in SHAPES.items():
        if name.endswith(".weight"):
            made[name] = random.standard_normal(shape)
        else:
            made[f"{name}.weight"] = random.standard_normal(shape)
            made[f"{name}.bias"] = random.standard_normal(shape[:1])
    return {name: value.astype(np.float32) for name, value in made.items()}


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "encoder"
    path.mkdir()
    (path / "config.json").write_text(json.dumps(CONFIG))
    save_file(weights(), path / "model.safetensors")
    return path


def sentences(folder, *steps, **pooling):
    """Add what sentence-transformers does after the network."""
    kinds = ["Transformer", "Pooling", *steps]
    modules = [{"type": f"sentence_transformers.models.{k}", "path": k} for k in kinds]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "Pooling").mkdir()
    modes = {f"pooling_mode_{mode}": on for mode, on in pooling.items()}
    (folder / "Pooling/config.json").write_text(json.dumps({"word_dimension": WIDTH, **modes}))


@pytest.fixture
def step(tmp_path):
    def run(path):
        return convert(Original(path), tmp_path / "out", Installed(), lambda text, share: None)

    return run


def embedded(done, *texts):
    """Embeddings of texts of ids, padded to the longest."""
    longest = max(map(len, texts))
    ids = np.array([[*text, *[0] * (longest - len(text))] for text in texts])
    mask = np.array([[k < len(text) for k in range(longest)] for text in texts], np.int64)
    session = onnxruntime.InferenceSession(done.file)
    return session.run(None, {"input_ids": ids, "attention_mask": mask})[0]


def test_a_plain_bert_gives_its_tokens_without_pytorch(folder, step):
    done = step(folder)
    assert done.origin == "Hugging Face BERT encoder"
    assert [s.name for s in done.inputs] == ["input_ids", "attention_mask", "token_type_ids"]
    assert done.outputs[0].shape == ("batch", "sequence", WIDTH)


@pytest.mark.parametrize("mode", ["mean_tokens", "cls_token"])
def test_a_sentence_encoder_pools_as_its_folder_says(mode, folder, step):
    bare = step(folder)
    ids = np.array([[3, 9, 27]])
    feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    feeds["token_type_ids"] = np.zeros_like(ids)
    (tokens,) = onnxruntime.InferenceSession(bare.file).run(None, feeds)
    sentences(folder, **{mode: True})
    right = tokens[0].mean(0) if mode == "mean_tokens" else tokens[0, 0]
    # Beside a longer text: padding counts for nothing.
    found = embedded(step(folder), ids[0], range(8))
    np.testing.assert_allclose(found[0], right, atol=1e-5)


def test_embeddings_have_length_one_where_the_folder_says_so(folder, step):
    sentences(folder, "Normalize", mean_tokens=True)
    found = embedded(step(folder), [1, 2], [3, 4, 5])
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


def test_the_longest_text_is_what_the_sentence_encoder_was_trained_with(folder):
    assert hugging_face.read(folder).tokens == PLACES
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 12}')
    assert hugging_face.read(folder).tokens == 12


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "roberta"},
        {"architectures": ["BertForMaskedLM"]},
        {"hidden_act": "relu"},
        {"position_embedding_type": "relative_key"},
        {"is_decoder": True},
    ],
)
def test_what_is_no_plain_bert_is_left_to_transformers(change, folder):
    assert hugging_face.read(folder).is_plain_bert
    (folder / "config.json").write_text(json.dumps({**CONFIG, **change}))
    assert not hugging_face.read(folder).is_plain_bert


def test_steps_and_poolings_that_are_not_known_are_named(folder):
    sentences(folder, "Dense", mean_tokens=True)
    with pytest.raises(ConversionError, match="has the step Dense"):
        hugging_face.read(folder)
    (folder / "modules.json").write_text('[{"type": "m.Pooling", "path": "Pooling"}]')
    both = {"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True}
    (folder / "Pooling/config.json").write_text(json.dumps(both))
    with pytest.raises(ConversionError, match="pools tokens by max_tokens, mean_tokens"):
        hugging_face.read(folder)
    (folder / "Pooling/config.json").unlink()
    with pytest.raises(ConversionError, match=r"Pooling/config\.json cannot be read"):
        hugging_face.read(folder)


def test_weights_that_are_missing_or_damaged_are_named(folder, step):
    name = "encoder.layer.0.output.dense.bias"
    some = {key: value for key, value in weights().items() if key != name}
    save_file(some, folder / "model.safetensors")
    with pytest.raises(ConversionError, match=f"lacks the weight '{name}'"):
        step(folder)
    (folder / "model.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    with pytest.raises(ConversionError, match=r"model\.safetensors is damaged"):
        step(folder)
