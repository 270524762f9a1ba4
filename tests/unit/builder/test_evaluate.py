"""What an evaluation of embeddings reports."""

import numpy as np
import pytest

from builder import evaluate, evaluate_pairs
from builder.errors import BuildError
from satchel_models.pairs import Pair

PAIRS = [Pair("a", "b", 1), Pair("a", "c", 2), Pair("b", "c", 3)]


def vectors(*angles: float) -> dict[str, np.ndarray]:
    return {
        text: np.array([np.cos(angle), np.sin(angle)], np.float32)
        for text, angle in zip("abc", angles, strict=True)
    }


def test_both_correlations_and_the_distance_are_reported():
    figures = evaluate_pairs.report(PAIRS, vectors(0, 1.0, 0.9), vectors(0, 1.0, 0.2)).figures
    assert figures["count"]["value"] == 3
    assert figures["spearman"]["value"] == pytest.approx(1)
    assert figures["spearman_original"]["value"] == pytest.approx(0.5)
    assert figures["cosine_least"]["value"] == pytest.approx(np.cos(0.7), abs=1e-6)


@pytest.mark.parametrize("data", [None, "."])
def test_without_a_file_the_message_says_what_is_needed(data, tmp_path, monkeypatch):
    monkeypatch.delenv(evaluate.VARIABLE, raising=False)
    with pytest.raises(BuildError, match="sentence1,sentence2,score"):
        evaluate.run("minilm-l6", data=tmp_path / data if data else None, variant=None, json=None)
