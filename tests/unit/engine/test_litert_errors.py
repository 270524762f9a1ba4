"""LiteRT's words, as it really says them, and the error that each becomes."""

import pytest

import satchel
from satchel.platform.litert_errors import explained


@pytest.mark.parametrize(
    ("kind", "message", "loading", "error"),
    [
        ("format", "Failed to load model from buffer", True, satchel.ModelFormatError),
        ("format", "Aborted(). RAW: Span::at failed bounds check", True, satchel.ModelFormatError),
        ("format", "Model provided is schema version 0 not equal to supported version 3.", True,
         satchel.ModelFormatError),
        ("unsupported", "ERROR: Didn't find op for builtin opcode 'DELEGATE' version '1'.", True,
         satchel.UnsupportedModelError),
        ("unsupported", "unresolved custom op: Levitate. Failed to allocate tensors", True,
         satchel.UnsupportedModelError),
        ("run", "Unresolved custom op: Levitate. Node 0 failed to prepare.", True,
         satchel.UnsupportedModelError),
        ("dtype", "'x' is int8", True, satchel.UnsupportedModelError),
        ("shape", "'x' is [-1, 2]", True, satchel.UnsupportedModelError),
        ("memory", "out of memory", True, satchel.OutOfMemoryError),
        ("run", "ERROR: util.cc BytesRequired number of bytes overflowed.", False,
         satchel.OutOfMemoryError),
        ("crash", "memory access out of bounds", False, satchel.EngineCrashedError),
        ("unavailable", "Failed to fetch dynamically imported module", True,
         satchel.EngineUnavailableError),
        ("run", "ERROR: Node number 0 (RELU) failed to invoke.", False, satchel.InferenceError),
    ],
)  # fmt: skip
def test_each_failure_becomes_the_error_that_helps(kind, message, loading, error):
    assert type(explained(kind, message, loading=loading)) is error
    assert message in str(explained(kind, message, loading=loading))
