"""Which variant of a release a device uses: one rule, whatever the device can do."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import satchel
from satchel import changes
from satchel.errors import EngineUnavailableError, UnsupportedModelError, VariantMissingError
from satchel.installed import InstalledModel, InstalledVersion
from satchel.manifest import Reference, Release, Variant
from satchel.variants import Abilities, against, best, failure
from satchel.versions import Version

ENGINES = ("onnxruntime", "litert", "something-new")
FEATURES = ("relaxed-simd", "threads", "something-newer")
V1 = Version.parse("1.0.0")


def variant(name, engine="onnxruntime", *needs):
    digest = name.encode().hex().ljust(64, "0")[:64]
    return Variant(name, engine, Reference(digest, 4_900_000), needs=needs)


FAST = variant("fast", "litert", "relaxed-simd")
PLAIN = variant("plain")


def able(*engines, features=(), unfit=None):
    return Abilities(frozenset(engines), frozenset(features), unfit or {}, "browser")


BOTH = able("onnxruntime", "litert", features=["relaxed-simd", "threads"])
OLD = able("onnxruntime", "litert", features=["threads"])


def test_the_first_variant_that_a_device_can_use_is_its_own():
    assert best([FAST, PLAIN], BOTH).variant == FAST
    assert best([FAST, PLAIN], OLD).variant == PLAIN
    assert best([FAST, PLAIN], able("onnxruntime", features=["relaxed-simd"])).variant == PLAIN
    assert best([FAST], OLD) is None
    assert best([], BOTH) is None


@pytest.mark.parametrize(
    ("variants", "abilities", "sentence"),
    [
        ([FAST, PLAIN], BOTH, ""),
        (
            [FAST, PLAIN],
            OLD,
            "This browser lacks relaxed SIMD, so the model runs in ONNX Runtime instead of LiteRT.",
        ),
        (
            [variant("a", "litert", "relaxed-simd", "threads"), variant("b", "litert")],
            able("litert"),
            "This browser lacks relaxed SIMD and threads, so its variant “b” is used, not “a”.",
        ),
        (
            [FAST, variant("also", "litert", "relaxed-simd"), PLAIN],
            able("onnxruntime"),
            "LiteRT is not here, so the model runs in ONNX Runtime instead of LiteRT.",
        ),
        (
            [FAST, PLAIN],
            replace(BOTH, unfit={"litert": "LiteRT broke here"}),
            "LiteRT broke here, so the model runs in ONNX Runtime instead of LiteRT.",
        ),
    ],
)
def test_why_it_is_no_better_one_is_a_sentence_for_people(variants, abilities, sentence):
    assert best(variants, abilities).reason == sentence


def test_what_failed_is_passed_over_by_engine_or_by_file():
    error = EngineUnavailableError("It does not start", why="no such instruction.")
    assert failure(FAST, error, "browser") == (
        "litert",
        "LiteRT can't be started in this browser (no such instruction)",
    )
    what, why = failure(FAST, UnsupportedModelError("An operator is missing"), "browser")
    assert what == FAST.blob.sha256
    assert why == "“fast” does not work in this browser (An operator is missing)"
    for key in ("litert", FAST.blob.sha256):
        assert best([FAST, PLAIN], replace(BOTH, unfit={key: "it failed"})).variant == PLAIN


def test_what_failed_is_tried_again_where_nothing_else_is_left():
    assert best([FAST], replace(BOTH, unfit={"litert": "it failed"})).variant == FAST
    unfit = {"litert": "it failed", "onnxruntime": "it failed, too"}
    assert best([FAST, PLAIN], replace(BOTH, unfit=unfit)).variant == FAST
    assert best([FAST, PLAIN], replace(OLD, unfit=unfit)).variant == PLAIN


variants = st.lists(
    st.builds(
        lambda name, engine, needs: variant(name, engine, *sorted(needs)),
        st.text("abcdef", min_size=1, max_size=4),
        st.sampled_from(ENGINES),
        st.sets(st.sampled_from(FEATURES)),
    ),
    max_size=6,
    unique_by=lambda one: one.name,
)
abilities = st.builds(
    Abilities,
    st.frozensets(st.sampled_from(ENGINES)),
    st.frozensets(st.sampled_from(FEATURES)),
    st.dictionaries(st.sampled_from(ENGINES), st.just("it failed")),
)


@given(variants, abilities)
def test_the_rule_holds_for_every_release_and_every_device(published, device):
    choice = best(published, device)
    usable = [one for one in published if not against(one, device)]
    if usable:
        assert choice.variant == usable[0]
        assert bool(choice.reason) == (published[0] != usable[0])
    else:
        tried = [one for one in published if not against(one, replace(device, unfit={}))]
        assert (choice and choice.variant) == (tried[0] if tried else None)


@given(variants, abilities, st.sampled_from(FEATURES), st.sampled_from(ENGINES))
def test_a_device_that_can_do_more_never_gets_a_worse_variant(published, device, feature, engine):
    more = replace(
        device, features=device.features | {feature}, engines=device.engines | {engine}, unfit={}
    )
    before, after = best(published, replace(device, unfit={})), best(published, more)
    if before is not None:
        assert published.index(after.variant) <= published.index(before.variant)


# ---- the variants of an installed model


def model(*published, chosen, others=(), insisted=False):
    release = Release(V1, "", "CC0-1.0", {"browser": published})
    version = InstalledVersion(
        release, chosen, "browser", "", others=tuple(others), insisted=insisted
    )
    return InstalledModel("m", "label", "M", V1, {V1: version})


def state(found):
    return found.current.chosen, set(found.current.others)


def test_a_device_that_lost_an_ability_uses_what_else_is_here_and_keeps_what_it_had():
    found = changes.settled(model(FAST, PLAIN, chosen="fast", others=["plain"]), OLD)
    assert state(found) == ("plain", {"fast"})
    assert found.reason.startswith("This browser lacks relaxed SIMD, so")
    assert state(changes.settled(found, BOTH)) == ("fast", set())
    assert changes.settled(found, BOTH).reason == ""


def test_what_a_device_can_use_and_is_not_here_is_named_with_its_size():
    words = r"this browser lacks.*ONNX Runtime \(4\.9 MB\)"
    with pytest.raises(VariantMissingError, match=words) as caught:
        changes.settled(model(FAST, PLAIN, chosen="fast"), OLD)
    assert (caught.value.model, caught.value.variant) == ("m", "plain")


def test_where_nothing_of_a_release_can_be_used_the_engine_says_why():
    lonely = model(FAST, chosen="fast")
    assert changes.settled(lonely, OLD) == lonely


def test_a_variant_that_somebody_insists_on_stays_as_long_as_it_can_be_used():
    wanted = changes.insisted(model(FAST, PLAIN, chosen="fast", others=["plain"]), "plain")
    assert state(wanted) == ("plain", {"fast"})
    assert state(changes.settled(wanted, BOTH)) == ("plain", {"fast"})
    stuck = model(FAST, PLAIN, chosen="fast", others=["plain"], insisted=True)
    assert state(changes.settled(stuck, OLD)) == ("plain", {"fast"})
    with pytest.raises(satchel.ModelNotFoundError, match="not on this device"):
        changes.insisted(model(FAST, PLAIN, chosen="fast"), "plain")


def test_variants_come_and_go_one_by_one_but_never_the_one_in_use():
    small = variant("small", "litert")
    found = changes.with_variant(model(FAST, small, PLAIN, chosen="fast"), V1, "small")
    assert [one.name for one in found.current.here] == ["fast", "small"]
    assert changes.with_variant(found, V1, "small") == found
    assert state(changes.settled(found, BOTH)) == ("fast", {"small"})
    with pytest.raises(satchel.LibraryError, match="in use"):
        changes.without_variant(found, "fast")
    with pytest.raises(satchel.ModelNotFoundError, match="not on this device"):
        changes.without_variant(found, "plain")
    assert state(changes.without_variant(found, "small")) == ("fast", set())
    with pytest.raises(satchel.LibraryError, match="meanwhile"):
        changes.with_variant(found, Version.parse("2.0.0"), "plain")


def attempted(found, able_now):
    """The model as it is then, and the variant that would have to be fetched."""
    try:
        return changes.settled(found, able_now), ""
    except VariantMissingError as error:
        return found, error.variant


some = st.sets(st.sampled_from(["a", "b", "c", "d"]), min_size=1)


@given(
    st.lists(
        st.tuples(st.sampled_from(ENGINES), st.sets(st.sampled_from(FEATURES))),
        min_size=4,
        max_size=4,
    ),
    some,
    st.lists(abilities, max_size=4),
    st.booleans(),
)
def test_whatever_a_device_goes_through_what_is_in_use_is_here_and_usable(
    kinds, here, device, insisted
):
    published = [
        variant(name, engine, *sorted(needs))
        for name, (engine, needs) in zip("abcd", kinds, strict=True)
    ]
    chosen, *others = sorted(here)
    found = model(*published, chosen=chosen, others=others, insisted=insisted)
    for able_now in device:
        before = {one.name for one in found.current.here}
        found, missing = attempted(found, able_now)
        now = found.current
        if missing:
            assert missing not in before
            assert all(against(one, able_now) for one in now.here)
            continue
        assert {one.name for one in now.here} <= before
        usable = [one for one in now.here if not against(one, able_now)]
        assert now.variant in usable or not usable
        assert changes.settled(found, able_now) == found
