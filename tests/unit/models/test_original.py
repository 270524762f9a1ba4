"""Photos come to the original as its authors prepared theirs; weights only as expected."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from satchel_models import Recipe, original, source
from satchel_models.errors import ModelError, SourceError

MODELS = Path(__file__).resolve().parents[3] / "models"


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return Recipe.load(MODELS / "efficientnet-lite0")


def save(path: Path, width: int, height: int, **options) -> np.ndarray:
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, **options)
    return pixels


def test_a_photo_of_the_right_size_is_only_cropped(recipe, tmp_path):
    pixels = save(tmp_path / "a.png", 256, 256)
    found = original.photo(tmp_path / "a.png", recipe.preprocess)
    np.testing.assert_array_equal(found, pixels[16:240, 16:240])


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (100, 90), (3000, 256)])
def test_any_photo_becomes_a_square_of_the_crops_side(recipe, tmp_path, size):
    save(tmp_path / "a.png", *size)
    assert original.photo(tmp_path / "a.png", recipe.preprocess).shape == (224, 224, 3)


def test_a_photo_taken_sideways_is_turned_upright(recipe, tmp_path):
    pixels = save(tmp_path / "a.png", 256, 256)
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was turned; viewers turn it by a quarter, clockwise
    save(tmp_path / "b.png", 256, 256, exif=turned)
    found = original.photo(tmp_path / "b.png", recipe.preprocess)
    np.testing.assert_array_equal(found, np.rot90(pixels, -1)[16:240, 16:240])


def test_labels_are_read_in_their_order(tmp_path):
    (tmp_path / "labels.csv").write_text("file,class_index\nb.jpg,7\na.jpg,1\n")
    assert original.read_labels(tmp_path) == [("b.jpg", 7), ("a.jpg", 1)]


@pytest.mark.parametrize("text", ["name,class\na,1\n", "file,class_index\na.jpg,cat\n"])
def test_a_wrong_labels_file_says_what_it_needs(tmp_path, text):
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(ModelError, match="file,class_index"):
        original.read_labels(tmp_path)


def test_a_missing_labels_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"labels\.csv cannot be read"):
        original.read_labels(tmp_path)


def test_weights_with_another_hash_are_refused(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.path", [])
    file = tmp_path / recipe.source.weights
    file.parent.mkdir(parents=True)
    file.write_bytes(b"something else")
    with pytest.raises(SourceError, match="is not the file that the recipe names"):
        source.weights(recipe.source, tmp_path)


def test_weights_that_are_at_hand_are_not_fetched(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.path", [])
    file = tmp_path / recipe.source.weights
    file.parent.mkdir(parents=True)
    file.write_bytes(b"weights")
    known = replace(recipe.source, sha256=hashlib.sha256(b"weights").hexdigest())
    assert source.weights(known, tmp_path) == file
