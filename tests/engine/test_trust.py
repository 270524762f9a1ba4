"""What a device believes of a release repository, and how it takes what it must not believe."""

from __future__ import annotations

import asyncio
import json

import pytest

from satchel.errors import ExpiredError, NetworkError, TrustError
from satchel.platform import PutRecord
from satchel.trust import Trust

ROLES = ("root", "timestamp", "snapshot", "targets")
FILES = (*ROLES, "manifest")


class Counting:
    """The platform's fetcher, and the files that it was asked for."""

    def __init__(self, fetcher):
        self.fetcher = fetcher
        self.asked = []
        self.told = lambda count: None

    def get(self, url, *more, **options):
        self.asked.append(url.rpartition("/")[2])
        self.told(len(self.asked))
        return self.fetcher.get(url, *more, **options)


@pytest.fixture
def fetcher(platform):
    platform.fetcher = Counting(platform.fetcher)
    return platform.fetcher


@pytest.fixture
def trust(platform, files, served, fetcher):
    """A repository as this device trusts it, as it was at a moment."""

    def at(scenario, moment):
        fetcher.asked.clear()
        base = f"{served}trust/{scenario}/{moment}/"
        return Trust(
            platform,
            metadata_url=f"{base}metadata/",
            manifests_url=f"{base}manifests/",
            root=(files / "trust" / scenario / "root.json").read_bytes(),
            name=scenario,
        )

    return at


@pytest.fixture
def check(trust):
    """Shows this device a repository at a moment: {model: version}."""

    async def look(scenario, moment, *models):
        found = await trust(scenario, moment).manifests(models or ["tiny"])
        return {model: json.loads(data)["version"] for model, data in found.items()}

    return look


@pytest.mark.parametrize("kind", ["ordinary", "ecdsa", "rsa"])
async def test_a_check_gives_what_was_signed_and_a_later_one_what_is_new(check, kind):
    found = await check(kind, "1", "tiny", "other", "unknown")
    assert found == {"tiny": "1.0.0", "other": "1.0.0"}
    assert await check(kind, "2", "tiny", "other") == {"tiny": "1.1.0", "other": "1.0.0"}


async def test_a_check_that_finds_nothing_new_fetches_only_the_timestamp(check, fetcher):
    await check("ordinary", "1", "tiny", "other")
    assert await check("ordinary", "1", "tiny", "other") == {"tiny": "1.0.0", "other": "1.0.0"}
    # That there is no next root is how one knows that this is the newest.
    assert fetcher.asked == ["2.root.json", "timestamp.json"]


async def test_a_change_fetches_what_changed_once_each(check, fetcher):
    await check("ordinary", "1", "tiny", "other")
    await check("ordinary", "2", "tiny", "other")
    names = [name.partition(".")[2] if len(name) > 64 else name for name in fetcher.asked]
    assert names == [
        "2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json", "tiny.json",
    ]  # fmt: skip
    await check("ordinary", "refreshed", "tiny", "other")
    assert fetcher.asked == ["2.root.json", "timestamp.json", "3.snapshot.json"]


async def test_a_device_that_was_away_follows_the_keys_through_every_change(check, fetcher):
    assert await check("rotation", "3") == {"tiny": "1.2.0"}
    assert fetcher.asked[:4] == ["2.root.json", "3.root.json", "4.root.json", "5.root.json"]


async def test_new_keys_are_followed_and_remembered(check, fetcher):
    for moment, version in (("1", "1.0.0"), ("2", "1.1.0"), ("3", "1.2.0")):
        assert await check("rotation", moment) == {"tiny": version}
    await check("rotation", "3")
    assert fetcher.asked == ["5.root.json", "timestamp.json"]


@pytest.mark.parametrize("moment", ["half-signed", "rogue"])
async def test_keys_that_the_old_ones_do_not_vouch_for_are_refused(check, moment):
    await check("rotation", "1")
    with pytest.raises(TrustError, match="root metadata is not signed by the keys"):
        await check("rotation", moment)
    assert await check("rotation", "3") == {"tiny": "1.2.0"}


async def test_new_keys_stay_known_when_the_rest_of_a_check_fails(check, fetcher):
    await check("spoilt", "1")
    with pytest.raises(NetworkError):
        await check("spoilt", "missing-timestamp")
    await check("spoilt", "2")
    assert fetcher.asked[0] == "3.root.json"


@pytest.mark.parametrize("role", ROLES)
async def test_what_has_expired_is_refused_with_its_date_and_this_clock_s(check, role):
    await check("expiry", "1")
    with pytest.raises(ExpiredError, match=f"the {role} metadata has expired") as caught:
        await check("expiry", f"expired-{role}")
    for words in ("until 20", "clock says 20", "goes on working", "set it", "hosts this site"):
        assert words in str(caught.value)
    assert await check("expiry", f"renewed-{role}") == {"tiny": "1.2.0"}


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("older-timestamp", "the timestamp metadata is not the version"),
        ("older-snapshot", "the timestamp metadata is not the version"),
        ("older-targets", "the snapshot metadata is not the version"),
        ("mixed-snapshot", "the snapshot metadata is not the file that was signed for"),
        ("mixed-targets", "the targets metadata is not the file that was signed for"),
        ("mixed-manifest", "the manifest of tiny is not the file that was signed for"),
    ],
)
async def test_nothing_older_and_no_mixture_is_believed(check, moment, words):
    await check("replays", "1")
    await check("replays", "2")
    with pytest.raises(TrustError, match=words):
        await check("replays", moment)
    assert await check("replays", "honest") == {"tiny": "1.2.0"}


NOT_SIGNED = "is not signed by the keys"
NOT_THE_FILE = "is not the file that was signed for"
UNREADABLE = "cannot be read"
LARGE = "is larger than it may be"
SPOILT = [
    *((role, how, LARGE) for role in FILES for how in ["oversized"]),
    *(
        (role, how, NOT_SIGNED if how.startswith("flipped") else UNREADABLE)
        for role in ("root", "timestamp")
        for how in (
            "flipped-content", "flipped-signature", "cut", "empty", "not-json", "other-json",
            "deep",
        )
    ),
    # Their length and SHA-256 are known before they are fetched.
    *(
        (role, how, NOT_THE_FILE)
        for role in ("snapshot", "targets", "manifest")
        for how in ("flipped-content", "cut")
    ),
]  # fmt: skip
FORGED = [(role, "wrong-key", NOT_SIGNED) for role in ROLES]
ADAPTED = [(role, "adapted", NOT_SIGNED) for role in ("snapshot", "targets")]


@pytest.mark.parametrize(("role", "how", "words"), SPOILT + FORGED + ADAPTED)
async def test_what_was_tampered_with_is_refused_by_name_and_the_next_honest_answer_is_taken(
    check, role, how, words
):
    await check("spoilt", "1")
    named = "the manifest of tiny" if role == "manifest" else f"the {role} metadata"
    with pytest.raises(TrustError, match=f"{named} {words}") as caught:
        await check("spoilt", f"{how}-{role}")
    assert "goes on working" in str(caught.value)
    assert await check("spoilt", "next") == {"tiny": "1.1.0"}


@pytest.mark.parametrize(("role", "how", "words"), FORGED + ADAPTED)
async def test_a_device_that_knows_nothing_yet_refuses_forgeries_too(check, role, how, words):
    with pytest.raises(TrustError, match=f"{role} metadata {words}"):
        await check("spoilt", f"{how}-{role}")
    assert await check("spoilt", "next") == {"tiny": "1.1.0"}


@pytest.mark.parametrize("how", ["missing", "web-page"])
@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets", "manifest"])
async def test_a_file_that_the_host_lacks_is_no_matter_of_trust(check, role, how):
    await check("spoilt", "1")
    with pytest.raises(NetworkError) as caught:
        await check("spoilt", f"{how}-{role}")
    assert caught.value.status == 404
    assert role in str(caught.value)
    assert await check("spoilt", "2") == {"tiny": "1.1.0"}


async def test_a_host_that_answers_with_its_start_page_does_not_pass_for_a_new_root(check):
    # A device that sees it can't follow to the new keys, which is what the metadata is signed by.
    assert await check("spoilt", "web-page-root") == {"tiny": "1.1.0"}


async def test_no_answer_at_all_is_no_matter_of_trust(platform, files, trust):
    unreachable = Trust(
        platform,
        metadata_url="http://127.0.0.1:1/",
        manifests_url="http://127.0.0.1:1/",
        root=(files / "trust/ordinary/root.json").read_bytes(),
        name="ordinary",
    )
    with pytest.raises(NetworkError, match="goes on working"):
        await unreachable.manifests(["tiny"])


def cut(files):
    return {name: text[: len(text) // 2] for name, text in files.items()}


@pytest.mark.parametrize(
    "damage",
    [
        lambda record: {},
        lambda record: {"schema": 99},
        lambda record: record | {"files": "none"},
        lambda record: record | {"files": dict.fromkeys(record["files"], 7)},
        lambda record: record | {"files": dict.fromkeys(record["files"], "\ud800")},
        lambda record: record | {"files": cut(record["files"])},
        lambda record: record | {"files": record["files"] | {"../../evil.json": "{}"}},
    ],
    ids=["empty", "newer", "no-files", "numbers", "half-a-letter", "cut", "strange"],
)
async def test_a_damaged_memory_locks_nobody_out(platform, check, damage):
    await check("rotation", "2")
    record = await platform.store.record("meta", "trust:rotation")
    await platform.store.commit([PutRecord("meta", "trust:rotation", damage(record))])
    assert await check("rotation", "3") == {"tiny": "1.2.0"}


async def test_a_memory_that_is_damaged_in_part_still_knows_the_rest(platform, check):
    await check("replays", "2")
    record = await platform.store.record("meta", "trust:replays")
    record["files"]["snapshot.json"] = "{}"
    await platform.store.commit([PutRecord("meta", "trust:replays", record)])
    with pytest.raises(TrustError, match="timestamp metadata is not the version"):
        await check("replays", "older-timestamp")


async def test_two_at_once_take_turns(trust, fetcher):
    first, second = trust("ordinary", "1"), trust("ordinary", "1")
    found = await asyncio.gather(first.manifests(["tiny"]), second.manifests(["tiny"]))
    assert found[0] == found[1]
    names = [name for name in fetcher.asked if not name.endswith("tiny.json")]
    once = ["2.root.json", "timestamp.json"]
    assert names == [*once, "1.snapshot.json", "1.targets.json", *once]


@pytest.mark.parametrize("number", range(1, 6))
async def test_a_check_can_be_cancelled_at_each_file_and_done_again(fetcher, trust, check, number):
    task = asyncio.ensure_future(trust("ordinary", "1").manifests(["tiny"]))
    fetcher.told = lambda count: task.cancel() if count == number else None
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(fetcher.asked) == number
    assert await check("ordinary", "2") == {"tiny": "1.1.0"}


async def test_repositories_are_remembered_apart(check):
    await check("ordinary", "2")
    assert await check("ecdsa", "1") == {"tiny": "1.0.0"}
