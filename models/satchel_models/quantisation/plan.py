"""Which candidates are made, by kind of network and level; each level has all of the one before.

fast: weights stored small, which costs next to no accuracy. balanced: the usual ways of computing
in whole numbers, and what measured sensitivity suggests. aggressive: all there is.
"""

from collections.abc import Callable
from dataclasses import dataclass

from satchel_models.quantisation import methods
from satchel_models.quantisation.family import Family
from satchel_models.quantisation.methods import Made, Workshop
from satchel_models.results import Level


@dataclass(frozen=True)
class Method:
    """A way to make a candidate.

    Attributes:
        name: The candidate's.
        sentence: What was done, for people.
        make: Does it.
    """

    name: str
    sentence: str
    make: Callable[[Workshop], Made]


FLOAT32 = "float32"
FLOAT32_SENTENCE = "Weights and arithmetic in float32, after the graph passes."

LADDER = ("int8-float16-weights", "int8-weights", FLOAT32)
"""What smaller inputs are tried with: the first that is there."""

_HALF = Method(
    "float16-weights",
    "Weights stored as float16, computed with in float32.",
    methods.float16_weights,
)
_INT8 = Method(
    "int8-weights",
    "Weights stored as int8, a scale for each output channel; computed with in float32.",
    methods.int8_weights,
)
_MIXED = Method(
    "int8-float16-weights",
    "Weights stored as int8, those of tensors with up to 12,000 numbers as float16; computed with "
    "in float32.",
    methods.int8_float16_weights,
)
_SENSITIVE = Method(
    "int8-sensitive-weights",
    "Weights stored as int8, the most sensitive tensors by measurement as float16; computed with "
    "in float32.",
    methods.int8_sensitive_weights,
)
_DYNAMIC = Method(
    "int8-dynamic",
    "Matrix products in uint8, activations rounded at each run; other weights stored small.",
    methods.int8_dynamic,
)
_DYNAMIC_HALF = Method(
    "int8-dynamic-float16",
    "Matrix products in uint8, activations rounded at each run; tables stored as float16.",
    methods.int8_dynamic_float16,
)
_DYNAMIC_CONV = Method(
    "int8-dynamic-conv",
    "Matrix products and convolutions in uint8, activations rounded at each run.",
    methods.int8_dynamic_conv,
)
_MINMAX = Method(
    "int8-static-minmax",
    "Computed in int8, a scale for each output channel; ranges of activations are the extremes "
    "that calibration saw.",
    methods.int8_static("minmax"),
)
_ENTROPY = Method(
    "int8-static-entropy",
    "Computed in int8, a scale for each output channel; ranges of activations keep most "
    "information of what calibration saw.",
    methods.int8_static("entropy"),
)
_PERCENTILE = Method(
    "int8-static-percentile",
    "Computed in int8, a scale for each output channel; ranges of activations hold 99.99 % of "
    "what calibration saw.",
    methods.int8_static("percentile"),
)
_INT4 = Method(
    "int4-weights",
    "Matrix weights in blocks of 32 with 4 bits each, others stored as int8.",
    methods.int4_weights(32),
)
_INT4_FINE = Method(
    "int4-weights-fine",
    "Matrix weights in blocks of 16 with 4 bits each, others stored as int8.",
    methods.int4_weights(16),
)

_FAST: dict[Family, tuple[Method, ...]] = {
    "convolutional": (_HALF, _INT8, _MIXED),
    "transformer": (_HALF, _INT8, _DYNAMIC),
    "recurrent": (_HALF, _INT8),
    "other": (_HALF, _INT8),
}
_BALANCED: dict[Family, tuple[Method, ...]] = {
    "convolutional": (_SENSITIVE, _DYNAMIC, _DYNAMIC_CONV, _MINMAX, _ENTROPY, _PERCENTILE),
    "transformer": (_SENSITIVE, _DYNAMIC_HALF, _MINMAX, _INT4),
    "recurrent": (_MIXED, _SENSITIVE, _DYNAMIC, _MINMAX),
    "other": (_MIXED, _SENSITIVE, _DYNAMIC, _MINMAX),
}
_AGGRESSIVE: dict[Family, tuple[Method, ...]] = {
    "convolutional": (_INT4,),
    "transformer": (_MIXED, _ENTROPY, _PERCENTILE, _INT4_FINE),
    "recurrent": (_DYNAMIC_CONV, _ENTROPY, _PERCENTILE),
    "other": (_ENTROPY, _PERCENTILE, _INT4),
}


def planned(family: Family, level: Level) -> tuple[Method, ...]:
    """What to try beside float32."""
    fast, balanced = _FAST[family], _BALANCED[family]
    return {
        "fast": fast,
        "balanced": (*fast, *balanced),
        "aggressive": (*fast, *balanced, *_AGGRESSIVE[family]),
    }[level]
