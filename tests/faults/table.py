r"""docs/faults.md, made of the matrix and of what became of its cases in a run.

.venv/bin/python -m pytest tests/faults -p no:xdist -k "test_one_version or killed" \\
    --fault-report docs/faults.json
.venv/bin/python tests/faults/table.py
"""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import matrix

from builder.browser import chromium
from builder.report import machine

ROOT = Path(__file__).resolve().parents[2]
PAGE, REPORT = ROOT / "docs/faults.md", ROOT / "docs/faults.json"

ABOUT = """# What goes wrong, and what then holds

Everything here is played in Chromium, against a real server with a front that spoils its answers,
with real keys, real signatures and a real store. `tests/faults/matrix.py` has the cases, this page
is made from it (`tests/faults/table.py`), and a test holds the one against the other.

**After each case**, whatever went wrong (`tests/faults/judge.py`, `tests/faults/endings.py`):

- exactly one version is active, all its files are here, and each has the SHA-256 that was signed;
- no stored byte, of a file or of a download under way, is other than what was published;
- the active version answers as its file does;
- once the fault is gone the next attempt succeeds, and asks for nothing that was verified before:
  bytes sent by the server ≤ what was missing + one batch (1 MiB) + the largest chunk;
- a release that is bad itself is set aside with a reason, and the next one is taken.

"""

RUN = """The run: {date}, {cores} cores, {system}, {browser}, `{command}`:
{held} of {played} cases held. Beside these, cases by chance are played:
`python3 build.py test --fault-seed N` repeats some, and a failure names its seed.
`test --all` plays what is marked *, and many more by chance.

"""

FIRST = """## Faults of networks, servers, signatures, releases, stores and clocks

"Ends" is how the attempt ends during which the fault lasts; in all but those that end with *done*
the version before stays active.

| case | step | what goes wrong | ends | held |
|---|---|---|---|---|
"""

SECOND = """
## Pages, workers and browsers that end

In the built page, with the label model; "held" as above.

| case | what goes wrong | held |
|---|---|---|
"""


LIMITS = """
## Disks that are full

`tests/faults/test_full_disk.py` fills a real disk, while an update is under way, until 0.3 to 4 MB
are left: the update ends in an error that says so, nothing changes, and the next attempt works once
there is room.

What no page can prevent: when less than a tenth of the disk stays free, Chromium drops a whole
site, models too, within half a minute; in tests it did so even where it had promised to keep it
(`navigator.storage.persist`, by a permission that the test granted). The model must then be fetched
again. The test has Chromium leave that out (`--unlimited-storage`).
"""


def text(report: dict) -> str:
    """The page, as Markdown."""
    cases = report["cases"]
    run = RUN.format(**report["run"], held=sum(cases.values()), played=len(cases))
    rows = [
        f"| {case.id}{star(case)} | {case.step} | {case.what} | {case.ends} | {held(cases, case)} |"
        for case in matrix.CASES
    ]
    endings = [f"| {one.id}{star(one)} | {one.what} | {held(cases, one)} |" for one in matrix.ENDED]
    first, second = "\n".join(rows), "\n".join(endings)
    return f"{ABOUT}{run}{FIRST}{first}\n{SECOND}{second}\n{LIMITS}"


def star(case) -> str:
    """Marks what only `test --all` plays."""
    return " *" if case.heavy else ""


def held(cases: dict[str, bool], case) -> str:
    """What the run says of a case."""
    return {True: "yes", False: "**no**", None: "not played"}[cases.get(case.id)]


def report(held: dict[str, bool], command: str) -> str:
    """The report of a run, as JSON: where it was, and which cases held."""
    known = [case.id for case in (*matrix.CASES, *matrix.ENDED)]
    about = machine()
    browser = subprocess.run([chromium(), "--version"], capture_output=True, text=True, check=False)
    run = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "command": command,
        "cores": about["cores"],
        "system": f"{about['system']} {about['architecture']}",
        "browser": " ".join(browser.stdout.split()[:2]),
    }
    cases = {name: held[name] for name in known if name in held}
    return json.dumps({"schema": 1, "run": run, "cases": cases}, indent=1) + "\n"


if __name__ == "__main__":
    PAGE.write_text(text(json.loads(REPORT.read_text("utf-8"))), "utf-8")
