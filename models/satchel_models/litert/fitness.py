"""Whether a model can have a `.tflite` file that a browser runs, told from what it takes and gives.

>>> from pathlib import Path
>>> from satchel_models.steps import Converted, Spec
>>> text = Spec("input_ids", "int64", ("batch", "tokens"))
>>> unfit(Converted(Path("x.onnx"), "", (text,), (), 18, 1), Kind.HUGGING_FACE)
"Its input input_ids has sizes that change ([batch, tokens]), and a .tflite file's are fixed."
"""

from satchel_models.convert.kinds import Kind
from satchel_models.data.resizing import channel_axis
from satchel_models.steps import Converted, Spec

DTYPES = ("float32", "int32", "uint8")
"""What LiteRT.js takes and gives (`DType` in its tensors' types)."""


def unfit(converted: Converted, kind: Kind | None) -> str:
    """Why there can be no such file, a sentence; "" where there can.

    Args:
        converted: Step 1's result.
        kind: What the original is; None: it is built of weights alone.
    """
    if kind is Kind.ONNX:
        return (
            "LiteRT's converters read PyTorch and Keras, not ONNX: give the model that this file "
            "was made from."
        )
    for spec in converted.inputs:
        free = [size for size in spec.shape[1:] if isinstance(size, str)]
        if free and channel_axis(spec.shape) is None:
            return (
                f"Its input {spec.name} has sizes that change ({_shape(spec)}), and a .tflite "
                "file's are fixed."
            )
    for spec in (*converted.inputs, *converted.outputs):
        if spec.dtype not in DTYPES:
            return (
                f"{spec.name} is {spec.dtype}, and LiteRT.js takes and gives only "
                f"{', '.join(DTYPES)}. Give the network a face of these."
            )
    if kind is None:
        return "It is built of its weights alone, and LiteRT's converters read PyTorch and Keras."
    return ""


def _shape(spec: Spec) -> str:
    return f"[{', '.join(map(str, spec.shape))}]"
