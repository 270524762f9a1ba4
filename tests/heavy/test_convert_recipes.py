"""The original of the label recipe goes through step 1 like anybody's."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from satchel_models import golden
from satchel_models.convert import convert, recipes
from satchel_models.label_recipe import LabelRecipe

pytestmark = pytest.mark.heavy

ROOT = Path(__file__).resolve().parents[2]


def test_the_label_network_answers_as_the_golden_set_says(torch_python, tmp_path):
    class Tools:
        def python(self, environment):
            return torch_python

    recipe = LabelRecipe.load(ROOT / "models" / "efficientnet-lite0")
    given = recipes.original(recipe, ROOT / ".cache" / "originals")
    done = convert(given, tmp_path, Tools(), lambda text, share: None)
    assert [(s.name, s.shape) for s in done.outputs] == [("logits", ("batch", 1000))]
    session = onnxruntime.InferenceSession(done.file)
    for case in golden.load(recipe.folder / recipe.variant("int8-float16-weights").golden):
        pixels = (case.input.astype(np.float32) - recipe.preprocess.mean) / np.float32(
            recipe.preprocess.scale
        )
        (logits,) = session.run(None, {"pixels": pixels.transpose(0, 3, 1, 2)})
        scores = np.exp(logits - logits.max(1, keepdims=True))
        scores /= scores.sum(1, keepdims=True)
        np.testing.assert_allclose(scores, case.original, atol=1e-4)
