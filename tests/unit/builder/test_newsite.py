"""A site of one's own begins with a few small files that load as they are."""

import subprocess
import sys

import pytest

from builder import models, newsite, site
from builder.errors import BuildError, InputMissingError
from builder.paths import ROOT

FILES = {".gitignore", "README.md", "models/sums/recipe.toml", "site.toml"}


@pytest.mark.parametrize("task", site.TASKS)
def test_a_new_site_loads_with_its_recipe(tmp_path, task):
    newsite.create(tmp_path / "Sums", task=task)
    there = {p.relative_to(tmp_path / "Sums").as_posix() for p in (tmp_path / "Sums").rglob("*")}
    assert {name for name in there if (tmp_path / "Sums" / name).is_file()} == FILES
    loaded = site.load(tmp_path / "Sums/site.toml")
    assert (loaded.title, loaded.dist) == ("Sums", tmp_path / "Sums/dist")
    (entry,) = loaded.models
    recipe = models.load(entry.recipe)
    assert (recipe.id, recipe.task, recipe.title) == ("sums", task, "Sums")
    assert recipe.original == entry.recipe.parent / "model.onnx"


def test_names_of_any_kind_survive_the_files(tmp_path):
    title = 'Käfer "und" \\ Vögel {id}'
    newsite.create(tmp_path / "new", title=title, model_id="birds.v2", task="label")
    loaded = site.load(tmp_path / "new/site.toml")
    assert loaded.title == title
    assert models.load(loaded.models[0].recipe).title == title


def test_a_model_stays_where_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    newsite.create(tmp_path / "new", model=tmp_path / "trained/sums.onnx")
    recipe = models.load(tmp_path / "new/models/new/recipe.toml")
    assert recipe.source.file == "../../../trained/sums.onnx"
    assert not (tmp_path / "trained").exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(BuildError, match="isn't empty, and a new site begins in an empty folder"):
        newsite.create(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    with pytest.raises(BuildError, match="isn't empty"):
        newsite.create(tmp_path / "notes.txt")


@pytest.mark.parametrize("name", ["", "../up", "Sums", "a b", "-"])
def test_an_id_that_cannot_be_one_is_told_before_anything_is_written(tmp_path, name):
    with pytest.raises(BuildError, match="can't be a model's id"):
        newsite.create(tmp_path / "日本", model_id=name or None)
    assert not (tmp_path / "日本").exists()


def test_a_model_that_was_not_optimised_yet_is_told_with_the_command(tmp_path):
    newsite.create(tmp_path / "sums")
    with pytest.raises(InputMissingError, match=r"no artefact yet\. Make it: .* optimize .*sums"):
        models.artefacts(tmp_path / "sums/models/sums/recipe.toml")


def test_the_command_says_what_comes_next(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "builder.cli", "new", str(tmp_path / "sums"), "--task", "tensors"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "README.md has the three commands" in done.stderr
    assert f"put it at {tmp_path / 'sums/models/sums/model.onnx'}" in "".join(
        done.stderr.splitlines()
    ).replace("  ", " ")
    told = (tmp_path / "sums/README.md").read_text("utf-8")
    for command in ("optimize models/sums", "serve --site", "release sums --site"):
        assert command in told
