"""docs/faults.md shows the fault matrix as it is, and a run of it."""

import json

import matrix
import table

CASES = [case.id for case in (*matrix.CASES, *matrix.ENDED)]


def test_the_page_is_made_of_the_matrix_and_the_report():
    report = json.loads(table.REPORT.read_text("utf-8"))
    assert table.PAGE.read_text("utf-8") == table.text(report), (
        "make it again: .venv/bin/python tests/faults/table.py"
    )


def test_the_run_played_every_case_and_all_held():
    assert json.loads(table.REPORT.read_text("utf-8"))["cases"] == dict.fromkeys(CASES, True)


def test_there_are_at_least_sixty_cases_each_with_its_own_name():
    assert len(CASES) == len(set(CASES)) >= 60
