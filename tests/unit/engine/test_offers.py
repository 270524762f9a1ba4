"""Which release a device takes."""

import pytest

from satchel.manifest import Manifest, Reference, Release, Variant
from satchel.offers import choose
from satchel.variants import Abilities
from satchel.versions import Version


def release(version, **more):
    engine, needs = more.pop("engine", "onnxruntime"), more.pop("needs", ())
    variant = Variant("v", engine, Reference("ab" * 32, 1), needs=needs)
    platforms = {"browser": (variant,)}
    return Release(Version.parse(version), "", "CC0-1.0", platforms, **more)


def chosen(*releases, active="1.0.0", set_aside=(), included=None, app="0.1.0", **more):
    found = choose(
        Manifest("m", "label", "M", releases, **more),
        active=active and Version.parse(active),
        set_aside={Version.parse(version): "why" for version in set_aside},
        included={Version.parse(key): value for key, value in (included or {}).items()},
        app=Version.parse(app),
        abilities=Abilities(frozenset({"onnxruntime"})),
        platform="browser",
    )
    return found and (str(found[0].version), found[1])


def test_the_newest_release_is_taken_and_an_older_or_equal_one_is_not():
    assert chosen(release("1.0.0"), release("1.2.0"), release("1.1.0")) == ("1.2.0", False)
    assert chosen(release("1.0.0"), release("0.9.0")) is None
    assert chosen(release("1.0.0"), active=None) == ("1.0.0", False)


def test_a_version_that_was_set_aside_is_not_offered_again():
    assert chosen(release("1.1.0"), release("1.2.0"), set_aside=["1.2.0"]) == ("1.1.0", False)
    assert chosen(release("1.2.0"), set_aside=["1.2.0"]) is None


def test_a_staged_release_is_only_for_the_devices_that_are_in():
    staged = release("1.2.0", rollout=10)
    assert chosen(release("1.1.0"), staged, included={"1.2.0": False}) == ("1.1.0", False)
    assert chosen(release("1.1.0"), staged, included={"1.2.0": True}) == ("1.2.0", False)


def test_a_release_is_mandatory_when_one_that_is_skipped_was():
    assert chosen(release("1.1.0", mandatory=True), release("1.2.0")) == ("1.2.0", True)
    assert chosen(release("1.1.0", mandatory=True), release("1.2.0"), active="1.1.0") == (
        "1.2.0",
        False,
    )


def test_a_device_whose_version_was_withdrawn_must_take_another_even_an_older_one():
    revoked = (Version.parse("1.1.0"),)
    assert chosen(release("1.0.0"), active="1.1.0", revoked=revoked) == ("1.0.0", True)
    minimum = Version.parse("1.2.0")
    assert chosen(release("1.2.0"), active="1.1.0", minimum_version=minimum) == ("1.2.0", True)
    assert chosen(release("1.1.0"), active="1.0.0", minimum_version=minimum) is None


@pytest.mark.parametrize(
    "one",
    [
        release("1.1.0", minimum_app="0.2.0"),
        release("1.1.0", engine="x"),
        release("1.1.0", needs=("levitation",)),
    ],
)
def test_what_this_satchel_cannot_run_is_not_offered(one):
    assert chosen(one) is None
