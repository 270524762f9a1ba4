"""The report as Markdown: short, a table that holds, and nobody is called by a file's name."""

from dataclasses import replace

import pytest
import sample_reports
from markdown_it import MarkdownIt

from satchel_models.report import compare
from satchel_models.report.markdown import code, markdown, plain


def html(text):
    return MarkdownIt("gfm-like", {"linkify": False}).render(text)


def test_it_says_it_in_a_few_sentences_and_a_table():
    report = sample_reports.label()
    text = markdown(report)
    assert text.count("was chosen") == 1
    shown = html(text)
    assert shown.count("<tr>") == 1 + len(report.candidates)
    assert shown.count("<td") == 9 * len(report.candidates)
    assert len(text) < 4000


def test_engines_get_a_table_of_their_own_where_there_are_several():
    report = sample_reports.two_engines()
    shown = html(markdown(report))
    assert shown.count("<table>") == 2
    assert shown.count("<td") == 9 * len(report.candidates) + 6 * 2
    for cell in ("2.47 MB", "7.82 MB", "0.41× (0.39 to 0.43)", "0.50× (0.47 to 0.54)"):
        assert f">{cell}</td>" in shown
    assert "html" not in markdown(report)


def test_warnings_are_githubs():
    text = markdown(sample_reports.label(warnings=("Nothing is labelled.",)))
    assert "> [!WARNING]\n> Nothing is labelled." in text


def test_levels_get_a_table_of_their_own():
    report = sample_reports.label()
    fast = replace(report, level="fast")
    shown = html(markdown(report, compare([report, fast])))
    assert shown.count("<table>") == 2
    assert "balanced beside fast" in shown


@pytest.mark.parametrize("evil", ["a|b", "a`b", "``a`", "<b>a", "*a*", "[a](http://x.y)", "a\nb"])
def test_a_name_breaks_neither_table_nor_text(evil):
    report = sample_reports.label(model=evil, warnings=(evil,), command=evil)
    one = report.candidates[0]
    named = replace(one, candidate=replace(one.candidate, name=evil))
    report = replace(report, candidates=(named, *report.candidates[1:]))
    shown = html(markdown(report))
    assert shown.count("<td") == 9 * len(report.candidates)
    for tag in ("<b>", "<em>", "<a "):
        assert tag not in shown


@pytest.mark.parametrize("words", ["@octocat", "#12", "https://x.y", "www.x.y"])
def test_nobody_is_called_and_nothing_linked(words):
    assert words not in plain(f"see {words}.")


def test_code_shows_what_it_was_given():
    for words in ("a`b", "``", "a"):
        assert f"<code>{words}</code>" in html(code(words))
