"""What `bench` makes of its measurements: ratios, a chart, a page."""

import json
from xml.etree import ElementTree

import pytest

from builder.bench import (
    adaptive,
    chart,
    inference,
    publish,
    ratios,
    sentences,
    startup,
    transformers,
)
from builder.errors import BuildError
from builder.paths import ROOT
from builder.report import Report

SVG = "{http://www.w3.org/2000/svg}"
DOCS = ROOT / "docs" / "benchmarks"


@pytest.mark.parametrize(
    ("wanted", "arms"),
    [(startup.LABEL_RATIOS, startup.LABEL), (startup.MINILM_RATIOS, startup.MINILM)],
)
def test_every_ratio_compares_arms_that_are_measured_and_is_told(wanted, arms):
    names = set(startup._names(arms))
    for ratio, compared in wanted.items():
        assert set(compared) <= names
        assert ratio in startup.STORY.ratios


def test_the_published_names_are_there():
    assert set(startup.STORY.ratios) == {
        "label.satchel_over_rawjs",
        "label.satchel_over_rawjs_bare",
        "label.satchel_over_rawjs_again",
        "label.stock_over_satchel",
        "minilm.satchel_over_tjs_default",
        "minilm.satchel_over_tjs_tuned",
    }
    labels = {
        "label.satchel_over_rawort",
        "label.satchel_over_rawlitert",
        "label.default_over_rawort",
        "label.default_192_over_rawort",
    }
    assert set(inference.STORY.ratios) == {
        *labels,
        *(f"{name}_2_threads" for name in labels),
        "minilm12.satchel_over_tjs_tuned",
        "minilm128.satchel_over_tjs_tuned",
    }


def test_every_arm_is_first_as_often_as_any_other():
    first = [startup._rotated(startup.LABEL, number)[0] for number in range(-2, 8)]
    assert {arm: first.count(arm) for arm in startup.LABEL} == dict.fromkeys(startup.LABEL, 2)
    assert set(startup._rotated(startup.LABEL, 3)) == set(startup.LABEL)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"controlled": False, "threads": 2}, "satchel: the page has no service worker"),
        ({"controlled": True, "threads": 2, "engineThreads": 1}, "satchel ran on 1 threads"),
        (
            {"controlled": True, "threads": 2, "boot": {"kind": "plain", "reason": "no room"}},
            "satchel started Python the slow way: no room",
        ),
    ],
)
def test_an_open_that_was_not_as_promised_does_not_count(answer, words):
    with pytest.raises(BuildError, match=words):
        startup._checked(startup.Arm("satchel", ""), answer)


def test_a_bare_arm_has_no_service_worker():
    arm = startup.Arm("rawjs_bare", "bench/rawjs.html")
    assert startup._checked(arm, {"controlled": False, "threads": 1})
    with pytest.raises(BuildError, match="the page has service worker"):
        startup._checked(arm, {"controlled": True, "threads": 1})


def test_noise_that_hits_both_arms_of_a_round_cancels_out():
    noise = [1.0, 3.0, 1.0, 2.0, 1.0, 5.0, 1.0]
    ratio = ratios.paired([1.5 * value for value in noise], noise)
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((1.5, 1.5, 1.5))


def test_arms_of_different_rounds_are_no_pairs():
    with pytest.raises(ValueError, match="of one length"):
        ratios.paired([1.0, 2.0], [1.0])


def test_the_chart_has_a_bar_for_each_median_and_a_dot_for_each_measurement():
    groups = [
        chart.Group(
            "Label", [chart.Bar("JS & co", [1, 2, 9]), chart.Bar("ours", [4, 4], ours=True)]
        )
    ]
    drawn = ElementTree.fromstring(chart.svg("A < B", "ms", groups))
    bars = [item for item in drawn.iter(f"{SVG}rect") if "bar" in item.get("class")]
    assert [item.get("class") for item in bars] == ["bar", "bar ours"]
    assert float(bars[1].get("width")) == pytest.approx(2 * float(bars[0].get("width")), abs=0.2)
    assert len(list(drawn.iter(f"{SVG}circle"))) == 5
    words = [item.text for item in drawn.iter(f"{SVG}text")]
    assert {"A < B", "JS & co", "2.0 ms", "4.0 ms", "10"} <= set(words)


@pytest.mark.parametrize("longest", [0.03, 1.0, 7.3, 99.0, 100.0, 4567.0])
def test_the_axis_has_round_marks_that_reach_past_the_longest_bar(longest):
    drawn = ElementTree.fromstring(
        chart.svg("", "ms", [chart.Group("", [chart.Bar("", [longest])])])
    )
    marks = [float(item.text) for item in drawn.iter(f"{SVG}text") if item.get("class") == "axis"]
    assert 3 <= len(marks) <= 11
    assert marks[0] == 0
    assert marks[-1] >= longest * 0.9999


def test_a_report_becomes_a_page_and_a_chart(tmp_path):
    report = Report("bench startup")
    report.sample("label.rawjs", [500.0, 520.0, 480.0], "ms")
    report.sample("label.satchel", [650.0, 640.0, 700.0], "ms")
    report.ratio("label.satchel_over_rawjs", ratios.Ratio(1.3, 1.25, 1.41))
    report.figure("firstvisit.bytes", 15_200_000, "bytes")
    report.figure("phase.ready", 600.0, "ms")
    publish.write(report, tmp_path / "startup.json", startup.STORY)
    page = (tmp_path / "startup.md").read_text("utf-8")
    assert "(`label.satchel_over_rawjs`) | 1.30 | 1.25 to 1.41 |" in page
    assert "| First label: Satchel | 650 ms | 640 ms to 700 ms |" in page
    assert "(`firstvisit.bytes`) | 15.20 MB |" in page
    assert "phase.ready" not in page
    assert "](startup.svg)" in page
    assert json.loads((tmp_path / "startup.json").read_text("utf-8"))["schema"] == 1
    assert ElementTree.parse(tmp_path / "startup.svg")


STORIES = {
    "startup": startup.STORY,
    "inference": inference.STORY,
    "adaptive": adaptive.STORY,
}


@pytest.mark.parametrize(
    ("name", "story"),
    [(name, story) for name, story in STORIES.items() if (DOCS / f"{name}.json").is_file()],
)
def test_the_pages_in_the_docs_say_what_was_measured(name, story):
    told = publish.read(DOCS / f"{name}.json")
    assert (DOCS / f"{name}.md").read_text("utf-8") == publish.page(told, story, f"{name}.svg")
    assert (DOCS / f"{name}.svg").read_text("utf-8") == publish.drawn(told, story)


def test_a_library_that_imports_something_else_is_noticed(monkeypatch, tmp_path):
    changed = tmp_path / "transformers.mjs"
    changed.write_text('import{Tensor}from"onnxruntime-common";', "utf-8")
    monkeypatch.setattr(transformers, "_file", lambda: changed)
    with pytest.raises(BuildError, match="onnxruntime-web/webgpu"):
        transformers.library("./ort.mjs")


def words_and_frame(text):
    return [0, *text.split(), 0]


def test_texts_have_the_tokens_that_were_asked_for_and_differ():
    texts = sentences.of(12, 5, words_and_frame)
    assert len(set(texts)) == 5
    assert {len(text.split()) for text in texts} == {10}


def test_a_text_with_another_number_of_tokens_is_named():
    with pytest.raises(BuildError, match="12 tokens was meant, this has 10: the cat"):
        sentences.of(12, 1, str.split)
