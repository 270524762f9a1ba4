"""The report's page: whole, self-contained, harmless whatever a model is called."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
import sample_reports

from satchel_models.report import compare, write
from satchel_models.report.page import page
from satchel_models.results import Estimate, Sensitivity

VOID = {"meta", "link", "br", "wbr"}
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>&{{ 7 * 7 }}'


class Elements(HTMLParser):
    """Every element with its attributes; fails where tags don't close in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.found, self.words = [], [], ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.words += " "

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.words += data

    def said(self):
        return re.sub(r"\s+", " ", self.words)


@pytest.fixture(
    scope="module",
    params=[
        sample_reports.label,
        sample_reports.two_engines,
        sample_reports.minilm,
        sample_reports.unlabelled,
    ],
)
def text(request):
    report = request.param(warnings=("Nothing is labelled.",))
    fast = replace(report, level="fast", candidates=report.candidates[:4])
    return page(report, compare([fast, report]))


def evil():
    report = sample_reports.label(
        model=EVIL, warnings=(EVIL,), command=EVIL, machine={EVIL: EVIL}, versions={EVIL: EVIL}
    )
    one = report.candidates[2]
    evil = replace(one, candidate=replace(one.candidate, name=EVIL, method=EVIL), why=EVIL)
    return replace(
        report,
        candidates=(*report.candidates[:2], evil, *report.candidates[3:]),
        sensitivities=(Sensitivity(EVIL, EVIL, 12, 0.5, kept=True),),
    )


def test_it_is_well_formed(text):
    assert len(Elements(text).found) > 500


def test_it_has_no_script_and_asks_nobody_for_anything(text):
    for tag, attributes in Elements(text).found:
        assert tag not in {"script", "iframe", "object", "embed", "base", "form"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name not in {"style", "src", "srcset", "action", "xlink:href"}
            assert name != "href" or value.startswith(("#", "data:,"))
    assert not re.search(r"@import|url\(|https?:", text)


def test_its_policy_allows_its_own_style_and_nothing_else(text):
    style = re.search(r"<style>(.*)</style>", text, re.DOTALL)[1]
    policy = dict(
        part.strip().split(" ", 1)
        for part in re.search(r'Security-Policy" content="([^"]+)"', text)[1].split(";")
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == f"'sha256-{digest}'"
    assert "script-src" not in policy


def test_every_drawing_has_words_or_is_left_out_when_read_aloud(text):
    drawings = [attributes for tag, attributes in Elements(text).found if tag == "svg"]
    assert drawings
    for attributes in drawings:
        assert attributes.get("aria-label") or attributes.get("aria-hidden") == "true"


def test_every_candidate_is_in_every_chart_and_table():
    report = sample_reports.label()
    text = page(report)
    said = Elements(text).said()
    for measured in report.candidates:
        # Three scatters, the key, the table, strips for one thread and for two.
        assert said.count(measured.candidate.name) >= 7
        assert measured.why in said
    assert text.count('class="dot ') == 3 * len(report.candidates)
    assert text.count('class="strip"') == 2 * len(report.candidates)


def test_a_strip_shows_every_single_measurement():
    report = sample_reports.label()
    count = sum(len(t.latency_ms) for one in report.candidates for t in one.timings)
    strips = re.findall(r'<svg class="strip".*?</svg>', page(report))
    assert sum(strip.count("<circle") for strip in strips) == count


def test_each_kind_of_input_has_its_strips():
    said = Elements(page(sample_reports.minilm())).said()
    for threads in ("1 thread", "2 threads"):
        for feed in sample_reports.TEXTS:
            assert f"{threads}, {feed}" in said
    assert "Geometric means over 16 tokens, 64 tokens and 256 tokens." in said


def test_it_says_what_was_chosen_and_what_it_costs():
    said = Elements(page(sample_reports.label())).said()
    assert "int8-weights was chosen: 4.84 MB instead of 18.6 MB, 74 % smaller." in said
    assert "−0.45 to +0.25 points: top‑1 87.6 %, before 87.7 %; top‑5 97.4 %; 333 sam" in said
    assert "about 4.41 MB on the wire" in said


def test_each_engine_has_its_shape_its_download_and_its_best_candidate():
    report = sample_reports.two_engines()
    text = page(report)
    said = Elements(text).said()
    assert text.count('<polygon class="mark"') == 3 * len(sample_reports.LITERT)
    assert text.count('<circle class="mark"') == 3 * len(sample_reports.LABEL)
    assert "of int8-weights, the best on ONNX Runtime: 0.41 times (0.39 to 0.43) with one" in said
    assert "downloads 7.82 MB for it instead of 7.40 MB, engines included." in said
    assert sample_reports.BEHIND in said
    assert said.count(sample_reports.NEEDS) == 1
    assert "MB, model and engine" in said
    alone = Elements(page(sample_reports.label())).said()
    assert "Engine's download" not in alone


def test_warnings_come_before_figures():
    said = Elements(page(sample_reports.label(warnings=("Nothing is labelled.",)))).said()
    assert said.index("Warning. Nothing is labelled.") < said.index("Making a session")


def test_weights_that_stay_in_float_are_marked_and_the_rest_is_counted():
    said = Elements(page(sample_reports.label())).said()
    assert said.count("kept in float") == 3
    assert "16 more weights: " in said


def test_a_pass_that_was_undone_says_why():
    said = Elements(page(sample_reports.label())).said()
    assert "undone: it moves an output by 0.02, more than 0.001" in said


def test_without_labels_charts_show_likeness():
    text = page(sample_reports.unlabelled())
    said = Elements(text).said()
    assert "Size and likeness" in said
    assert "Agreement with the original 97.9 % The data has no labels" in said
    assert text.count('class="dot ') == 3 * len(sample_reports.LABEL)


def test_another_engines_choice_is_marked_too():
    report = sample_reports.label()
    other = replace(report.candidates[3], chosen=True)
    text = page(replace(report, candidates=(*report.candidates[:3], other)))
    assert text.count('<span class="badge">chosen</span>') == 2


def test_how_to_do_it_again_is_all_there():
    report = sample_reports.label()
    said = Elements(page(report)).said()
    assert report.command in said
    for name, value in {**report.machine, **report.versions, "Seed": report.seed}.items():
        assert f"{name} {value}" in said
    assert "image: float32 [batch, 3, 224, 224]" in said


def test_levels_are_compared_only_when_there_are_several(text):
    assert "How the levels differ" in text
    said = Elements(text).said()
    assert "balanced beside fast: it may cost 0.5 points instead of 0.1" in said
    assert "How the levels differ" not in page(sample_reports.label())


def test_names_are_words_and_no_markup():
    elements = Elements(page(evil()))
    assert {tag for tag, _ in elements.found}.isdisjoint({"script", "img"})
    assert elements.said().count("<script>alert(1)</script>") >= 7
    assert "{{ 7 * 7 }}" in elements.said()


def test_control_characters_do_not_get_through():
    text = page(sample_reports.label(model="a\x1b[2J\u202eb\x00"))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "a\ufffd[2J\ufffdb\ufffd" in text


def test_a_report_with_next_to_nothing_still_makes_a_page():
    report = sample_reports.label(rejected=(), sensitivities=(), compiled=(), seconds={})
    nan = Estimate(float("nan"), float("nan"), float("nan"))
    bare = tuple(
        replace(
            one,
            timings=(),
            creation_ms=(),
            speed=nan,
            chosen=False,
            accuracy=replace(one.accuracy, delta=None, interval=None, why="No data."),
        )
        for one in report.candidates
    )
    graph = replace(report.graph, passes=())
    text = page(replace(report, candidates=bare, graph=graph, accuracy_delta=None))
    Elements(text)
    assert "Nothing was chosen" in text
    assert "nan" not in Elements(text).said()


def test_a_report_without_candidates_still_makes_a_page():
    assert "Nothing was chosen" in Elements(page(sample_reports.label(candidates=()))).said()


def test_the_files_are_written_together_and_nothing_else(tmp_path):
    written = write(sample_reports.label(), tmp_path / "new")
    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert names == {"report.json", "report.html", "report.md"}
    assert written.page.read_text("utf-8").startswith("<!doctype html>")


def test_the_same_report_gives_the_same_bytes(tmp_path):
    first, second = (write(sample_reports.label(), tmp_path / name) for name in "ab")
    assert first.page.read_bytes() == second.page.read_bytes()
    assert first.markdown.read_bytes() == second.markdown.read_bytes()
