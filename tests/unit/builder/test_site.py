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


def test_root_and_repository_lie_beside_the_site_unless_it_says_where(write, tmp_path):
    loaded = site.load(write(GOOD))
    assert (loaded.root, loaded.repository) == (tmp_path / "root.json", tmp_path / "repository")
    assert (loaded.models_url, loaded.models_origin) == (None, None)
    said = 'root = "trust/r.json"\nrepository = "../signed"\nmodels_url = "https://m.example:8/x"\n'
    loaded = site.load(write(said + GOOD))
    assert loaded.root == tmp_path / "trust/r.json"
    assert loaded.repository == tmp_path / "../signed"
    assert loaded.models_url == "https://m.example:8/x/"
    assert loaded.models_origin == "https://m.example:8"


@pytest.mark.parametrize(
    "url",
    ["m.example", "http://m.example/", "https://m;x/", "https://u@m/", "https://m/?a", "data:,"],
)
def test_an_address_that_no_page_may_fetch_models_from_is_refused(write, url):
    with pytest.raises(BuildError, match=r"no address of models|can have no"):
        site.load(write(f'models_url = "{url}"\n{GOOD}'))


def test_this_machine_may_serve_models_without_https():
    assert site.models_url("http://127.0.0.1:8001/") == "http://127.0.0.1:8001/"


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
