"""Scored pairs of sentences, and what is computed from them."""

import numpy as np
import pytest

from satchel_models.errors import ModelError
from satchel_models.pairs import Pair, cosines, read_pairs, spearman


def test_rows_are_read_with_their_quotes(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text('A cat.,"A cat, asleep.",4.5\n"He said ""no"".",Ünì,0\n', encoding="utf-8")
    assert read_pairs(path) == [
        Pair("A cat.", "A cat, asleep.", 4.5),
        Pair('He said "no".', "Ünì", 0.0),
    ]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a,b,1\na,b\n", "row 2"),
        ("sentence1,sentence2,score\n", "row 1"),
        ("a,b,1\n", "holds 1 pairs"),
        ("", "holds 0 pairs"),
    ],
)
def test_a_file_of_another_form_is_named_with_its_row(tmp_path, text, named):
    path = tmp_path / "pairs.csv"
    path.write_text(text)
    with pytest.raises(ModelError, match=named):
        read_pairs(path)
    with pytest.raises(ModelError, match="cannot be read"):
        read_pairs(tmp_path / "none.csv")


def test_the_correlation_is_that_of_ranks_and_ties_share_theirs():
    a = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    assert spearman(a, np.exp(a)) == pytest.approx(1)
    assert spearman(a, -a) == pytest.approx(-1)
    assert spearman(a, np.array([1.0, 1.0, 2.0, 2.0, 3.0])) == pytest.approx(0.9486833)


def test_a_pair_is_as_alike_as_the_cosine_of_its_vectors():
    vectors = {"a": np.array([1, 0], np.float32), "b": np.array([0.6, 0.8], np.float32)}
    found = cosines(vectors, [Pair("a", "b", 0), Pair("b", "b", 5)])
    np.testing.assert_allclose(found, [0.6, 1], atol=1e-6)
