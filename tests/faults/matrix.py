"""The fault matrix: what goes wrong, at which step, and what must be true of that attempt.

What must be true after every case, whatever the fault (judge.py): exactly one complete version is
active and answers as its file does; no stored byte is other than what was published; the next
attempt, once the fault is gone, succeeds without fetching verified chunks again; and where the
release itself is bad, it is set aside with a reason, and a mended one is taken.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

from case import Case, rule

TIMESTAMP, SNAPSHOT, TARGETS = r"timestamp\.json$", r"\d\.snapshot\.json$", r"\d\.targets\.json$"
MANIFEST = r"^manifests/"
BLOB, INDEX, GOLDEN = "<blob>", "<index>", "<golden>"
"""Names of the release's files, filled in once they are known; so are <first>, the file of the
version before, and <elsewhere>, another origin."""

RETRIES, WRONG = 5, 3
"""Attempts in a row that a download makes by itself (satchel.attempts)."""


# ---- the connection

DELIVERED = ("truncated", "silent_close")
"""Cuts that look like an end: all that was sent is read. Of what an error ends, browsers drop what
the page hasn't read yet, unknown to the server; test_transfer.py counts in the page."""


def _connection() -> list[Case]:
    cut = "the connection"
    once = [
        ("reset", f"{cut} breaks (RST)", "cut_reset"),
        ("end", f"{cut} ends early (FIN), against Content-Length", "cut_end"),
        ("chunked", f"{cut} ends early (FIN) in chunked encoding", "cut_chunked"),
        ("truncated", "the answer is cut and looks complete", "truncated"),
        ("closed", "the answer is cut, and only the closed connection ends it", "silent_close"),
    ]
    cases = [
        Case(f"model-{name}-{int(at * 100)}", "download", f"{what}, at {at:.0%} of the model file",
             (rule(BLOB, fault, at=at, times=1),), bounded=fault in DELIVERED)
        for name, what, fault in once
        for at in (0.0, 0.37, 0.98)
    ]  # fmt: skip
    cases += [
        Case("model-cut-five-times", "download", "it breaks five times, a little later each time",
             tuple(rule(BLOB, "cut_end", at=0.3, times=1, skip=n) for n in range(5))),
        Case("model-cut-always-at-once", "download", "it breaks each time before the first byte",
             (rule(BLOB, "cut_end", at=0.0),), ends="NetworkError", at="download"),
        Case("model-cut-half-way-each-time", "download",
             "it breaks half-way, four times in a row", (
                 rule(BLOB, "cut_end", at=0.5, times=4),)),
        Case("model-paused", "download", "the person pauses half-way", pause=700_000,
             ends="cancelled", at="download"),
        Case("model-stalls", "download", "nothing comes any more, and the connection stays",
             (rule(BLOB, "stall", at=0.5, times=1),), bounded=True),
        Case("model-slow-loris", "download", "byte by byte (slow loris); the person pauses",
             (rule(BLOB, "drip", at=0.5, every=0.1),), pause=700_000, ends="cancelled",
             at="download"),
    ]  # fmt: skip
    for step, path, says in (
        ("timestamp", TIMESTAMP, "timestamp"),
        ("snapshot", SNAPSHOT, "snapshot"),
        ("targets", TARGETS, "targets"),
        ("manifest", MANIFEST, "manifest"),
    ):
        cases += [
            Case(f"{step}-cut", "check", f"the connection breaks within the {step}",
                 (rule(path, "cut_reset", at=0.5),), ends="NetworkError", at="check", says=says),
            Case(f"{step}-truncated", "check", f"the {step} is cut and looks complete",
                 (rule(path, "truncated", at=0.5),), ends="TrustError", at="check", says=says),
        ]  # fmt: skip
    for step, path in (("index", INDEX), ("golden", GOLDEN)):
        at = "check" if step == "index" else "download"
        name = {"index": "chunk index", "golden": "golden set"}[step]
        cases += [
            Case(f"{step}-cut", step, f"the connection breaks within the {name}",
                 (rule(path, "cut_reset", at=0.5, times=1),)),
            Case(f"{step}-missing", step, f"the {name} is missing (404)",
                 (rule(path, "refused", status=404),), ends="NetworkError", at=at, says="404"),
            Case(f"{step}-flipped", step, f"one bit of the {name} is another one",
                 (rule(path, "flipped", at=0.5),), ends="IntegrityError", at=at, says="promised"),
        ]  # fmt: skip
    return cases


# ---- the server


def _server() -> list[Case]:
    wrong = {"ends": "IntegrityError", "at": "download", "says": "promised"}
    cases = [
        Case("model-404", "download", "404", (rule(BLOB, "refused", status=404),),
             ends="NetworkError", at="download", says="404"),
        Case("model-403", "download", "403", (rule(BLOB, "refused", status=403),),
             ends="NetworkError", at="download", says="403"),
        Case("model-500-once", "download", "500, once",
             (rule(BLOB, "refused", status=500, times=1),), bounded=True),
        Case("model-500", "download", "500, always", (rule(BLOB, "refused", status=500),),
             ends="NetworkError", at="download", says="500"),
        Case("model-503-later", "download", "503 with Retry-After of 1 second, once",
             (rule(BLOB, "refused", status=503, retry_after="1", times=1),), bounded=True),
        Case("model-429-later", "download", "429 with Retry-After of 1 second, twice",
             (rule(BLOB, "refused", status=429, retry_after="1", times=2),), bounded=True),
        Case("model-429-much-later", "download", "429 with Retry-After of an hour",
             (rule(BLOB, "refused", status=429, retry_after="3600"),),
             ends="NetworkError", at="download", says="429"),
        Case("model-416", "download", "it refuses ranges (416)",
             (rule(BLOB, "refused", status=416, times=2),)),
        Case("model-whole", "download", "it ignores Range: the whole file with 200",
             (rule(BLOB, "whole"),)),
        Case("model-whole-cut", "download", "the same, and it breaks half-way, once",
             (rule(BLOB, "whole", skip=1), rule(BLOB, "cut_end", at=0.5, times=1))),
        Case("model-misplaced-once", "download", "a wrong Content-Range, once",
             (rule(BLOB, "misplaced", times=1),)),
        Case("model-misplaced", "download", "a wrong Content-Range, always",
             (rule(BLOB, "misplaced"),)),
        Case("model-short-range", "download", "it gives no more than 300 kB at a time",
             (rule(BLOB, "short_range", most=300_000, times=8),), bounded=True),
        Case("model-zipped", "download", "it compresses ranges on the way",
             (rule(BLOB, "zipped"),)),
        Case("model-moved", "download", "a redirect to the same origin",
             (rule(BLOB, "moved", where="/truth/blobs/<blob>"),), bounded=True),
        Case("model-moved-away", "download", "a redirect to another origin",
             (rule(BLOB, "moved", where="<elsewhere>truth/blobs/<blob>"),), bounded=True),
        Case("model-redirect-loop", "download", "a redirect to itself", (rule(BLOB, "loop"),),
             ends="NetworkError", at="download"),
        Case("model-empty", "download", "nothing, with 200", (rule(BLOB, "empty"),), **wrong),
        Case("model-page", "download", "a web page in its place, with 200",
             (rule(BLOB, "page"),), **wrong),
        Case("model-endless", "download", "more than was promised, without end",
             (rule(BLOB, "endless", times=2),)),
        Case("model-appended", "download", "the host adds something of its own",
             (rule(BLOB, "appended"),)),
        Case("model-other-file", "download", "another model's file in its place",
             (rule(BLOB, "other_file", instead="blobs/<first>"),), **wrong),
        Case("model-flipped-once", "download", "one bit is another one, once",
             (rule(BLOB, "flipped", at=0.5, times=1),)),
        Case("model-flipped", "download", "one bit is another one, always the same",
             (rule(BLOB, "flipped", byte=1_500_000),), **wrong),
        Case("model-replaced", "download", "every byte is another one, the length is right",
             (rule(BLOB, "replaced"),), **wrong),
        Case("index-500", "index", "500 for the chunk index, once",
             (rule(INDEX, "refused", status=500, times=1),)),
        Case("timestamp-endless", "check", "a timestamp without end", (rule(TIMESTAMP, "endless"),),
             ends="TrustError", at="check", says="timestamp"),
        Case("targets-endless", "check", "targets metadata without end",
             (rule(TARGETS, "endless"),), ends="TrustError", at="check", says="targets"),
        Case("manifest-endless", "check", "a manifest without end", (rule(MANIFEST, "endless"),),
             ends="TrustError", at="check", says="manifest"),
        Case("manifest-flipped", "check", "one bit of the manifest is another one",
             (rule(MANIFEST, "flipped", at=0.5),), ends="TrustError", at="check", says="manifest"),
    ]  # fmt: skip
    for status, says in ((404, "404"), (500, "500"), (429, "429")):
        cases.append(
            Case(f"timestamp-{status}", "check", f"{status} for the timestamp",
                 (rule(TIMESTAMP, "refused", status=status),), ends="NetworkError", at="check",
                 says=says)
        )  # fmt: skip
    cases += [
        Case("timestamp-page", "check", "a sign-in page in the timestamp's place",
             (rule(TIMESTAMP, "page"),), ends="NetworkError", at="check", says="web page"),
        Case("timestamp-stalls", "check", "the timestamp never comes",
             (rule(TIMESTAMP, "stall", at=0.0),), ends="NetworkError", at="check",
             says="timestamp"),
        Case("timestamp-drips", "check", "the timestamp comes byte by byte (slow loris)",
             (rule(TIMESTAMP, "drip", at=0.1, every=0.5),), ends="NetworkError", at="check",
             says="timestamp", heavy=True),
    ]  # fmt: skip
    return cases


# ---- signed metadata


FORGED = {
    "wrong-key": "signed by somebody else under the right key's name",
    "strange-key": "signed by a key that nobody knows",
    "flipped-bit": "one bit of the signature is another one",
    "unsigned": "not signed at all",
    "changed": "changed after it was signed",
}
ROLES = ("root", "targets", "snapshot", "timestamp")
WHICH = {"root": r"2\.root\.json$", "targets": TARGETS, "snapshot": SNAPSHOT,
         "timestamp": TIMESTAMP}  # fmt: skip


def _metadata() -> list[Case]:
    refused = {"ends": "TrustError", "at": "check"}
    cases = []
    for role in ROLES:
        vouched = ", and the roles above it vouch for it" if role in ("targets", "snapshot") else ""
        for name, words in FORGED.items():
            cases.append(Case(f"{role}-{name}", "check", f"{role}: {words}{vouched}",
                              state=f"{role}-{name}", says=role, then="renewed",
                              **refused))  # fmt: skip
        cases.append(
            Case(f"{role}-expired", "check", f"{role}: well signed, and expired",
                 state=f"{role}-expired", ends="ExpiredError", at="check",
                 says=f"the {role} metadata has expired",
                 then="root-renewed" if role == "root" else "renewed")
        )  # fmt: skip
        if role != "root":
            seen = {"state": f"{role}-older", "seen": ("v2",), "then": "renewed"}
            cases.append(
                Case(f"{role}-older", "check", f"{role}: an older version, well signed"
                     f"{vouched}, after a newer one was seen", **seen, **refused)
            )  # fmt: skip
        cases.append(
            Case(f"{role}-garbage", "check", f"{role}: not JSON",
                 (rule(WHICH[role], "garbage"),), says=role, **refused)
        )  # fmt: skip
        cases.append(
            Case(f"{role}-empty", "check", f"{role}: empty",
                 (rule(WHICH[role], "empty"),), says=role, **refused)
        )  # fmt: skip
    for role in ("targets", "snapshot"):
        cases += [
            Case(f"{role}-mixed", "check", f"{role}: that of the version before, in its place",
                 state=f"{role}-mixed", says=role, **refused),
            Case(f"{role}-missing", "check", f"{role}: 404",
                 (rule(WHICH[role], "refused", status=404),), ends="NetworkError", at="check",
                 says=role),
        ]  # fmt: skip
    cases += [
        Case("root-skipping", "check", "root: version 3 where version 2 should be",
             state="root-skipping", says="root", **refused),
        Case("root-endless", "check", "root: without end", (rule(WHICH["root"], "endless"),),
             state="root-skipping", says="root", **refused),
        Case("manifest-missing", "check", "the manifest: 404",
             (rule(MANIFEST, "refused", status=404),), ends="NetworkError", at="check",
             says="manifest"),
        Case("first-visit-expired", "check", "the timestamp has expired already at the first visit",
             state="timestamp-expired", from_start=True, ends="ExpiredError", at="check",
             says="this device's clock says"),
    ]  # fmt: skip
    return cases


# ---- the release itself

BAD = {
    "not_onnx": ("the file is no model", "does not work on this device"),
    "cut_short_by_its_maker": ("the file is half a model", "does not work on this device"),
    "unknown_operator": ("an operator that no engine has", "does not work on this device"),
    "input_renamed": ("an input of another name", "does not work on this device"),
    "output_renamed": ("an output of another name", "output 'y' is missing"),
    "wrong_shape": ("outputs of another shape", "output 'y' is float32 [1, 169]"),
    "wrong_dtype": ("outputs of another type", "output 'y' is float64"),
    "not_finite": ("outputs that are NaN", "not finite"),
    "other_answers": ("outputs other than the golden ones", "does not answer as its release"),
}


def _release() -> list[Case]:
    cases = [
        Case(f"release-{name.replace('_', '-')}", "validate", f"well signed: {what}", state=name,
             ends="ValidationError", at="apply", says=says, then=f"{name}_mended", aside=True)
        for name, (what, says) in BAD.items()
    ]  # fmt: skip
    cases += [
        Case("release-hangs", "validate", "well signed: it never answers", state="hangs",
             ends="InferenceTimeoutError", at="apply", says="seconds to prove itself",
             then="hangs_mended"),
        Case("release-hangs-each-time", "validate", "the same, until it is not tried any more",
             state="hangs", ends="InferenceTimeoutError", at="apply", repeat=3, aside=True,
             then="hangs_mended", heavy=True),
        Case("release-wants-all-memory", "validate", "well signed: it wants 64 GB",
             state="out_of_memory", ends="OutOfMemoryError", at="apply",
             then="out_of_memory_mended"),
        Case("release-index-of-another-file", "download",
             "well signed: the chunk index of another file", state="index_of_another_file",
             ends="IntegrityError", at="download", says="promised",
             then="index_of_another_file_mended"),
        Case("release-index-unreadable", "index",
             "well signed: a chunk index of another size; the file comes as a whole",
             state="index_unreadable", then="index_unreadable_mended"),
        Case("release-golden-unreadable", "validate", "well signed: a golden set that is none",
             state="golden_unreadable", ends="ValidationError", at="apply",
             then="golden_unreadable_mended", aside=True),
    ]  # fmt: skip
    return cases


# ---- the device's own store


def _store() -> list[Case]:
    paused = {"pause": 700_000, "ends": "cancelled", "at": "download"}
    return [
        Case("store-part-damaged", "store", "one bit of what a paused download has kept is another "
             "one", damage="part", **paused),
        Case("store-active-damaged", "store", "one bit of the active version's file is another "
             "one, while an update takes chunks from it", damage="active", **paused),
        Case("store-active-lost", "store", "the active version's file is gone", damage="lost",
             **paused),
    ]  # fmt: skip


# ---- the clock


def _clock() -> list[Case]:
    return [
        Case("clock-ten-years-ahead", "check", "the clock is ten years ahead, from the first visit",
             years=10, from_start=True, ends="ExpiredError", at="check",
             says="this device's clock says 20"),
        Case("clock-ten-years-behind", "check", "the clock is ten years behind, from the first "
             "visit: signatures hold, and it works", years=-10, from_start=True),
    ]  # fmt: skip


EACH = 6
"""One case of so many is in every run; the others are in whole ones (`test --all`)."""


def _all() -> Iterator[Case]:
    groups = _connection(), _server(), _metadata(), _release(), _store(), _clock()
    for number, case in enumerate(itertools.chain(*groups)):
        yield replace(case, heavy=case.heavy or number % EACH != 0)


CASES: tuple[Case, ...] = tuple(_all())


# ---- a page, a worker or the browser ends


@dataclass(frozen=True)
class Ending:
    """One row: an update ends in its midst.

    Attributes:
        how: "closed" (the tab), "ended" (the page's workers), "killed" (the whole browser).
        step: At which step.
        heavy: Only in `test --all`.
    """

    how: str
    step: str
    heavy: bool = False

    @property
    def id(self) -> str:
        """Its name."""
        return f"{self.how}-{self.step.replace(' ', '-')}"

    @property
    def what(self) -> str:
        """What goes wrong, for people."""
        return f"{HOWS[self.how]} {STEPS[self.step]}"


HOWS = {
    "closed": "the tab is closed",
    "ended": "the page's workers are ended",
    "killed": "the browser is killed (signal 9)",
}
STEPS = {
    "checking": "while it looks for updates",
    "downloading": "in the middle of the download",
    "verifying": "while what came is verified",
    "validating": "while the new version is tried",
    "before activating": "just before the new version is put in place",
    "activating": "while it is put in place",
}
ALWAYS = {
    "closed": ("downloading", "activating"),
    "ended": ("downloading",),
    "killed": (),
}
"""What every run plays: starting a browser anew takes its time."""
ENDED: tuple[Ending, ...] = tuple(
    Ending(how, step, heavy=step not in ALWAYS[how]) for how in HOWS for step in STEPS
)
