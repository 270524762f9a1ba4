"""A recipe says exactly what it may say, and the errors name the field."""

from pathlib import Path

import pytest

from satchel_models import Recipe
from satchel_models.errors import RecipeError

MODELS = Path(__file__).resolve().parents[3] / "models"
LABEL_MODEL = MODELS / "efficientnet-lite0"


@pytest.fixture
def text() -> str:
    return (LABEL_MODEL / "recipe.toml").read_text(encoding="utf-8")


def parsed(text: str) -> Recipe:
    return Recipe.parse(text, LABEL_MODEL)


def test_a_recipe_is_parsed_into_what_it_says(text):
    recipe = parsed(text)
    assert recipe.id == "efficientnet-lite0"
    assert recipe.source.sha256 in text
    assert recipe.preprocess.scale == 128.0
    variant = recipe.variant("int8-float16-weights")
    assert variant.resolutions == (224,)
    assert variant.session.config == {"session.disable_quant_qdq": "1"}
    assert recipe.folder == LABEL_MODEL


def test_every_recipe_of_the_project_parses_and_its_files_are_there():
    folders = [path.parent for path in MODELS.glob("*/recipe.toml")]
    assert LABEL_MODEL in folders
    for folder in folders:
        recipe = Recipe.load(folder)
        assert recipe.id == folder.name
        committed = recipe.files.values() if recipe.artefacts == "committed" else ()
        for name in [*committed, *(notice.file for notice in recipe.notices)]:
            assert (folder / name).is_file(), name


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ('task = "label"\n', "", "'task'"),
        ("mean = 127\n", "", "'mean'"),
        ('task = "label"\n', 'task = "label"\ntasks = 1\n', "'tasks'"),
        ("crop = 224\n", "crop = 224\nzoom = 2\n", "'zoom'"),
        ("crop = 224\n", 'crop = "224"\n', "preprocess: crop must be a whole number"),
        ("crop = 224\n", "crop = true\n", "preprocess: crop must be a whole number"),
        ("resolutions = [224]\n", 'resolutions = ["224"]\n', "resolutions[0]"),
        ('engine = "onnxruntime"\n', 'engine = "abacus"\n', "]: engine"),
        ('file = "model.onnx"\n', 'file = "../model.onnx"\n', "beside the recipe"),
        ('file = "model.onnx"\n', 'file = "/model.onnx"\n', "beside the recipe"),
        ('sha256 = "5', 'sha256 = "x', "source.sha256"),
        ('version = "1.0.0"\n', 'version = "one"\n', "version"),
        ("-pytorch==0.1.0", "-pytorch", "source.packages"),
        ('title = "Eff', "title = Eff", "is not TOML"),
    ],
)
def test_a_wrong_recipe_is_refused_with_the_field_named(text, before, after, named):
    assert before in text
    with pytest.raises(RecipeError) as error:
        parsed(text.replace(before, after, 1))
    assert named in str(error.value)
    assert "recipe.toml" in str(error.value)


def test_a_folder_without_a_recipe_says_what_is_missing(tmp_path):
    with pytest.raises(RecipeError, match=r"recipe\.toml cannot be read"):
        Recipe.load(tmp_path)


def test_an_unknown_variant_is_named_beside_the_known_ones(text):
    with pytest.raises(RecipeError, match="has no variant 'tiny'; it has litert-int8-static, "):
        parsed(text).variant("tiny")


def test_variants_have_names_of_their_own(text):
    block = text[text.index("[[variants]]") : text.index("[files]")]
    with pytest.raises(RecipeError, match="names all different"):
        parsed(text.replace("[files]", block + "[files]", 1))
