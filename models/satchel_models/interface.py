"""The face that a graph shows to the device: photos in, probabilities out.

A uint8 photo is a quarter of its float32 pixels, so it crosses from the page to the engine
cheaply, and the arithmetic of the preprocessing is in the file, where it cannot be got wrong.
`Transpose` works on the bytes (a quarter of the memory traffic), and `DequantizeLinear` is
`(x − zero point) · scale` in one pass.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from satchel_models.export import LOGITS, PIXELS
from satchel_models.label_recipe import Export, Preprocess
from satchel_models.photo_face import PhotoFace


def face(outer: Export, preprocess: Preprocess) -> PhotoFace:
    """The same for converters that begin at the network, at the size that the export is traced."""
    height, width = outer.trace
    return PhotoFace(
        height=height,
        width=width,
        classes=outer.classes,
        mean=(float(preprocess.mean),),
        scale=(preprocess.scale,),
        image=outer.input,
        probabilities=outer.output,
    )


def with_interface(
    model: onnx.ModelProto, outer: Export, preprocess: Preprocess
) -> onnx.ModelProto:
    """`model` (pixels → logits) as a graph from `outer.input` to `outer.output`.

    Returns:
        A graph with a uint8 input [batch, height, width, 3] and a float32 output
        [batch, classes], rows summing to 1.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    mean = numpy_helper.from_array(np.array(preprocess.mean, np.uint8), f"{outer.input}.mean")
    step = numpy_helper.from_array(
        np.array(1 / preprocess.scale, np.float32), f"{outer.input}.step"
    )
    planes = f"{outer.input}.planes"
    front = [
        helper.make_node("Transpose", [outer.input], [planes], perm=[0, 3, 1, 2]),
        helper.make_node("DequantizeLinear", [planes, step.name, mean.name], [PIXELS]),
    ]
    back = helper.make_node("Softmax", [LOGITS], [outer.output], axis=-1)
    nodes = [*front, *graph.node, back]
    image = helper.make_tensor_value_info(
        outer.input, TensorProto.UINT8, ["batch", "height", "width", 3]
    )
    probabilities = helper.make_tensor_value_info(
        outer.output, TensorProto.FLOAT, ["batch", outer.classes]
    )
    del graph.node[:], graph.input[:], graph.output[:]
    graph.node.extend(nodes)
    graph.input.append(image)
    graph.output.append(probabilities)
    graph.initializer.extend([step, mean])
    onnx.checker.check_model(result)
    return result
