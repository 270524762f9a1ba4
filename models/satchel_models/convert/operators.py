"""What a graph is made of: operators that the engine knows, and control flow."""

from collections import Counter
from pathlib import Path

import onnx

from satchel_models.convert import graphs
from satchel_models.errors import UnsupportedOperatorError

KNOWN_DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"}
"""Whose operators ONNX Runtime has, in browsers too."""

CONTROL_FLOW = ("If", "Loop", "Scan")


def check(model: onnx.ModelProto, path: Path) -> None:
    """Refuse what no build of the engine can run.

    Raises:
        UnsupportedOperatorError: With the operators' names.
    """
    own = {(function.domain, function.name) for function in model.functions}
    version = graphs.opset(model)
    custom, unknown = set(), set()
    for node in graphs.nodes(model.graph):
        if (node.domain, node.op_type) in own:
            continue
        if node.domain not in KNOWN_DOMAINS:
            custom.add(f"{node.domain}.{node.op_type}")
        elif node.domain in {"", "ai.onnx"} and not onnx.defs.has(node.op_type, version, ""):
            unknown.add(node.op_type)
    if custom:
        raise UnsupportedOperatorError(
            f"{path} has operators of its own, which ONNX Runtime doesn't have: "
            f"{', '.join(sorted(custom))}. Export the model with standard operators instead, or "
            "leave that part out of the graph and do it in Python."
        )
    if unknown:
        raise UnsupportedOperatorError(
            f"{path} has operators that opset {version} doesn't have: "
            f"{', '.join(sorted(unknown))}. Export it with another opset."
        )


def control_flow(model: onnx.ModelProto) -> str:
    """A sentence on branches and loops; "" where there are none."""
    found = Counter(n.op_type for n in graphs.nodes(model.graph) if n.op_type in CONTROL_FLOW)
    if not found:
        return ""
    shown = ", ".join(f"{kind} ×{count}" for kind, count in sorted(found.items()))
    return (
        f"The graph has control flow ({shown}); what is inside of it stays as it is: neither fused "
        "nor quantised."
    )


def limits(model: onnx.ModelProto) -> dict[str, int]:
    """What the whole numbers of an input must stay below: rows of the table that they index."""
    tables = {t.name: t.dims[0] for t in model.graph.initializer if t.dims}
    source = {value.name: value.name for value in model.graph.input}
    found: dict[str, int] = {}
    for node in model.graph.node:
        if node.op_type in {"Cast", "Identity"} and node.input[0] in source:
            source[node.output[0]] = source[node.input[0]]
        if node.op_type == "Gather" and node.input[0] in tables and node.input[1] in source:
            name = source[node.input[1]]
            found[name] = min(found.get(name, tables[node.input[0]]), tables[node.input[0]])
    return found
