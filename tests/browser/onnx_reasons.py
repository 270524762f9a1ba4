"""Why a case of ONNX's operator tests may fail: what counts as proof, and the committed list."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LISTED = Path(__file__).with_name("onnx_operators.toml")

CARRIED = frozenset({
    "FLOAT", "FLOAT16", "DOUBLE", "INT8", "INT16", "INT32", "INT64",
    "UINT8", "UINT16", "UINT32", "UINT64", "BOOL", "STRING",
})  # fmt: skip
"""ONNX's names of the types that numpy has too."""

NO_TENSORS = frozenset({"sequence", "optional", "map"})

REASONS = {
    "newer": "The model is of a newer ONNX than this onnxruntime: IR version or opset.",
    "operator": "onnxruntime does not know the operator, most often a preview.",
    "kernel": "onnxruntime knows the operator, but has no code for it with these types.",
    "attribute": "onnxruntime does not know an attribute that the operator has by now.",
    "javascript-type": "onnxruntime-web cannot name the type of an input or output (bfloat16, …).",
    "numpy-type": "numpy has no such type (4-bit integers).",
    "no-tensor": "An input or output is a sequence or an optional; Satchel carries tensors.",
    "refused": "onnxruntime does not accept the model or its inputs for another reason of its own.",
    "imprecise": "onnxruntime computes a little less precisely than the test asks for.",
    "other-results": "onnxruntime computes something else, or draws other random numbers.",
}
"""Every reason but "numpy-type" and "no-tensor" is onnxruntime's own: it gives the very same error
or results when JavaScript asks it directly."""

SAID = {
    "newer": r"Unsupported model IR version|under development",
    "operator": r"is not a registered function/op",
    "kernel": r"Could not find an implementation|Failed to find kernel",
    "attribute": r"Unrecognized attribute",
    "javascript-type": r"^unsupported data type: \d+$",
}
"""What onnxruntime says for a reason; Satchel's error must then be UnsupportedModelError."""

REFUSALS = ("UnsupportedModelError", "ModelFormatError", "InferenceError", "InputShapeError")
"""How Satchel may tell any other refusal. A crash, a timeout or a lack of memory is none."""


def proven(outcome: Mapping[str, Any], types: frozenset[str]) -> str | None:
    """The reason that an outcome proves, or None.

    Args:
        outcome: As onnx_operators_page.py gives it, not passed.
        types: The types of inputs and outputs that the model declares.
    """
    match outcome:
        case {"status": "imprecise", "same": True}:
            return "imprecise"
        case {"status": "differs", "same": True}:
            return "other-results"
        case {"status": "refused", "same": True, "error": error, "why": why}:
            for reason, pattern in SAID.items():
                if re.search(pattern, why):
                    return reason if error == "UnsupportedModelError" else None
            return "refused" if error in REFUSALS else None
        case {"status": "refused", "error": "UnsupportedModelError", "message": message}:
            if "carries tensors only" in message and types & NO_TENSORS:
                return "no-tensor"
            if "which Satchel cannot carry" in message and types - CARRIED - NO_TENSORS:
                return "numpy-type"
    return None


def listed() -> dict[str, str]:
    """The committed list: case → reason."""
    sections = tomllib.loads(LISTED.read_text(encoding="utf-8"))
    return {case: reason for reason, section in sections.items() for case in section["cases"]}


def listing(reasons: Mapping[str, str]) -> str:
    """The committed list's text for case → reason."""
    lines = [
        "# ONNX's operator tests that onnxruntime-web's WASM build itself cannot pass, by reason.",
        "# Every other case must pass, and these must go on failing for just this reason:",
        "# tests/browser/test_onnx_operators.py checks both, and writes this file anew beside its",
        "# other temporary files when that has changed.",
    ]
    for reason, why in REASONS.items():
        if cases := sorted(case for case, its in reasons.items() if its == reason):
            lines += ["", f"[{reason}]", f'why = "{why}"', "cases = ["]
            lines += [f'    "{case}",' for case in cases] + ["]"]
    return "\n".join(lines) + "\n"
