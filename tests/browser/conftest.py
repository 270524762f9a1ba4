"""What the page's tests share; and the figures that tests recorded, shown at the end.

A test records one by `record_property("figure", "…")`.
"""

import pytest

from builder import node

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def axe():
    return (node.packages() / "axe-core/axe.min.js").read_text("utf-8")


@pytest.fixture
def findings(axe):
    """What axe finds wrong with a page, one line each."""

    def run(page):
        page.evaluate(axe)
        answer = page.evaluate("(rules) => axe.run(document, { runOnly: rules })", RULES)
        return [
            f"{found['id']}: {node['html'][:160]}"
            for found in answer["violations"]
            for node in found["nodes"]
        ]

    return run


def pytest_terminal_summary(terminalreporter):
    reports = [
        report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)
    ]
    figures = [
        text
        for report in reports
        if report.when == "call"
        for name, text in report.user_properties
        if name == "figure"
    ]
    if figures:
        terminalreporter.section("figures")
        for text in figures:
            terminalreporter.line(text)
