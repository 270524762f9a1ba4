"""Token ids equal to Hugging Face's, whatever Unicode this Python knows."""

import json

import pytest

import satchel
from satchel.tasks.wordpiece import WordPiece


@pytest.fixture
def tokenizer(files):
    return WordPiece.parse((files / "tokenizer.txt").read_text("utf-8"))


def test_texts_of_many_scripts_get_hugging_face_s_ids(files, tokenizer):
    expected = json.loads((files / "tokenized.json").read_text("utf-8"))
    assert len(expected) > 50
    for text, ids in expected:
        assert tokenizer(text) == ids, text
        assert tokenizer(text) == ids, text  # now that its words are remembered


def test_a_long_text_is_cut_where_the_model_ends(tokenizer):
    ids = tokenizer("fox " * 5000)
    assert len(ids) == tokenizer.max_tokens == 256
    assert ids[-1] == tokenizer("")[-1]


def test_a_very_long_text_takes_no_longer_than_what_is_kept_of_it(tokenizer):
    import time

    started = time.perf_counter()
    tokenizer("é fox [SEP] " * 1_000_000)
    assert time.perf_counter() - started < 5  # all of it would take a minute


def test_halves_of_surrogate_pairs_are_no_letters(tokenizer):
    assert tokenizer("f\ud83dox") == tokenizer("fox")


@pytest.mark.parametrize(
    "data",
    ["", "[PAD]\n[UNK]\n", '{"max_tokens": 256}\n[PAD]\n', '{"special": ["[X]"]}\n[PAD]\n[UNK]\n'],
)
def test_what_is_no_tokenizer_is_refused(data):
    with pytest.raises(satchel.ModelFormatError, match="cannot be understood"):
        WordPiece.parse(data)
