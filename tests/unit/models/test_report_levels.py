"""Levels of one model side by side: what each does beyond the one before."""

from dataclasses import replace

import pytest
import sample_reports

from satchel_models.errors import ReportError
from satchel_models.report import compare


def test_the_most_careful_level_comes_first():
    reports = [sample_reports.label(level) for level in ("aggressive", "fast", "balanced")]
    assert [row.level for row in compare(reports).rows] == ["fast", "balanced", "aggressive"]


def test_what_a_level_does_beyond_the_one_before_is_told():
    balanced = sample_reports.label("balanced")
    fast = sample_reports.label("fast")
    fast = replace(
        fast,
        graph=replace(fast.graph, passes=fast.graph.passes[:5]),
        candidates=tuple(
            replace(one, chosen=one.candidate.name == "float16-weights")
            for one in fast.candidates[:5]
        ),
        optimized_model_path=fast.compiled[1].file,
        sensitivities=(),
    )
    (sentence,) = compare([fast, balanced]).differences
    assert sentence == (
        "balanced beside fast: it may cost 0.5 points instead of 0.1; it also runs onnxslim and "
        "onnxruntime extended; it leaves 61 nodes instead of 398; it also tries int8-static, "
        "int8-dynamic, int4-weights, int8-weights-192 and int8-weights-160; it keeps 3 weights in "
        "float instead of 0; it chooses int8-weights, 4.84 MB instead of 9.40 MB."
    )


def test_another_engine_that_wins_is_a_difference():
    fast = sample_reports.label("fast")
    (sentence,) = compare([fast, sample_reports.two_engines("balanced")]).differences
    assert sentence.endswith(
        "it chooses litert-int8-static, 5.35 MB instead of 4.84 MB; it has int8-weights for the "
        "other engine instead of nothing."
    )


def test_a_pass_that_was_undone_is_no_difference():
    fast = sample_reports.label("fast")
    passes = tuple(of for of in fast.graph.passes if not of.undone)
    fast = replace(fast, graph=replace(fast.graph, passes=passes))
    (sentence,) = compare([fast, sample_reports.label()]).differences
    assert "also runs" not in sentence


def test_levels_that_choose_the_same_say_so():
    (sentence,) = compare([sample_reports.label("fast"), sample_reports.label()]).differences
    assert sentence.endswith("it chooses the same, int8-weights.")


def test_one_level_has_nothing_to_differ_from():
    assert compare([sample_reports.label()]).differences == ()


@pytest.mark.parametrize(
    ("reports", "words"),
    [
        ([], "no report to compare"),
        ([sample_reports.label(), sample_reports.minilm()], "levels of one model"),
        ([sample_reports.label(), sample_reports.label()], "Two reports are of one level"),
    ],
)
def test_what_does_not_go_together_is_told(reports, words):
    with pytest.raises(ReportError, match=words):
        compare(reports)
