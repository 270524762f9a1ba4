"""Token ids against Hugging Face's tokenizer: every character, and texts that nobody thought of."""

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satchel.tasks.wordpiece import WordPiece

ENGINE_TESTS = Path(__file__).resolve().parents[2] / "engine"
MAX_TOKENS = 64

_spec = importlib.util.spec_from_file_location("texts", ENGINE_TESTS / "fixtures.py")
fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(fixtures)

VOCABULARY = fixtures.vocabulary()
REFERENCE = fixtures.hugging_face(VOCABULARY, MAX_TOKENS)
OURS = WordPiece.parse(fixtures.tokenizer_text(VOCABULARY, MAX_TOKENS))

WHOLE_REFERENCE = fixtures.hugging_face(VOCABULARY, 1 << 20)
WHOLE = WordPiece.parse(fixtures.tokenizer_text(VOCABULARY, 1 << 20))

# Halves of surrogate pairs are no characters; Rust's strings cannot hold them.
CHARACTERS = st.characters(exclude_categories=["Cs"])
WORDS = st.sampled_from([*fixtures.SPECIAL, *(token for token in VOCABULARY if token)])
KNOWN = st.sampled_from(sorted({character for text in fixtures.texts() for character in text}))
MIXED = st.lists(st.one_of(KNOWN, CHARACTERS, WORDS, st.sampled_from(" .-'[")), max_size=80)


@pytest.mark.parametrize("plane", range(17))
def test_every_character_is_treated_alike_between_letters(plane):
    codes = range(plane << 16, (plane + 1) << 16)
    characters = [chr(code) for code in codes if not 0xD800 <= code < 0xE000]
    for start in range(0, len(characters), 8192):
        text = " ".join(f"a{character}b" for character in characters[start : start + 8192])
        assert WHOLE(text) == WHOLE_REFERENCE.encode(text).ids


@settings(max_examples=1500)
@given(MIXED.map("".join))
def test_texts_of_known_and_unknown_characters(text):
    assert OURS(text) == REFERENCE.encode(text).ids


@settings(max_examples=1500)
@given(st.text(CHARACTERS))
def test_texts_of_any_characters(text):
    assert OURS(text) == REFERENCE.encode(text).ids


@settings(max_examples=300)
@given(st.text(st.sampled_from("aeé 中.\u0301[SEP]"), min_size=1), st.integers(1, 400))
def test_texts_of_any_length(text, times):
    assert OURS(text * times) == REFERENCE.encode(text * times).ids
