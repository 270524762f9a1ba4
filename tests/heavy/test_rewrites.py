"""Rewrites for onnxruntime-web's WASM build, on a model that comes as ONNX alone."""

from collections import Counter

import numpy as np
import onnx
import pytest

from builder import optimizing
from satchel_models import native, source
from satchel_models.convert import Original, convert
from satchel_models.passes import optimise
from satchel_models.recipe import Session
from satchel_models.tools import Installed

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(900)]

VOICE = (
    ("silero-vad==6.2.3",),
    "silero_vad/data/silero_vad_16k_op15.onnx",
    "7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49",
)
"""A voice activity detector (MIT): a frame of 64 + 512 samples, and a state."""

FRAME = {"batch": 1, "sequence": 576}
AS_IT_IS = Session("disabled")


def silent(words, share):
    """Progress that nobody reads."""


def frames(count):
    random = np.random.default_rng(2)
    return [
        {
            "input": random.normal(0, 0.1, (1, 576)).astype(np.float32),
            "state": random.normal(0, 0.3, (2, 1, 128)).astype(np.float32),
            "sr": np.array(16000, np.int64),
        }
        for _ in range(count)
    ]


def optimised(path, folder, level, fixed):
    folder.mkdir()
    given = convert(Original(path, fixed=fixed), folder, Installed(), silent)
    return optimise(given, folder, level, frames(2), silent)


def operators(graph):
    return Counter(node.op_type for node in onnx.load(graph.file).graph.node)


def test_a_frame_of_sound_is_heard_in_products_and_without_branches(tmp_path):
    path = source.file(*VOICE, optimizing.ORIGINALS)
    before = optimised(path, tmp_path / "before", "fast", None)
    after = optimised(path, tmp_path / "after", "balanced", FRAME)
    assert operators(before)["If"]
    assert not operators(after)["If"]
    assert operators(after)["Gemm"] > operators(before)["Gemm"]

    feeds = frames(20)
    answers = [
        native.answers("it", native.loaded("it", one.file.read_bytes(), AS_IT_IS), feeds)
        for one in (before, after)
    ]
    assert native.relative_difference(*answers) < 1e-4
