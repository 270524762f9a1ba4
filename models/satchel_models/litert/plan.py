"""Which candidates are made for LiteRT, by level."""

from collections.abc import Mapping

FLOAT32 = "litert-float32"
WEIGHTS = "litert-int8-weights"
STATIC = "litert-int8-static"

METHODS: Mapping[str, str] = {
    FLOAT32: "Weights and arithmetic in float32, channels last.",
    WEIGHTS: "Weights stored as int8, a scale for each output channel; computed with in float32.",
    STATIC: "Computed in int8, a scale for each output channel; ranges of activations are those "
    "with the least squared error in what calibration saw; the last product gives floats.",
}
"""What is done, by candidate, for people; each level begins with float32."""

CALIBRATED = frozenset({STATIC})
"""Candidates that samples are needed for."""

LADDER = (STATIC, WEIGHTS, FLOAT32)
"""What smaller inputs are tried with: the first that is there."""


def planned(level: str) -> tuple[str, ...]:
    """Names of a level's candidates."""
    return (FLOAT32, WEIGHTS) if level == "fast" else (FLOAT32, WEIGHTS, STATIC)
