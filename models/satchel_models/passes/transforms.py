"""What the passes do: a graph in, a graph out. Other people's tools, each behind one function."""

from collections.abc import Callable

import onnx
import onnx.inliner

from satchel_models import graph

Transform = Callable[[onnx.ModelProto], onnx.ModelProto]


def inlined(model: onnx.ModelProto) -> onnx.ModelProto:
    """`model` without functions of its own: each call replaced by what it stands for."""
    result: onnx.ModelProto = onnx.inliner.inline_local_functions(model)
    return result


def optimizer(*passes: str) -> Transform:
    """Passes of onnxoptimizer (https://github.com/onnx/optimizer), until nothing changes."""

    def transform(model: onnx.ModelProto) -> onnx.ModelProto:
        import onnxoptimizer

        result: onnx.ModelProto = onnxoptimizer.optimize(
            _without_shapes(model), list(passes), fixed_point=True
        )
        return result

    return transform


def slimmed(model: onnx.ModelProto) -> onnx.ModelProto:
    """Constants folded, dead and repeated parts removed (https://github.com/inisis/OnnxSlim)."""
    import onnxslim

    copy = onnx.ModelProto()  # it works in place
    copy.CopyFrom(model)
    result: onnx.ModelProto = onnxslim.slim(copy)
    return result


def basic(model: onnx.ModelProto) -> onnx.ModelProto:
    """ONNX Runtime's optimisations that keep to ONNX's own operators."""
    return graph.optimised(model, "basic")


def extended(model: onnx.ModelProto) -> onnx.ModelProto:
    """ONNX Runtime's fusions that every build of the engine can run."""
    return graph.optimised(_sized(model), "extended")


def gelu_approximated(model: onnx.ModelProto) -> onnx.ModelProto:
    """As `extended`, with GELU approximated by tanh.

    Hendrycks and Gimpel 2016, equation 3
    (https://arxiv.org/abs/1606.08415).
    """
    return graph.optimised(
        _sized(model), "extended", {**graph.FOLDED, "optimization.enable_gelu_approximation": "1"}
    )


def canonical(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same meaning, with nothing in it that varies or only weighs."""
    return graph.canonical(model, check=False)


def has(*kinds: str) -> Callable[[onnx.ModelProto], bool]:
    """Whether a graph has operators of these kinds."""

    def found(model: onnx.ModelProto) -> bool:
        return any(node.op_type in kinds for node in model.graph.node)

    return found


def has_functions(model: onnx.ModelProto) -> bool:
    """Whether a graph defines functions of its own."""
    return bool(model.functions)


def opset(model: onnx.ModelProto) -> int:
    """A graph's version of ONNX's own operators."""
    return max(
        (int(o.version) for o in model.opset_import if o.domain in ("", "ai.onnx")), default=1
    )


def nodes(model: onnx.ModelProto) -> int:
    """Nodes of a graph and of those that its nodes hold."""
    return sum(len(inner.node) for inner in graph.graphs(model.graph))


def _sized(model: onnx.ModelProto) -> onnx.ModelProto:
    """`model` with the shapes that ONNX infers.

    The engine fuses more with them than with its own: MiniLM has 158 nodes instead of 182.
    """
    return onnx.shape_inference.infer_shapes(model)


def _without_shapes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Inferred shapes go: onnxoptimizer trusts them, also where they were for another batch."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    result.graph.ClearField("value_info")
    return result
