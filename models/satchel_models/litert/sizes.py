"""The same file for images of another size: only the tensors' shapes are other.

Files have fixed shapes, and engines plan their memory by them. A fully convolutional network's
weights don't depend on its images' size, so its file for another one differs in a few numbers: they
are changed in place, every other byte stays where it is, and a device that has one of these files
fetches little for another.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from satchel_models.errors import UnsuitableError


def resized(data: bytes, shapes: dict[str, tuple[int, ...]]) -> bytes:
    """A file for inputs of other shapes.

    Args:
        data: A file with one subgraph.
        shapes: By input's name; inputs that aren't named keep theirs.

    Returns:
        As many bytes.

    Raises:
        UnsuitableError: The network doesn't take such inputs, or gives others outputs for them.
    """
    changed = bytearray(data)
    graph = schema.Model.GetRootAs(changed, 0).Subgraphs(0)
    after = _planned(data, shapes)
    for index in range(graph.TensorsLength()):
        old, new = graph.Tensors(index).ShapeAsNumpy(), after[index]
        if isinstance(old, int):  # a scalar has none
            continue
        if len(old) != len(new):
            raise UnsuitableError(f"The tensor {index} has {len(new)} axes instead of {len(old)}.")
        old[:] = new  # a view into the file
    for k in graph.OutputsAsNumpy():
        kept = schema.Model.GetRootAs(data, 0).Subgraphs(0).Tensors(k).ShapeAsNumpy()
        if not np.array_equal(kept, after[k]):
            raise UnsuitableError(
                f"The output {graph.Tensors(k).Name().decode()} becomes {after[k].tolist()} where "
                f"it was {kept.tolist()}."
            )
    return bytes(changed)


def _planned(data: bytes, shapes: dict[str, tuple[int, ...]]) -> dict[int, NDArray[np.int32]]:
    """All tensors' shapes as the engine computes them."""
    # Without the delegate: it hides what is inside.
    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(model_content=data, experimental_op_resolver_type=plain)
    for detail in interpreter.get_input_details():
        if detail["name"] in shapes:
            interpreter.resize_tensor_input(detail["index"], shapes[detail["name"]], strict=False)
    try:
        interpreter.allocate_tensors()
    except RuntimeError as error:
        shown = ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items())
        raise UnsuitableError(f"It doesn't take {shown}: {error}") from error
    return {one["index"]: one["shape"] for one in interpreter.get_tensor_details()}
