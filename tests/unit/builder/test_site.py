"""site.toml: what it may say, and the sentence where it says something else."""

import pytest

from builder import site
from builder.errors import BuildError, InputMissingError
from builder.paths import ROOT

GOOD = """
title = "Birds"
description = "Which bird is it?"

[[models]]
id = "birds"
task = "label"
title = "Label"
"""


@pytest.fixture
def write(tmp_path):
    def write(text):
        (tmp_path / "models" / "birds").mkdir(parents=True, exist_ok=True)
        (tmp_path / "models" / "birds" / "recipe.toml").touch()
        (tmp_path / "site.toml").write_text(text, "utf-8")
        return tmp_path / "site.toml"

    return write


def test_the_project_s_own_site_loads():
    loaded = site.load(ROOT / "site.toml")
    assert [model.id for model in loaded.models] == ["efficientnet-lite0"]


def test_a_recipe_lies_beside_the_site_unless_it_says_where(write, tmp_path):
    assert site.load(write(GOOD)).models[0].recipe == tmp_path / "models/birds/recipe.toml"
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "recipe.toml").touch()
    loaded = site.load(write(GOOD + 'recipe = "elsewhere"\n'))
    assert loaded.models[0].recipe == tmp_path / "elsewhere/recipe.toml"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("title = \"Birds\"", ""), "lacks `title`"),
        (("title = \"Birds\"", "title = 3"), "`title` must be text, not 3"),
        (("title = \"Birds\"", "title = 'a'\ntitel = 'b'"), "unknown field `titel`"),
        (('task = "label"', ""), "[models, number 1] lacks `task`"),
        (('task = "label"', 'task = "sing"'), "unknown task 'sing'; known: label"),
        (('id = "birds"', 'id = "../birds"'), "may hold only"),
        (('id = "birds"', 'id = "other"'), "has no recipe at"),
        (("[[models]]", "[models]"), "`models` must be a list"),
        (("[[models]]", "[[models"), "isn't valid TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(write, change, words):
    with pytest.raises(BuildError) as caught:
        site.load(write(GOOD.replace(*change)))
    assert words in str(caught.value)
    assert "site.toml" in str(caught.value)


def test_a_model_is_named_once(write):
    model = GOOD[GOOD.index("[[models]]") :]
    with pytest.raises(BuildError, match="'birds' is named twice"):
        site.load(write(GOOD + model))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputMissingError, match=r"no site file at .*none\.toml"):
        site.load(tmp_path / "none.toml")
