"""Metrics and their intervals, on answers whose worth is known."""

import numpy as np
import pytest

from satchel_models.data import metrics, scoring
from satchel_models.errors import DataError

SEED = 3


def answers(*rows):
    return [{"scores": np.array([row], np.float32)} for row in rows]


def test_the_true_class_is_among_the_best_or_not():
    scores = np.array([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2], [0.2, 0.5, 0.3]])
    truth = np.array([2, 1, 0])
    assert metrics.right(scores, truth, 1).tolist() == [True, False, False]
    assert metrics.right(scores, truth, 2).tolist() == [True, True, False]
    assert metrics.right(scores, truth, 3).all()


def test_of_equal_scores_the_first_one_counts_as_argmax_has_it():
    scores = np.array([[0.5, 0.5], [0.5, 0.5]])
    assert metrics.right(scores, np.array([0, 1]), 1).tolist() == [True, False]


def test_logits_count_as_their_softmax_and_probabilities_as_they_are():
    logits = np.array([[0.0, np.log(3)], [1000.0, 0]])
    assert not metrics.are_probabilities(logits)
    np.testing.assert_allclose(metrics.softmax(logits), [[0.25, 0.75], [1, 0]])
    truth = np.array([1, 0])
    np.testing.assert_allclose(metrics.true_probability(logits, truth, logits=True), [0.75, 1])
    rows = np.array([[0.2, 0.8], [0.6, 0.4]])
    assert metrics.are_probabilities(rows)
    np.testing.assert_allclose(metrics.true_probability(rows, truth, logits=False), [0.8, 0.6])


def test_probabilities_rounded_to_8_bits_are_still_what_the_original_gives():
    before = answers([0.9, 0.1], [0.2, 0.8])
    rounded = answers([0.905, 0.101], [0.199, 0.803])  # their sums are not 1
    found = scoring.Classes().score([0, 1], rounded, before, SEED)
    assert found.loss.value == pytest.approx(-0.4, abs=1e-3)


def test_an_interval_holds_the_true_difference_about_as_often_as_it_says():
    random = np.random.default_rng(0)
    held = 0
    for trial in range(100):
        hard = random.normal(size=200)  # what is hard for both cancels out
        ours, theirs = (hard + random.normal(shift, 0.2, 200) for shift in (0.1, 0.0))
        found = metrics.paired_mean(ours, theirs, trial)
        held += found.low <= 0.1 <= found.high
    assert 88 <= held <= 100


def test_a_pairing_is_worth_more_than_the_two_means_apart():
    random = np.random.default_rng(1)
    hard = random.normal(0, 10, 200)
    found = metrics.paired_mean(hard + 0.1, hard, SEED)
    assert found.value == pytest.approx(0.1)
    assert found.high - found.low < 1e-9


def test_a_difference_of_correlations_comes_with_its_interval():
    random = np.random.default_rng(2)
    people = random.uniform(0, 5, 300)
    good, bad = people + random.normal(0, 0.3, 300), people + random.normal(0, 3, 300)
    found = metrics.paired_spearman(bad, good, people, SEED)
    assert found.low <= found.value <= found.high < 0
    same = metrics.paired_spearman(good, good * 2, people, SEED)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_intervals_are_the_same_again():
    a, b = np.random.default_rng(4).normal(size=(2, 50))
    assert metrics.paired_mean(a, b, SEED) == metrics.paired_mean(a, b, SEED)
    assert metrics.paired_mean(a, b, SEED) != metrics.paired_mean(a, b, SEED + 1)


def test_what_is_no_number_is_no_likeness():
    assert np.isnan(metrics.cosine(np.array([np.nan, 1]), np.array([1, 1])))
    assert metrics.cosine(np.zeros(2), np.zeros(2)) == 1
    assert metrics.cosine(np.zeros(2), np.ones(2)) == 0


def test_labelled_answers_are_scored_hard_and_soft():
    before = answers([0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7])
    after = answers([0.8, 0.2], [0.2, 0.8], [0.4, 0.6], [0.3, 0.7])
    found = scoring.Classes().score([0, 1, 0, 0], after, before, SEED)
    assert found.accuracy.metric == "top1"
    assert (found.accuracy.value, found.accuracy.original) == (0.5, 0.75)
    assert found.accuracy.delta == pytest.approx(-25)
    assert found.accuracy.interval[0] <= -25 <= found.accuracy.interval[1]
    assert found.accuracy.agreement == 0.75
    assert found.accuracy.count == 4
    assert found.accuracy.max_error == pytest.approx(0.2)
    assert found.loss.value == pytest.approx(100 * (0.1 + 0.2) / 4)


def test_top_five_is_told_where_there_are_more_classes():
    scores = np.eye(8, dtype=np.float32)
    before = [{"scores": row[None]} for row in scores]
    found = scoring.Classes().score(list(range(8)), before, before, SEED)
    assert found.accuracy.more == {"top5": 1.0, "top5_original": 1.0}
    assert (found.accuracy.delta, found.accuracy.interval) == (0, (0, 0))


def test_labels_that_no_class_has_end_in_a_sentence():
    before = answers([0.9, 0.1])
    with pytest.raises(DataError, match="label 2, and the model's classes are 0 … 1"):
        scoring.Classes().score([2], before, before, SEED)
    vectors = [{"boxes": np.zeros((1, 5, 4), np.float32)}]
    with pytest.raises(DataError, match=r"boxes \[1, 5, 4\]"):
        scoring.Classes().score([0], vectors, vectors, SEED)


def test_pairs_are_scored_by_how_their_cosines_rank():
    people = [0.0, 1.0, 2.0, 3.0, 4.0]
    first = np.array([1, 0], np.float32)
    turned = [np.array([np.cos(a), np.sin(a)], np.float32) for a in (1.5, 1.2, 0.9, 0.5, 0.1)]
    before = [{"embedding": v[None]} for second in turned for v in (first, second)]
    after = [{"embedding": v[None]} for second in turned[::-1] for v in (first, second)]
    found = scoring.Scores().score(people, after, before, SEED)
    assert found.accuracy.original == pytest.approx(1)
    assert found.accuracy.value == pytest.approx(-1)
    assert found.accuracy.delta == pytest.approx(-200)
    assert found.loss.value == pytest.approx(200)
    assert found.accuracy.agreement is None or found.accuracy.count == 5


def test_a_vector_for_each_token_counts_as_their_mean():
    found = scoring.vector({"hidden": np.array([[[1, 0], [0, 1]]], np.float32)})
    np.testing.assert_allclose(found, [0.5, 0.5])


def test_without_labels_only_likeness_is_told_and_the_report_says_why():
    before = answers([0.9, 0.1], [0.2, 0.8])
    after = answers([0.9, 0.1], [0.8, 0.2])
    found = scoring.Likeness(classes=True).score([None, None], after, before, SEED)
    assert (found.accuracy.metric, found.accuracy.value) == ("agreement", 0.5)
    assert (found.accuracy.delta, found.accuracy.interval) == (None, None)
    assert "no labels" in found.accuracy.why
    assert found.loss.value > 0
    vectors = scoring.Likeness(classes=False).score([None, None], after, before, SEED)
    assert vectors.accuracy.metric == "cosine"
    assert vectors.loss.value == pytest.approx(100 * (1 - vectors.accuracy.value))
