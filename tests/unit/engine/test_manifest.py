"""Manifests and versions: strict, and the same bytes for the same content."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel import Manifest, ManifestError
from satchel.versions import Version

VARIANT = {
    "name": "int8-weights",
    "engine": "onnxruntime",
    "blob": {"sha256": "ab" * 32, "size": 10},
    "chunks": None,
    "golden": None,
    "needs": ["relaxed-simd"],
    "session": {
        "graph_optimization_level": "basic",
        "config": {"session.disable_quant_qdq": "1"},
    },
    "files": {"labels": {"sha256": "cd" * 32, "size": 5}},
    "resolutions": [224],
    "crop": 0.875,
    "accuracy": {"top1": 0.86},
    "latency_ms": None,
    "cpu_seconds": None,
}
RELEASE = {
    "version": "1.0.0",
    "changelog": "First.",
    "mandatory": False,
    "rollout": 100,
    "licence": "Apache-2.0",
    "minimum_app": "0.1.0",
    "platforms": {"browser": [VARIANT]},
}
TREE = {
    "schema": 1,
    "model": "efficientnet-lite0",
    "task": "label",
    "title": "Label",
    "releases": [RELEASE],
    "minimum_version": None,
    "revoked": [],
}


def changed(path, value):
    """TREE with one field set, or removed where the value is ..."""
    tree = copy.deepcopy(TREE)
    place = tree
    *parents, last = path
    for key in parents:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return json.dumps(tree)


V = ("releases", 0, "platforms", "browser", 0)


def test_a_variant_for_smaller_inputs_has_its_side_in_its_name():
    parsed = Manifest.parse(json.dumps(TREE).replace('"int8-weights"', '"int8-static@192"'))
    assert parsed.releases[0].variants("browser")[0].name == "int8-static@192"


def test_a_manifest_is_read_and_written_without_loss():
    manifest = Manifest.parse(json.dumps(TREE))
    assert json.loads(manifest.encode()) == TREE
    assert Manifest.parse(manifest.encode()) == manifest
    variant = manifest.release().variants("browser")[0]
    assert [item.size for item in variant.references()] == [10, 5]
    assert manifest.release().variants("native") == manifest.release().variants("browser")


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("schema",), 2, "schema"),
        (("colour",), 1, "manifest.colour is unknown"),
        (("model",), ..., "manifest.model is missing"),
        (("model",), "../etc", "manifest.model"),
        (("releases",), "all", r"manifest.releases is no list"),
        (("releases", 0, "version"), "1.0", "'1.0' is no version"),
        (("releases", 0, "mandatory"), "yes", r"releases\[0\].mandatory"),
        ((*V, "blob", "sha256"), "AB" * 32, r"blob.sha256 is no SHA-256"),
        ((*V, "blob", "size"), -1, r"blob.size"),
        ((*V, "blob", "size"), True, r"blob.size"),
        ((*V, "blob"), ..., r"\[0\].blob is missing"),
        ((*V, "session", "graph_optimization_level"), "max", "disabled, basic"),
        ((*V, "files"), [], r"files is no object"),
        ((*V, "needs"), "threads", r"needs is no list"),
        ((*V, "needs"), ["a b"], r"needs\[0\] is no name"),
        ((*V, "accuracy"), {"top1": "good"}, r"accuracy.top1 is no number"),
    ],
)
def test_a_field_that_is_wrong_is_named(path, value, named):
    with pytest.raises(ManifestError, match=named):
        Manifest.parse(changed(path, value))


def test_a_variant_that_says_nothing_of_its_needs_has_none():
    manifest = Manifest.parse(changed((*V, "needs"), ...))
    assert manifest.release().variants("browser")[0].needs == ()


def test_what_is_no_json_or_no_object_is_said():
    with pytest.raises(ManifestError, match="no JSON"):
        Manifest.parse(b"<!doctype html>")
    with pytest.raises(ManifestError, match="no object"):
        Manifest.parse(b"[]")


def test_the_newest_release_for_everyone_is_the_one_offered():
    tree = copy.deepcopy(TREE)
    for version, rollout in (("1.2.0", 100), ("1.10.0", 100), ("2.0.0", 5), ("1.11.0", 100)):
        tree["releases"].append({**RELEASE, "version": version, "rollout": rollout})
    tree["revoked"] = ["1.11.0"]
    manifest = Manifest.parse(json.dumps(tree))
    assert str(manifest.release().version) == "1.10.0"
    assert str(manifest.release("2.0.0").version) == "2.0.0"
    for version in ("1.11.0", "3.0.0"):
        with pytest.raises(ManifestError, match=version):
            manifest.release(version)


# semver.org, item 11: the order that it gives as an example.
ORDER = (
    "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11"
    " 1.0.0-rc.1 1.0.0"
)


def test_versions_are_ordered_as_semver_says():
    versions = [Version.parse(text) for text in ORDER.split()]
    assert sorted([*versions[4:], *versions[:4]]) == versions
    assert [str(version) for version in versions] == ORDER.split()


@pytest.mark.parametrize(
    "text", ["", "1", "1.0", "01.0.0", "1.0.0-", "1.0.0-01", "v1.0.0", "1.0.0+b"]
)
def test_what_is_no_version_is_refused(text):
    with pytest.raises(ManifestError, match="is no version"):
        Version.parse(text)


numbers = st.integers(0, 10**6)


@given(a=st.tuples(numbers, numbers, numbers), b=st.tuples(numbers, numbers, numbers))
def test_plain_versions_compare_like_their_numbers(a, b):
    one, two = (Version.parse(".".join(map(str, item))) for item in (a, b))
    assert (one < two, one == two) == (a < b, a == b)
