"""A file that differs from another in a few bytes is kept as those."""

import json

import pytest

from satchel_models import patch
from satchel_models.errors import RecipeError

BEFORE, AFTER = b"shape 224 224, weights", b"shape 192 192, weights"


def test_a_patch_makes_the_other_file_and_survives_json():
    found = json.loads(json.dumps(patch.difference(BEFORE, AFTER)))
    assert len(found["bytes"]) == 2
    assert patch.applied(BEFORE, found) == AFTER


def test_a_patch_of_another_file_is_refused():
    found = patch.difference(BEFORE, AFTER)
    with pytest.raises(RecipeError, match="not one of this file"):
        patch.applied(BEFORE + b"!", found)


def test_a_damaged_patch_is_refused():
    found = patch.difference(BEFORE, AFTER)
    found["bytes"][0][1] = "00"
    with pytest.raises(RecipeError, match="not one of this file"):
        patch.applied(BEFORE, found)
    with pytest.raises(RecipeError, match="no patch"):
        patch.applied(BEFORE, {"bytes": [[1, "no hex"]]})
