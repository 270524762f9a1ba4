"""Which releases a manifest holds after each step: decisions, without files or keys."""

import pytest
from tiny_releases import manifest, release

from builder.errors import BuildError
from builder.release import catalogue
from satchel.versions import Version


def versions(found):
    return [str(one.version) for one in found.releases]


def after(*texts):
    """A manifest after releases for everyone, in order."""
    found = manifest()
    for text in texts:
        found = catalogue.released(found, release(text)[0])
    return found


def test_a_manifest_keeps_the_newest_three_releases_for_everyone():
    assert versions(after("1.0.0", "1.1.0", "1.2.0", "2.0.0")) == ["2.0.0", "1.2.0", "1.1.0"]


def test_a_staged_release_comes_on_top_and_goes_once_it_is_passed():
    staged = catalogue.released(after("1.0.0"), release("1.1.0", rollout=10)[0])
    assert versions(staged) == ["1.1.0", "1.0.0"]
    assert str(staged.release().version) == "1.0.0"
    assert versions(catalogue.released(staged, release("1.2.0")[0])) == ["1.2.0", "1.0.0"]


@pytest.mark.parametrize("text", ["1.0.0", "0.9.9", "1.0.0-rc.1"])
def test_an_equal_or_older_version_is_refused(text):
    with pytest.raises(BuildError, match=rf"tiny {text} can't be released: 1\.0\.0 was published"):
        catalogue.released(after("1.0.0"), release(text)[0])


def test_a_withdrawn_version_never_comes_back():
    gone = catalogue.withdrawn(after("1.0.0", "1.1.0"), Version.parse("1.1.0"))
    assert (versions(gone), gone.revoked) == (["1.0.0"], (Version.parse("1.1.0"),))
    with pytest.raises(BuildError, match=r"1\.1\.0 was withdrawn already"):
        catalogue.released(gone, release("1.1.0")[0])
    assert versions(catalogue.released(gone, release("1.1.1")[0])) == ["1.1.1", "1.0.0"]


def test_the_last_release_for_everyone_can_t_be_withdrawn():
    staged = catalogue.released(after("1.0.0"), release("1.1.0", rollout=10)[0])
    with pytest.raises(BuildError, match="only release for everyone"):
        catalogue.withdrawn(staged, Version.parse("1.0.0"))


def test_a_first_release_can_t_be_staged():
    with pytest.raises(BuildError, match="a first one can't be staged"):
        catalogue.released(manifest(), release("1.0.0", rollout=50)[0])


def test_a_roll_out_only_grows():
    staged = catalogue.released(after("1.0.0"), release("1.1.0", rollout=10)[0])
    wider = catalogue.widened(staged, Version.parse("1.1.0"), 50)
    assert [one.rollout for one in wider.releases] == [50, 100]
    everyone = catalogue.widened(wider, Version.parse("1.1.0"), 100)
    assert str(everyone.release().version) == "1.1.0"
    for percent in (10, 50):
        with pytest.raises(BuildError, match="A roll-out only grows"):
            catalogue.widened(wider, Version.parse("1.1.0"), percent)


def test_a_minimum_version_ends_what_is_older():
    found = catalogue.released(after("1.0.0", "1.1.0"), release("1.2.0")[0], Version.parse("1.1.0"))
    assert versions(found) == ["1.2.0", "1.1.0"]
    assert found.minimum_version == Version.parse("1.1.0")


def test_a_minimum_version_that_nothing_for_everyone_reaches_is_refused():
    with pytest.raises(BuildError, match="no release for everyone"):
        catalogue.released(after("1.0.0"), release("1.1.0", rollout=10)[0], Version.parse("1.1.0"))


def test_an_unknown_version_is_named_with_those_that_exist():
    with pytest.raises(BuildError, match=r"no release 3\.0\.0 in support; it has 1\.1\.0, 1\.0\.0"):
        catalogue.widened(after("1.0.0", "1.1.0"), Version.parse("3.0.0"), 50)


def test_what_is_no_version_is_said():
    with pytest.raises(BuildError, match="'1' is no version"):
        catalogue.version("1")
