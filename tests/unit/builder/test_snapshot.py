"""The snapshot's file: what goes in comes out, in Python and in the page's own JavaScript."""

from __future__ import annotations

import json
import struct
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder import node
from builder.paths import STATIC
from builder.snapshot import pack, record

TABLE = {"base": 10, "slots": [None, ["lib.so", "f"]], "handles": {"1": "lib.so"}, "free": [3]}
IDS = {"pyodide": "1.2.3", "numpy": "4"}

heaps = st.lists(st.tuples(st.booleans(), st.integers(1, 3)), min_size=1, max_size=8).map(
    lambda runs: b"".join((b"\x01" if full else b"\0") * n * pack.PAGE for full, n in runs)
)


def unpacked(data: bytes) -> bytes:
    """The heap as the format says."""
    header, rest = pack.split(data)
    heap = bytearray(header["heap"])
    at = header["head"]
    for first, count, stored in header["runs"]:
        if not stored:
            continue
        length = min(count * pack.PAGE, len(heap) - first * pack.PAGE)
        heap[first * pack.PAGE : first * pack.PAGE + length] = rest[at : at + length]
        at += length
    assert at == len(rest)
    return bytes(heap)


@given(heaps, st.integers(0, 100))
def test_a_heap_comes_out_as_it_went_in(heap, more):
    heap += b"\x02" * more  # a last page that isn't whole
    recording = pack.Recording(b"head" * 4, heap, b"", TABLE)
    assert unpacked(pack.pack(recording, IDS)) == heap


def test_empty_pages_take_no_room():
    heap = bytes(1000 * pack.PAGE) + b"x" * pack.PAGE
    packed = pack.pack(pack.Recording(b"", heap, b"", TABLE), IDS)
    assert len(packed) < 2 * pack.PAGE


@given(heaps, heaps)
def test_pages_that_a_fresh_instance_has_alike_take_no_room(heap, fresh):
    header, rest = pack.split(pack.pack(pack.Recording(b"", heap, fresh, TABLE), IDS))
    stored = sum(count for _, count, stored in header["runs"] if stored)
    assert len(rest) == stored * pack.PAGE
    for first, count, stored in header["runs"]:
        place = slice(first * pack.PAGE, (first + count) * pack.PAGE)
        assert (heap[place] == fresh[place]) != stored


def test_the_header_says_what_went_in():
    header, _ = pack.split(pack.pack(pack.Recording(b"", b"x" * 9, b"", TABLE), IDS))
    assert header["format"] == pack.FORMAT
    assert (header["ids"], header["table"], header["heap"]) == (IDS, TABLE, 9)


def test_pages_begin_where_memory_is_aligned():
    packed = pack.pack(pack.Recording(b"h" * 48, b"x" * 9, b"", TABLE), IDS)
    assert packed.index(b"h" * 48) % pack.ALIGNMENT == 0


def test_pyodide_s_own_header_is_split_off():
    whole = struct.pack("<4I", 1, 32, 2, 0) + b"json".ljust(16) + b"heap"
    recording = pack.Recording.of(whole, b"fresh", TABLE)
    assert (recording.head, recording.heap) == (whole[:32], b"heap")


def test_anything_else_is_no_snapshot():
    with pytest.raises(ValueError, match="isn't a snapshot"):
        pack.split(b"<!doctype html>")


def test_the_ids_name_every_part_and_nothing_of_the_engine():
    assert set(record.ids()) == {"pyodide", "wasm", "script", "stdlib", "numpy", "recorder"}


def test_without_a_browser_the_build_says_so_and_goes_on(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(record, "STORE", tmp_path)
    monkeypatch.setenv("SATCHEL_BROWSER", str(tmp_path / "no browser"))
    assert record.snapshot() is None
    assert not record.available()
    assert "No snapshot of Python" in capsys.readouterr().err


FRESH = b"\x09" * (2 * pack.PAGE)

READ = """
import { readFileSync } from "node:fs";
import { checkParts, fillHeap, parse } from FORMAT;
const file = new Uint8Array(readFileSync(0));
const source = { copy: (target, at) => target.set(file.subarray(at, at + target.length)) };
const { header, head, pages } = parse(source);
const used = 2 * header.page;
const heap = new Uint8Array(header.heap).fill(9, 0, used); // what a fresh instance has there
fillHeap(heap, used, header, source, pages);
let refused = "";
try {
  checkParts(header.ids, { ...header.ids, numpy: "5" });
} catch ({ message }) {
  refused = message;
}
checkParts(header.ids, header.ids);
process.stdout.write(JSON.stringify({ head: [...head], heap: [...heap], refused }));
"""


@pytest.mark.parametrize(
    "heap",
    [
        bytes(pack.PAGE) + b"a" * pack.PAGE + bytes(2 * pack.PAGE) + b"b" * 5,
        b"a" * pack.PAGE + bytes(3 * pack.PAGE),
        bytes(3 * pack.PAGE),
        b"\x09" * pack.PAGE + b"a" * pack.PAGE,
        bytes(pack.PAGE) + b"\x09" * pack.PAGE + b"a" * 7,
        b"\x09" * (2 * pack.PAGE) + bytes(pack.PAGE),
    ],
    ids=["gaps", "nothing behind", "nothing at all", "first alike", "second alike", "both alike"],
)
def test_the_page_fills_a_used_heap_with_just_what_was_recorded(heap):
    packed = pack.pack(pack.Recording(b"h" * 16, heap, FRESH, TABLE), IDS)
    format_url = json.dumps((STATIC / "snapshot" / "format.mjs").as_uri())
    code = READ.replace("FORMAT", format_url)
    command = [str(node.executable()), "--input-type=module", "--eval", code]
    done = subprocess.run(command, input=packed, capture_output=True, check=True)
    found = json.loads(done.stdout)
    assert bytes(found["heap"]) == heap
    assert bytes(found["head"]) == b"h" * 16
    assert found["refused"] == "the snapshot was made with numpy 4, this page has 5"
