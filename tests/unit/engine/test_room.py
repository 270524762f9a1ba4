"""What goes when a model needs room."""

from satchel.installed import InstalledModel, InstalledVersion
from satchel.manifest import Reference, Release, Variant
from satchel.room import Eviction, evictions, freed
from satchel.versions import Version


def model(name, *versions, used="2026-01-01", pinned=None):
    """A model of versions (text, digest, size): the active one, then the one before."""
    items = {}
    for text, digest, size in versions:
        number = Version.parse(text)
        variant = Variant("v", "onnxruntime", Reference(digest.ljust(64, "0"), size))
        release = Release(number, "", "CC0-1.0", {"browser": (variant,)})
        items[number] = InstalledVersion(release, "v", "browser", "")
    numbers = list(items)
    previous = numbers[1] if len(numbers) > 1 else None
    pin = pinned and Version.parse(pinned)
    return InstalledModel(
        name, "", name, numbers[0], items, previous=previous, pinned=pin, used_at=used
    )


OLD = model("old", ("1.0.0", "a", 100), used="2026-01-01")
NEW = model("new", ("1.0.0", "b", 100), used="2026-09-01")
MINE = model("mine", ("1.1.0", "c", 100), ("1.0.0", "d", 40), used="2026-10-01")


def test_nothing_goes_when_nothing_is_missing():
    assert evictions([OLD, NEW, MINE], [], "mine", 0) == ()


def test_versions_to_go_back_to_go_before_models():
    assert evictions([OLD, NEW, MINE], [], "mine", 40) == (Eviction("mine", "previous"),)


def test_the_model_that_was_not_used_for_longest_goes_first():
    chosen = evictions([NEW, OLD, MINE], [], "mine", 120)
    assert chosen == (Eviction("mine", "previous"), Eviction("old", "all"))


def test_a_model_in_use_and_the_one_that_needs_the_room_stay():
    assert evictions([OLD, NEW, MINE], ["old"], "mine", 140)[-1] == Eviction("new", "all")
    assert evictions([OLD, NEW, MINE], ["old", "new"], "mine", 141) is None
    assert evictions([MINE], [], "mine", 41) is None


def test_a_pinned_version_stays():
    kept = model("kept", ("1.1.0", "c", 100), ("1.0.0", "d", 40), pinned="1.0.0")
    assert evictions([kept], ["kept"], "mine", 1) is None


def test_what_is_shared_is_not_freed():
    twin = model("twin", ("1.0.0", "a", 100))
    assert freed([OLD, twin], [Eviction("old", "all")]) == 0
    assert evictions([OLD, twin], ["twin"], "mine", 1) is None


def with_others(name, *variants, used="2026-01-01"):
    """A model of one version in several variants (name, digest, size): the first is in use."""
    number = Version.parse("1.0.0")
    made = tuple(
        Variant(one, "onnxruntime", Reference(digest.ljust(64, "0"), size))
        for one, digest, size in variants
    )
    release = Release(number, "", "CC0-1.0", {"browser": made})
    chosen, *others = (one.name for one in made)
    version = InstalledVersion(release, chosen, "browser", "", others=tuple(others))
    return InstalledModel(name, "", name, number, {number: version}, used_at=used)


LADDER = with_others("ladder", ("a", "a", 100), ("b", "b", 90), ("c", "c", 80))


def test_variants_beside_the_one_in_use_go_before_versions_to_go_back_to():
    assert evictions([LADDER, MINE], [], "mine", 170) == (Eviction("ladder", "others"),)
    assert evictions([LADDER, MINE], [], "mine", 171) == (
        Eviction("ladder", "others"),
        Eviction("mine", "previous"),
    )
    assert evictions([LADDER], [], "ladder", 171) is None  # the one in use stays


def test_a_model_that_is_open_keeps_the_variants_that_it_may_switch_to():
    assert evictions([LADDER, MINE], ["ladder"], "mine", 41) is None


def test_what_goes_of_one_model_step_by_step_is_counted_once():
    chosen = [Eviction("ladder", "others"), Eviction("ladder", "all")]
    assert freed([LADDER], chosen[:1]) == 170
    assert freed([LADDER], chosen) == 270
