"""The dev server, asked over a real socket."""

import gc
import gzip
import http.client
import socket

import pytest

from builder import server
from builder.errors import BuildError

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def folder(tmp_path):
    site = tmp_path / "site"
    (site / "assets").mkdir(parents=True)
    (site / "index.html").write_text("<p>page", "utf-8")
    (site / "assets" / "x.0123456789.wasm").write_bytes(CONTENT)
    (tmp_path / "secret.txt").write_text("not for you", "utf-8")
    return site


def ask(url, path="", method="GET", **headers):
    rest = url.removeprefix("http://")
    host, _, base = rest.partition("/")
    connection = http.client.HTTPConnection(host, timeout=10)
    try:
        connection.request(method, "/" + base + path, headers=headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


WASM = "assets/x.0123456789.wasm"


def test_a_range_is_answered_with_just_that_range(folder):
    with server.serving(folder) as url:
        status, headers, body = ask(url, WASM, Range="bytes=100-199")
        assert (status, body) == (206, CONTENT[100:200])
        assert headers["content-range"] == f"bytes 100-199/{len(CONTENT)}"
        status, _, body = ask(url, WASM, Range=f"bytes={len(CONTENT) - 5}-")
        assert (status, body) == (206, CONTENT[-5:])
        status, headers, _ = ask(url, WASM, Range=f"bytes={len(CONTENT)}-")
        assert status == 416
        assert headers["content-range"] == f"bytes */{len(CONTENT)}"


def test_head_and_etag(folder):
    with server.serving(folder) as url:
        status, headers, body = ask(url, WASM, method="HEAD")
        assert (status, body, headers["content-length"]) == (200, b"", str(len(CONTENT)))
        status, later, body = ask(url, WASM, **{"If-None-Match": headers["etag"]})
        assert (status, body) == (304, b"")
        assert later["cache-control"] == headers["cache-control"]


def test_every_file_gets_its_headers(folder):
    with server.serving(folder) as url:
        status, headers, body = ask(url)
        assert (status, body) == (200, b"<p>page")
        assert headers["cache-control"] == "no-cache"
        assert headers["cross-origin-embedder-policy"] == "require-corp"
        _, headers, _ = ask(url, WASM)
        assert headers["content-type"] == "application/wasm"
        assert "immutable" in headers["cache-control"]
        assert "content-security-policy" in headers


def test_who_can_expand_it_gets_text_compressed_and_the_log_counts_that(folder):
    page = b"<p>page " * 1000
    (folder / "index.html").write_bytes(page)
    with server.serving(folder) as url:
        status, headers, body = ask(url, **{"Accept-Encoding": "gzip, br"})
        assert (status, headers["content-encoding"]) == (200, "gzip")
        assert gzip.decompress(body) == page
        assert headers["content-length"] == str(len(body)) == str(url.bytes)
        assert headers["content-type"].startswith("text/html")
        assert headers["cache-control"] == "no-cache"
        etag = {"If-None-Match": headers["etag"], "Accept-Encoding": "gzip"}
        assert ask(url, **etag)[0] == 304
        # A part of a file is a part of the file itself.
        asked = {"Accept-Encoding": "gzip", "Range": "bytes=0-2"}
        assert ask(url, **asked)[2] == b"<p>"
        assert "content-encoding" not in ask(url)[1]
    with server.serving(folder, plain=True) as url:
        assert "content-encoding" not in ask(url, **{"Accept-Encoding": "gzip"})[1]


def test_what_travels_packed_is_not_compressed_again(folder):
    (folder / "part.wasm.zst").write_bytes(CONTENT)
    with server.serving(folder) as url:
        _, headers, body = ask(url, "part.wasm.zst", **{"Accept-Encoding": "gzip"})
        assert (body, headers["content-type"]) == (CONTENT, "application/zstd")


def test_a_plain_host_sends_no_header_that_helps(folder):
    with server.serving(folder, plain=True) as url:
        _, headers, _ = ask(url, WASM)
        assert headers["content-type"] == "application/wasm"
        assert not {"cache-control", "content-security-policy", "cross-origin-opener-policy"} & set(
            headers
        )


def test_a_sub_path_and_more_folders(folder, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "one.txt").write_text("one", "utf-8")
    with server.serving(folder, base="/deep/down/", mounts={"/data": tmp_path / "data"}) as url:
        assert url.endswith("/deep/down/")
        assert ask(url)[0] == 200
        root = url.removesuffix("deep/down/")
        assert ask(root, "data/one.txt")[2] == b"one"
        assert ask(root, "index.html")[0] == 404


@pytest.mark.parametrize("path", ["../secret.txt", "%2e%2e/secret.txt", "assets/../../secret.txt"])
def test_nothing_outside_the_folder_is_served(folder, path):
    with server.serving(folder) as url:
        status, _, body = ask(url, path)
        assert status == 404
        assert b"not for you" not in body


def test_the_log_counts_the_bytes_of_every_answer(folder):
    with server.serving(folder) as url:
        ask(url, WASM)
        ask(url, WASM, Range="bytes=0-9")
        ask(url, "none")
        assert [tuple(answer)[:2] for answer in url.log] == [
            ("/" + WASM, 200),
            ("/" + WASM, 206),
            ("/none", 404),
        ]
        assert [answer.bytes for answer in url.log[:2]] == [len(CONTENT), 10]
        assert url.bytes >= len(CONTENT) + 10


@pytest.mark.filterwarnings("error")
def test_a_client_that_stops_reading_is_let_go_when_the_server_ends(folder):
    (folder / "assets" / "large.bin").write_bytes(bytes(50_000_000))
    with socket.socket() as client:
        with server.serving(folder) as url:
            host, port = url.removeprefix("http://").rstrip("/").split(":")
            client.connect((host, int(port)))
            client.sendall(b"GET /assets/large.bin HTTP/1.1\r\nHost: here\r\n\r\n")
            assert client.recv(100)
        gc.collect()  # an open transport would warn now, in a test that has nothing to do with it


def test_a_port_in_use_is_one_clear_sentence(folder):
    with socket.socket() as taken:
        taken.bind((server.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BuildError, match=f"Port {port} .* can't be used.*--port {port + 1}"):
            server.serve(folder, port, plain=False, ready=print)
