"""The wire form: what goes in comes out, in the page's own JavaScript, however it arrives."""

from __future__ import annotations

import json
import random
import subprocess

import pytest
import zstandard

from builder import node, parts, wire
from builder.paths import ROOT

EXPAND = """
import { readFileSync } from "node:fs";
import { createHash } from "node:crypto";
const [url, step, header] = JSON.parse(process.argv[1]);
const { expanded, expandedNow } = await import(url);
const bytes = new Uint8Array(readFileSync(0));
const body = new ReadableStream({
  start(controller) {
    for (let at = 0; at < bytes.length; at += step) controller.enqueue(bytes.slice(at, at + step));
    controller.close();
  },
});
const digest = (found) => createHash("sha256").update(found).digest("hex");
try {
  const headers = { "content-type": "application/octet-stream", ...header };
  const from = "http://host/x/part.wasm.zst";
  const response = expanded(new Response(body, { headers }), from);
  const whole = new Uint8Array(await response.arrayBuffer());
  const now = header["x-satchel-expanded"] ? whole : expandedNow(bytes, from);
  process.stdout.write(JSON.stringify({
    digest: digest(whole), now: digest(now), type: response.headers.get("content-type") }));
} catch ({ message }) {
  process.stdout.write(JSON.stringify({ message }));
}
"""


@pytest.fixture(scope="module")
def expand(tmp_path_factory):
    """Expands bytes in Node.js as the page does; answers {digest, now, type} or {message}."""
    # A bundle, since Node.js looks for npm's packages beside the file.
    from builder import scripts
    from builder.paths import STATIC

    script = tmp_path_factory.mktemp("expand") / "expand.mjs"
    script.write_bytes(scripts.bundle(STATIC / "expand.mjs"))

    def run(data: bytes, *, step: int = 65536, **header: str) -> dict[str, str]:
        headers = {name.replace("_", "-"): value for name, value in header.items()}
        given = json.dumps([script.as_uri(), step, headers])
        command = [str(node.executable()), "--input-type=module", "--eval", EXPAND, given]
        done = subprocess.run(command, input=data, capture_output=True, check=True, timeout=30)
        return json.loads(done.stdout)

    return run


def digest(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


CONTENT = b"".join(path.read_bytes() for path in sorted((ROOT / "builder").glob("*.py"))) * 3


@pytest.mark.parametrize("step", [1, 3, 1000, 65536])
def test_it_is_expanded_in_whatever_pieces_it_arrives(expand, step):
    found = expand(wire.packed(CONTENT), step=step)
    assert found == {"digest": digest(CONTENT), "now": digest(CONTENT), "type": "application/wasm"}


@pytest.mark.heavy
def test_a_real_part_comes_out_as_it_went_in(expand):
    content = (parts.folder("pyodide") / "pyodide.asm.wasm").read_bytes()
    packed = wire.packed(content)
    assert len(packed) < 0.31 * len(content)
    assert expand(packed)["digest"] == digest(content)


@pytest.mark.parametrize("content", [b"", b"a", b"\x28\xb5", b"\0asm" + bytes(5000)])
def test_what_a_host_expanded_already_stays_as_it_is(expand, content):
    assert expand(content, content_encoding="zstd")["digest"] == digest(content)


def test_what_the_service_worker_expanded_is_not_even_looked_at(expand):
    packed = wire.packed(CONTENT)
    found = expand(packed, x_satchel_expanded="yes")
    assert found["digest"] == digest(packed)


@pytest.mark.parametrize("left", [5, 12, 100, 0.5, -1])
def test_a_stream_that_ends_early_is_an_error_that_names_the_file(expand, left):
    packed = wire.packed(CONTENT)
    length = int(left * len(packed)) if isinstance(left, float) else left
    assert "part.wasm arrived broken" in expand(packed[:length])["message"]


def test_a_corrupt_stream_ends_always(expand):
    packed = wire.packed(CONTENT[:30_000])
    chance = random.Random(4)
    for _ in range(12):
        spoilt = bytearray(packed)
        for _ in range(chance.choice((1, 20))):
            spoilt[chance.randrange(4, len(spoilt))] ^= 1 << chance.randrange(8)
        found = expand(bytes(spoilt))  # it has a time limit of its own
        assert "arrived broken" in found.get("message", "arrived broken")


def test_packing_is_done_once_and_gives_the_same_bytes(monkeypatch, tmp_path):
    before = wire.packed(CONTENT)
    monkeypatch.setattr(wire, "STORE", tmp_path)
    assert wire.packed(CONTENT) == before
    monkeypatch.setattr(zstandard, "ZstdCompressor", None)
    assert wire.packed(CONTENT) == before


def test_browsers_may_expand_it_themselves():
    """RFC 9659: no window over 8 MiB, and a length in front."""
    frame = zstandard.get_frame_parameters(wire.packed(bytes(20_000_000) + CONTENT))
    assert frame.window_size <= 8 << 20
    assert frame.content_size == 20_000_000 + len(CONTENT)
