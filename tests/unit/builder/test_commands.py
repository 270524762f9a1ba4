"""The small decisions behind the commands, and the sentences where something is missing."""

import json
import subprocess
import sys

import pytest

from builder import browser, node, rebuild, testing, toolenv
from builder.errors import BuildError
from builder.paths import ROOT
from builder.report import Ratio, Report


def defaults(*arguments, everything=False, quick=False):
    return testing._defaults(everything, quick, list(arguments))


def test_the_tests_that_need_pytorch_are_deselected_not_skipped():
    assert defaults()[:2] == ["-m", "not heavy"]
    assert "-m" not in defaults(everything=True)


def test_quick_runs_what_needs_no_browser():
    assert "tests/engine" in defaults(quick=True)
    assert "tests/browser" not in defaults(quick=True)
    assert "tests/browser" in defaults()


def test_paths_and_options_that_are_given_replace_ours():
    given = defaults("tests/unit/builder", "-k", "readme", "-n", "0", "-m", "heavy")
    assert given == ["tests/unit/builder", "-k", "readme", "-n", "0", "-m", "heavy"]
    assert "tests/unit" not in defaults("tests/unit/builder/test_site.py::test_x")


def test_no_browser_is_one_sentence_with_three_ways_out(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(browser.VARIABLE, raising=False)
    monkeypatch.setattr(browser, "PLACES", ())
    monkeypatch.setattr(browser, "_playwrights", lambda: None)
    with pytest.raises(BuildError) as caught:
        browser.chromium()
    for way in ("apt-get install chromium", "playwright install chromium", browser.VARIABLE):
        assert way in " ".join(str(caught.value).split())


def test_a_browser_that_is_named_but_missing_is_said(monkeypatch):
    monkeypatch.setenv(browser.VARIABLE, "/nowhere/chrome")
    with pytest.raises(BuildError, match=r"SATCHEL_BROWSER points to /nowhere/chrome"):
        browser.chromium()


def test_an_npm_that_fails_is_quoted(tmp_path):
    script = tmp_path / "fails.py"
    script.write_text("import sys; print('E404 no such package'); sys.exit(1)", "utf-8")
    with pytest.raises(BuildError, match="npm ci failed; its own words:\nE404 no such package"):
        node._run([sys.executable, str(script)], "npm ci")


def test_an_unknown_recipe_is_named_with_those_that_exist():
    with pytest.raises(BuildError, match="no recipe 'nothing'; models/ has efficientnet-lite0"):
        rebuild.rebuild("nothing")


def test_an_unknown_environment_is_named():
    with pytest.raises(BuildError, match=r"no requirements/none\.txt"):
        toolenv.python("none")


def test_a_report_has_the_published_form(tmp_path):
    report = Report("bench inference")
    report.sample("raw", [3.0, 1.0, 2.0], "ms")
    report.ratio("label.satchel_over_rawort", Ratio(1.03, 1.01, 1.05))
    report.figure("memory.growth", 0.004, "fraction")
    report.write(tmp_path / "report.json")
    told = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert list(told) == [
        "schema", "command", "machine", "versions", "samples", "ratios", "figures",
    ]  # fmt: skip
    assert told["samples"]["raw"] == {"unit": "ms", "values": [3.0, 1.0, 2.0], "median": 2.0}
    assert told["ratios"]["label.satchel_over_rawort"] == {"value": 1.03, "low": 1.01, "high": 1.05}
    assert told["figures"]["memory.growth"] == {"value": 0.004, "unit": "fraction"}
    assert told["versions"]["Pyodide"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], 'Unknown command "nonsense"'),
        (["serve", "--port", "99999"], "Must be <= 65535"),
        (["models", "--rebuild", "nothing"], "There is no recipe 'nothing'"),
        (["build", "--site", "none.toml"], "There is no site file at none.toml"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_no_traceback(arguments, words):
    done = subprocess.run(
        [sys.executable, "-m", "builder.cli", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
