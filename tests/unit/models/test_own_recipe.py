"""A recipe for a model of one's own: little to write, and its artefact beside it."""

import json

import pytest

from satchel_models import Recipe, artefact
from satchel_models.errors import RecipeError
from satchel_models.own_recipe import OwnEmbedRecipe, OwnLabelRecipe, TensorsRecipe
from satchel_models.recipe import Session, Variant
from satchel_models.subjects import Own

TENSORS = """
id = "sums"
task = "tensors"
title = "Sums"
version = "1.0.0"
changelog = ""
[source]
file = "../sums.onnx"
"""
LABEL = TENSORS.replace('"tensors"', '"label"') + '[label]\nlabels = "labels.txt"\n'
EMBED = TENSORS.replace('"tensors"', '"embed"') + '[embed]\nvocabulary = "vocab.txt"\n'

VARIANT = Variant("int8-weights", "onnxruntime", "any.onnx", Session("basic"), resolutions=(8,))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sums.onnx").write_bytes(b"a model")
    (tmp_path / "sums").mkdir()
    (tmp_path / "sums/recipe.toml").write_text(TENSORS, "utf-8")
    return tmp_path / "sums"


def kept(folder):
    recipe = Recipe.load(folder)
    (folder.parent / "small.onnx").write_bytes(b"small")
    artefact.keep(recipe, recipe.made_from, [(VARIANT, folder.parent / "small.onnx")])
    return Recipe.load(folder)


@pytest.mark.parametrize(
    ("text", "kind"), [(TENSORS, TensorsRecipe), (LABEL, OwnLabelRecipe), (EMBED, OwnEmbedRecipe)]
)
def test_a_few_lines_are_enough(tmp_path, text, kind):
    recipe = Recipe.parse(text, tmp_path)
    assert type(recipe) is kind
    assert recipe.original == tmp_path / "../sums.onnx"
    assert recipe.variants == ()


def test_what_a_file_does_not_say_is_said_for_its_conversion(tmp_path):
    more = 'factory = "nets:small"\ninputs = { x = "1x3x8x8:float32", t = "1:int64" }\n'
    asked = Own(Recipe.parse(TENSORS + more, tmp_path), trust=True).original
    assert asked.path == tmp_path / "../sums.onnx"
    assert (asked.factory, asked.places, asked.trust) == ("nets:small", (tmp_path,), True)
    assert asked.inputs == {"x": ((1, 3, 8, 8), "float32"), "t": ((1,), "int64")}
    plain = Own(Recipe.parse(TENSORS, tmp_path)).original
    assert (plain.factory, plain.inputs, plain.trust) == (None, None, False)


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ('labels = "labels.txt"', "", "label lacks the field 'labels'"),
        ('labels = "labels.txt"', 'labels = "../labels.txt"', "label.labels"),
        ("[label]", "[label]\nscale = [0]", "label.scale"),
        ("[label]", "[label]\nmean = [1, 2]", "label.mean"),
        ("[label]", "[label]\ncrop = 1.5", "label.crop"),
        ("[label]", "[label]\nsize = [0]", "label.size"),
        ("[label]", "[label]\nsize = [1, 2, 3]", "label.size"),
        ("[label]", '[label]\nlayout = "hwc"', "label: layout must be one of"),
        ("[label]", 'inputs = { x = "8:8" }\n[label]', "source.inputs"),
        ("[source]", "[[variants]]\n[source]", "unknown field 'variants'"),
        ('task = "label"', 'task = "sing"', "'task' must be one of label, embed, tensors"),
        ("[label]", "[photo]", "unknown field 'photo'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, before, after, named):
    assert before in LABEL
    with pytest.raises(RecipeError) as error:
        Recipe.parse(LABEL.replace(before, after, 1), tmp_path)
    assert named in str(error.value)


def test_an_artefact_gives_the_recipe_its_variants(folder):
    recipe = kept(folder)
    (variant,) = recipe.variants
    assert (folder / variant.file).read_bytes() == b"small"
    assert (variant.name, variant.session, variant.resolutions) == (
        "int8-weights",
        Session("basic"),
        (8,),
    )
    assert not recipe.is_stale


def test_labels_are_a_file_of_the_model_with_an_artefact_and_without(folder):
    (folder / "recipe.toml").write_text(LABEL, "utf-8")
    assert Recipe.load(folder).files == {"labels": "labels.txt"}
    assert kept(folder).files == {"labels": "labels.txt"}


@pytest.mark.parametrize("what", ["model", "recipe"])
def test_an_artefact_of_another_original_is_stale(folder, what):
    assert not kept(folder).is_stale
    if what == "model":
        (folder.parent / "sums.onnx").write_bytes(b"trained further")
    else:
        text = TENSORS + "[tensors.sizes]\nbatch = 2\n"
        (folder / "recipe.toml").write_text(text, "utf-8")
    assert Recipe.load(folder).is_stale


def test_what_a_release_says_makes_no_artefact_stale(folder):
    kept(folder)
    text = TENSORS.replace("1.0.0", "1.1.0").replace("Sums", "Better sums")
    (folder / "recipe.toml").write_text(text, "utf-8")
    assert not Recipe.load(folder).is_stale


def test_an_artefact_can_be_used_where_its_original_is_not(folder):
    kept(folder)
    (folder.parent / "sums.onnx").unlink()
    recipe = Recipe.load(folder)
    assert not recipe.is_stale
    with pytest.raises(RecipeError, match=r"There is no model at .*sums\.onnx"):
        _ = recipe.made_from


def test_a_new_artefact_takes_the_place_of_the_old_one_whole(folder):
    kept(folder)
    (folder / artefact.FOLDER / "left over.txt").write_text("from before", "utf-8")
    kept(folder)
    names = {path.name for path in (folder / artefact.FOLDER).iterdir()}
    assert names == {"artefact.json", "int8-weights.onnx"}
    assert {path.name for path in folder.iterdir()} == {"recipe.toml", artefact.FOLDER}


def test_a_failure_leaves_the_old_artefact(folder):
    recipe = kept(folder)
    with pytest.raises(FileNotFoundError):
        artefact.keep(recipe, "another", [(VARIANT, folder / "missing.onnx")])
    assert Recipe.load(folder).variants
    assert {path.name for path in folder.iterdir()} == {"recipe.toml", artefact.FOLDER}


def test_a_record_that_cannot_be_understood_is_named_with_the_way_on(folder):
    kept(folder)
    (folder / artefact.RECORD).write_text("{", "utf-8")
    with pytest.raises(RecipeError, match=r"artefact\.json can't be read.*build\.py optimize"):
        Recipe.load(folder)
    (folder / artefact.RECORD).write_text(json.dumps({"variants": []}), "utf-8")
    with pytest.raises(RecipeError, match="lacks the field 'made_from'"):
        Recipe.load(folder)
