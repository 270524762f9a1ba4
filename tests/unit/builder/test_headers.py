"""The headers: one function, and everything written down elsewhere agrees with it."""

import fnmatch
import re

import pytest

from builder import headers
from builder.paths import ROOT

PATHS = [
    "index.html",
    "sw.js",
    "site.webmanifest",
    "notices.txt",
    "icons/icon.svg",
    "samples/chelsea.jpg",
    "assets/boot.0123456789.mjs",
    "assets/ui.main.0123456789.py",
    "runtime/micropython-0123456789/micropython.wasm",
    "runtime/pyodide-0123456789/pyodide.asm.wasm.zst",
    "wheels/0123456789/satchel-0.1.0-py3-none-any.whl",
    "models/blobs/" + 64 * "a",
    "models/manifests/" + 64 * "b" + ".x.json",
    "models/metadata/1.root.json",
    "models/metadata/timestamp.json",
]


def of_headers_file(path):
    """What a host that reads `_headers` sends for a path."""
    sent = {}
    matches = False
    for line in headers.headers_file().splitlines():
        if not line.startswith(" "):
            matches = fnmatch.fnmatchcase("/" + path, line)
        elif matches:
            name, value = line.strip().split(": ", 1)
            assert name not in sent, "such hosts would join the two values"
            sent[name] = value
    return sent


@pytest.mark.parametrize("path", PATHS)
def test_the_headers_file_says_what_the_function_says(path):
    wanted = headers.headers(path)
    del wanted["Content-Type"]  # hosts know it by the name
    assert of_headers_file(path) == wanted


def test_the_page_s_own_address_is_in_the_headers_file():
    assert of_headers_file("")["Cache-Control"] == "no-cache"


def test_the_committed_nginx_example_is_the_generated_one():
    committed = (ROOT / "docs/hosting/nginx.conf").read_text("utf-8")
    assert committed == headers.nginx_conf(), "write builder.headers.nginx_conf() there"


@pytest.mark.parametrize("path", PATHS)
def test_the_nginx_example_says_what_the_function_says(path):
    conf = headers.nginx_conf()
    wanted = headers.headers(path)
    rules = re.findall(r'~(\S+) "([^"]+)";', conf)
    found = (value for pattern, value in rules if re.search(pattern, "/" + path))
    cache = next(found, headers.ASK_FIRST)
    sent = {"Cache-Control": cache}
    sent.update(re.findall(r'add_header (\S+) "([^"]*)" always;', conf))
    types = {
        suffix: media
        for media, suffixes in re.findall(r"^        (\S+/\S+) ([\w ]+);$", conf, re.MULTILINE)
        for suffix in suffixes.split()
    }
    media = types.get(path.rpartition(".")[2], "application/octet-stream")
    assert media == wanted.pop("Content-Type").split(";")[0]
    assert sent == wanted


@pytest.mark.parametrize("path", PATHS)
def test_a_plain_host_sends_the_media_type_alone(path):
    assert list(headers.headers(path, plain=True)) == ["Content-Type"]


def test_wasm_and_module_scripts_get_the_types_that_browsers_insist_on():
    assert headers.content_type("a/b.wasm") == "application/wasm"
    assert headers.content_type("a/b.mjs").startswith("text/javascript")
    assert headers.content_type("models/blobs/abc") == "application/octet-stream"


def test_an_origin_of_models_is_the_only_other_one_that_a_page_may_talk_to(tmp_path):
    origin = "https://models.example"
    sent = headers.headers("index.html", models_origin=origin)
    assert "; connect-src 'self' https://models.example; " in sent["Content-Security-Policy"]
    assert sent["Content-Security-Policy"].count("http") == 1
    written = headers.headers_file(origin)
    assert sent["Content-Security-Policy"] in written
    assert headers.stored(origin)["Content-Security-Policy"] == sent["Content-Security-Policy"]
    (tmp_path / "_headers").write_text(written, "utf-8")
    assert headers.models_origin(tmp_path) == origin
    (tmp_path / "_headers").write_text(headers.headers_file(), "utf-8")
    assert headers.models_origin(tmp_path) is None


def test_the_policy_names_no_other_origin_and_no_eval():
    assert "http" not in headers.CSP
    assert "*" not in headers.CSP
    assert "'unsafe-eval'" not in headers.CSP
    assert "'unsafe-inline'" not in headers.CSP
