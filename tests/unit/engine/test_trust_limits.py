"""Signed metadata from servers that don't end, and signatures that are verified elsewhere."""

from __future__ import annotations

import asyncio

import pytest
import trust_repositories
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import KEY_FOR_TYPE_AND_SCHEME, Signature, SSlibKey

from builder.server import serving
from satchel.errors import NetworkError, TrustError
from satchel.platform.native import NativePlatform
from satchel.trust import Trust, client, limits

ENDLESS = b" " * 65536


class Host:
    """A server that answers each request by a coroutine of ours."""

    def __init__(self, answer):
        self.answer = answer
        self.sent = 0

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}/"

    async def __aexit__(self, *_):
        self._server.close()

    async def _serve(self, reader, writer):
        try:
            path = (await reader.readline()).split()[1].decode()
            await self.answer(self, path, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def send(self, writer, data):
        writer.write(data)
        await writer.drain()
        self.sent += len(data)


async def never_ends(host, path, writer):
    await host.send(writer, b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        await host.send(writer, ENDLESS)


async def drips(host, path, writer):
    await host.send(writer, b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{")
    while True:
        await host.send(writer, b" ")
        await asyncio.sleep(0.01)


async def says_nothing(host, path, writer):
    await asyncio.Event().wait()


@pytest.fixture(scope="module")
def repositories(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repositories")
    trust_repositories.write(folder)
    return folder


def trusted(platform, repositories, base, scenario="spoilt"):
    return Trust(
        platform,
        metadata_url=f"{base}metadata/",
        manifests_url=f"{base}manifests/",
        root=(repositories / scenario / "root.json").read_bytes(),
        name="test",
    )


def ask(repositories, tmp_path, answer):
    """The error that a check ends with at such a host, and the host."""

    async def run():
        host = Host(answer)
        async with host as base:
            with pytest.raises((NetworkError, TrustError)) as caught:
                await trusted(NativePlatform(tmp_path), repositories, base).manifests(["tiny"])
            return caught.value, host

    return asyncio.run(run())


def test_an_answer_without_end_is_given_up_at_its_limit(repositories, tmp_path):
    error, host = ask(repositories, tmp_path, never_ends)
    assert "root metadata is larger than it may be" in str(error)
    # What the sockets' buffers take comes on top.
    assert host.sent < limits.limits().root_max_length + (8 << 20)


@pytest.mark.parametrize("answer", [drips, says_nothing])
def test_an_answer_that_takes_too_long_is_given_up(repositories, tmp_path, answer, monkeypatch):
    monkeypatch.setattr(client, "FILE_SECONDS", 0.5)
    error, _ = ask(repositories, tmp_path, answer)
    assert isinstance(error, NetworkError)
    assert "took longer" in str(error) or "timed out" in str(error)


def test_a_check_that_takes_too_long_in_all_is_given_up(repositories, tmp_path, monkeypatch):
    monkeypatch.setattr(client, "CHECK_SECONDS", 0.3)
    monkeypatch.setattr(client, "FILE_SECONDS", 1.0)
    error, _ = ask(repositories, tmp_path, drips)
    assert isinstance(error, NetworkError)
    assert "took too long" in str(error)


class Elsewhere:
    """Verifies as a browser does: not at once."""

    kinds = frozenset({("ed25519", "ed25519")})

    def __init__(self):
        self.verified = 0

    async def verify(self, key, signature, data):
        await asyncio.sleep(0)
        self.verified += 1
        public = SSlibKey("id", key.keytype, key.scheme, {"public": key.public})
        try:
            public.verify_signature(Signature("id", signature.hex()), data)
        except UnverifiedSignatureError:
            return False
        return True


class Counting:
    """The platform's fetcher, and the files that it was asked for."""

    def __init__(self, fetcher):
        self.fetcher, self.asked = fetcher, []

    def get(self, url, *more, **options):
        self.asked.append(url.rpartition("/")[2])
        return self.fetcher.get(url, *more, **options)


@pytest.fixture
def elsewhere(tmp_path):
    platform = NativePlatform(tmp_path)
    platform.signatures = Elsewhere()
    platform.fetcher = Counting(platform.fetcher)
    return platform


def check(platform, repositories, moment):
    with serving(repositories / "spoilt" / moment, plain=True) as url:
        return asyncio.run(trusted(platform, repositories, url).manifests(["tiny"]))


FETCHED = ["2.root.json", "3.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json"]


@pytest.mark.parametrize(
    ("role", "fetched"), [("root", 1), ("timestamp", 3), ("snapshot", 4), ("targets", 5)]
)
def test_nothing_is_fetched_on_the_word_of_a_signature_that_is_wrong(
    elsewhere, repositories, role, fetched
):
    keys = dict(KEY_FOR_TYPE_AND_SCHEME)
    with pytest.raises(TrustError, match=f"{role} metadata is not signed"):
        check(elsewhere, repositories, f"wrong-key-{role}")
    assert elsewhere.fetcher.asked == FETCHED[:fetched]
    assert keys == KEY_FOR_TYPE_AND_SCHEME
    assert set(check(elsewhere, repositories, "next")) == {"tiny"}


def test_each_signature_is_verified_once(elsewhere, repositories):
    check(elsewhere, repositories, "2")
    # The page's root by itself; the next one by both; timestamp, snapshot, targets.
    assert elsewhere.signatures.verified == 6
