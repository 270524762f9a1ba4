"""Releases of models of one's own: golden sets of any shape, versions, a root of their own."""

import numpy as np
import onnx
import own_sites
import pytest
from onnx import TensorProto, helper

from builder import site as sites
from builder.errors import BuildError
from builder.release import artefact, commands, development, verify
from satchel.golden import decode


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("SATCHEL_OFFLINE_KEYS", str(tmp_path / "keys/offline"))
    monkeypatch.setenv("SATCHEL_ONLINE_KEYS", str(tmp_path / "keys/online"))
    monkeypatch.setattr(development, "STORE", tmp_path / "cache")


@pytest.fixture
def begin(tmp_path):
    """Begins a site for a model."""

    def make(task, model, **more):
        return sites.load(own_sites.make(tmp_path / "own", task, model, **more))

    return make


def golden(site):
    made = artefact.make(site.models[0].recipe)
    (variant,) = made.release.variants("browser")
    return decode(made.blobs[variant.golden.sha256])


def recipe_says(site, text):
    path = site.models[0].recipe
    path.write_text(path.read_text("utf-8") + text, "utf-8")
    own_sites.keep(path.parent)


LABELS = "zero\none\nseven\n"


def test_tensors_are_tried_with_one_and_with_two_at_a_time(begin):
    checks = golden(begin("tensors", own_sites.sums()))
    shapes = [{name: x.shape for name, x in case.inputs.items()} for case in checks.cases]
    assert shapes == [
        {"x": (1, 3), "factor": (1,), "table": (4, 5)},
        {"x": (2, 3), "factor": (1,), "table": (4, 5)},
    ]
    assert checks.cases[0].outputs.keys() == {"scaled", "positive", "twice"}
    first, second = (case.inputs["table"] for case in checks.cases)
    assert not np.array_equal(first, second)


def pairs(first="rows"):
    """A model whose first axis is no batch: only an even number of rows goes."""
    nodes = [helper.make_node("Reshape", ["x", "shape"], ["y"])]
    inputs = [own_sites.value("x", TensorProto.FLOAT, [first, 3])]
    outputs = [own_sites.value("y", TensorProto.FLOAT, [2, "half"])]
    return own_sites.model(nodes, inputs, outputs, shape=np.array([2, -1], np.int64))


def test_sizes_that_a_model_needs_are_said_in_its_recipe(begin):
    site = begin("tensors", pairs())
    with pytest.raises(BuildError, match=r"The model for own can't be run"):
        golden(site)
    recipe_says(site, "rows = 4\n")
    assert [case.inputs["x"].shape for case in golden(site).cases] == [(4, 3), (4, 3)]


def test_text_that_nobody_can_make_up_is_refused_with_the_way_on(begin):
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    given = [own_sites.value("x", TensorProto.STRING, [1])]
    gives = [own_sites.value("y", TensorProto.STRING, [1])]
    site = begin("tensors", own_sites.model(nodes, given, gives))
    with pytest.raises(BuildError, match="own takes text, and a release must be tried out"):
        golden(site)


@pytest.mark.parametrize("side", [8, 32])
def test_photos_have_the_size_that_the_model_takes(begin, side):
    checks = golden(begin("label", own_sites.digits(side), labels=LABELS))
    assert [case.inputs["image"].shape for case in checks.cases] == [(2, side, side, 3)] * 2
    np.testing.assert_allclose(checks.cases[0].outputs["probabilities"].sum(axis=1), 1, rtol=1e-5)


def test_labels_that_were_changed_later_are_counted_again(begin):
    site = begin("label", own_sites.digits(), labels=LABELS)
    (site.models[0].recipe.parent / "labels.txt").write_text("zero\none\n", "utf-8")
    with pytest.raises(BuildError, match=r"tells 3 classes apart, but labels\.txt has 2 names"):
        golden(site)


def test_a_model_that_was_trained_further_must_be_optimised_before_its_release(begin):
    site = begin("tensors", own_sites.sums())
    recipe = site.models[0].recipe
    model = own_sites.sums()
    model.doc_string = "trained further"
    onnx.save(model, site.file.parent.with_suffix(".onnx"))
    with pytest.raises(BuildError, match=r"own\.onnx, or what .* has changed since .* optimize"):
        commands.release(site, "own", version="1.1.0")
    own_sites.keep(recipe.parent)
    commands.release(site, "own", version="1.1.0", changelog="Adds better.")


def test_a_site_of_one_s_own_has_keys_a_root_and_a_repository_of_its_own(begin, capsys):
    site = begin("label", own_sites.digits(), labels=LABELS)
    commands.make_keys(site, kind="ed25519", root="1of1", targets="1of1")
    commands.release(site, "own")
    commands.release(site, "own", version="1.1.0", changelog="Better.")
    assert site.root == site.file.parent / "root.json"
    signed = verify.read([site.repository], site.root.read_bytes())["own"].manifest
    assert str(signed.release().version) == "1.1.0"
    assert (signed.task, signed.title) == ("label", "own")
    (variant,) = signed.release().variants("browser")
    assert variant.crop == 1
    assert set(variant.files) == {"labels"}
    assert "DEVELOPMENT" not in capsys.readouterr().err
