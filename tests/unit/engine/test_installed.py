"""What stays on the device when versions come and go."""

from satchel.installed import InstalledModel, InstalledVersion, unreferenced
from satchel.manifest import Manifest, Reference, Release, Variant
from satchel.versions import Version


def model(version, pinned=None):
    number = Version.parse(version)
    variant = Variant("v", "onnxruntime", Reference(version.encode().hex().ljust(64, "0"), 1))
    release = Release(number, "", "CC0-1.0", {"browser": (variant,)})
    return InstalledModel(
        "m",
        "label",
        "M",
        number,
        {number: InstalledVersion(release, "v", "browser", "")},
        pinned=pinned,
    )


def after(*versions):
    current = model(versions[0])
    for version in versions[1:]:
        current = current.followed_by(model(version))
    return current


def test_the_active_and_the_previous_version_stay_and_older_ones_go():
    current = after("1.0.0", "1.1.0", "1.2.0")
    assert [str(version) for version in sorted(current.versions)] == ["1.1.0", "1.2.0"]
    assert (str(current.active), str(current.previous)) == ("1.2.0", "1.1.0")


def test_installing_the_same_version_again_keeps_the_previous_one():
    assert str(after("1.0.0", "1.1.0", "1.1.0").previous) == "1.0.0"


def test_a_pinned_version_stays_through_updates():
    first = model("1.0.0", pinned=Version.parse("1.0.0"))
    current = first.followed_by(model("1.1.0")).followed_by(model("1.2.0"))
    assert Version.parse("1.0.0") in current.versions


def test_records_are_read_back_as_they_were():
    current = after("1.0.0", "1.1.0")
    assert InstalledModel.parse(current.record()) == current


def test_only_blobs_that_no_version_needs_are_unreferenced():
    current = after("1.0.0", "1.1.0", "1.2.0")
    needed = {item.sha256 for version in current.versions.values() for item in version.references}
    assert unreferenced({*needed, "stale"}, [current]) == {"stale"}
    assert unreferenced(needed, []) == needed


def test_what_was_withdrawn_stays_so_whatever_an_older_manifest_says():
    versions = tuple(Version.parse(text) for text in ("1.0.0", "1.1.0"))
    newer = Manifest("m", "", "M", (), minimum_version=versions[1], revoked=versions[1:])
    older = Manifest("m", "", "M", (), minimum_version=versions[0], revoked=versions[:1])
    told = model("1.2.0").informed(newer).informed(older)
    assert (told.minimum_version, told.revoked) == (versions[1], versions)
