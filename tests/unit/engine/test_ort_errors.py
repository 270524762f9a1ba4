"""onnxruntime's words, as it really says them, and the error that each becomes."""

import pytest

import satchel
from satchel.platform.ort_errors import explained


@pytest.mark.parametrize(
    ("kind", "message", "loading", "error"),
    [
        ("run", "ERROR_CODE: 7, ERROR_MESSAGE: Failed to load model because protobuf parsing",
         True, satchel.ModelFormatError),
        ("run", "Fatal error: org.example:Levitate(-1) is not a registered function/op",
         True, satchel.UnsupportedModelError),
        ("run", "[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : Could not find an implementation for X",
         True, satchel.UnsupportedModelError),
        ("run", "ERROR_MESSAGE: std::bad_alloc", False, satchel.OutOfMemoryError),
        ("run", "INVALID_ARGUMENT : Tensor shape is too large", False, satchel.OutOfMemoryError),
        ("memory", "Aborted(OOM)", True, satchel.OutOfMemoryError),
        ("crash", "memory access out of bounds", False, satchel.EngineCrashedError),
        ("unavailable", "Failed to fetch dynamically imported module", True,
         satchel.EngineUnavailableError),
        ("argument", "Got invalid dimensions for input: x", False, satchel.InputShapeError),
        ("run", "Non-zero status code returned while running Add", False, satchel.InferenceError),
    ],
)  # fmt: skip
def test_each_failure_becomes_the_error_that_helps(kind, message, loading, error):
    assert type(explained(kind, message, loading=loading)) is error
    assert message in str(explained(kind, message, loading=loading))
