"""What a device gets of a tokenizer."""

import json

import pytest

from satchel_models import sentences
from satchel_models.errors import SourceError

TOKENIZER = {
    "normalizer": {"type": "BertNormalizer", "lowercase": True, "strip_accents": None},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "model": {"type": "WordPiece", "vocab": {"[UNK]": 1, "[PAD]": 0, "##s": 3, "a": 2}},
    "added_tokens": [{"content": "[PAD]"}, {"content": "[UNK]"}],
}


def text(tmp_path, **changes) -> str:
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({**TOKENIZER, **changes}))
    return sentences.tokenizer_text(path, 256)


def test_the_vocabulary_follows_the_settings_line_by_line(tmp_path):
    settings, *tokens = text(tmp_path).splitlines()
    assert tokens == ["[PAD]", "[UNK]", "a", "##s"]
    assert json.loads(settings)["max_tokens"] == 256
    assert json.loads(settings)["special"] == ["[PAD]", "[UNK]"]


@pytest.mark.parametrize(
    "changes",
    [
        {"normalizer": {"type": "Lowercase"}},
        {"normalizer": {"type": "BertNormalizer", "lowercase": False, "strip_accents": None}},
        {"normalizer": {"type": "BertNormalizer", "lowercase": True, "strip_accents": False}},
        {"model": {"type": "BPE", "vocab": {}}},
        {"model": {"type": "WordPiece", "vocab": {"a": 0, "b": 2}}},
    ],
)
def test_a_tokenizer_of_another_kind_is_refused(tmp_path, changes):
    with pytest.raises(SourceError):
        text(tmp_path, **changes)
