"""Small `.tflite` files, written by LiteRT's own schema: matrices in a row, a network for images.

Who imports this is skipped on machines for which there is no LiteRT.
"""

import numpy as np
import pytest

schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
flatbuffers = pytest.importorskip("flatbuffers")

KINDS = {
    "float32": schema.TensorType.FLOAT32,
    "int8": schema.TensorType.INT8,
    "int32": schema.TensorType.INT32,
}


class _Writer:
    """One graph, operator by operator."""

    def __init__(self):
        self.buffers = [schema.BufferT()]  # the first one is that of tensors without content
        self.codes, self.tensors, self.operators = [], [], []

    def tensor(self, name, shape, kind="float32", content=None):
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = name, list(shape), KINDS[kind], 0
        if content is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(content.tobytes(), np.uint8)
            self.buffers.append(buffer)
            made.buffer = len(self.buffers) - 1
        self.tensors.append(made)
        return len(self.tensors) - 1

    def scaled(self, tensor, scale):
        quantisation = schema.QuantizationParametersT()
        quantisation.scale, quantisation.zeroPoint = [scale], [0]
        self.tensors[tensor].quantization = quantisation

    def operator(self, code, inputs, outputs, options=None, kind=0, version=1):
        operator = schema.OperatorCodeT()
        operator.builtinCode = operator.deprecatedBuiltinCode = code
        operator.version = version
        self.codes.append(operator)
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = len(self.codes) - 1, inputs, outputs
        if options is not None:
            made.builtinOptions, made.builtinOptionsType = options, kind
        self.operators.append(made)

    def product(self, given, weights, name, kind="float32"):
        """A tensor times a matrix that lies in the file the other way round."""
        batch = self.tensors[given].shape[0]
        result = self.tensor(name, [batch, self.tensors[weights].shape[0]], kind)
        self.operator(
            schema.BuiltinOperator.FULLY_CONNECTED,
            [given, weights, -1],
            [result],
            schema.FullyConnectedOptionsT(),
            schema.BuiltinOptions.FullyConnectedOptions,
            4 if kind == "int8" else 1,
        )
        return result

    def content(self, given, result, signature=True):
        model = schema.ModelT()
        model.version, model.buffers, model.operatorCodes = 3, self.buffers, self.codes
        graph = schema.SubGraphT()
        graph.tensors, graph.operators, graph.name = self.tensors, self.operators, "main"
        graph.inputs, graph.outputs = [given], [result]
        model.subgraphs = [graph]
        if signature:
            model.signatureDefs = [self._signature(given, result)]
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _signature(self, given, result):
        made = schema.SignatureDefT()
        made.signatureKey, made.subgraphIndex = "serving_default", 0
        entries = []
        for index in (given, result):
            entry = schema.TensorMapT()
            entry.name, entry.tensorIndex = self.tensors[index].name, index
            entries.append(entry)
        made.inputs, made.outputs = entries[:1], entries[1:]
        return made


def products(matrices, *, given="x", result="y", batch=1, signature=True):
    """`result` = `given` times matrices in a row, all float32."""
    writer = _Writer()
    value = first = writer.tensor(given, [batch, matrices[0].shape[0]])
    for number, matrix in enumerate(matrices, 1):
        turned = np.ascontiguousarray(matrix.T, np.float32)
        weights = writer.tensor(f"w{number}", turned.shape, content=turned)
        last = number == len(matrices)
        value = writer.product(value, weights, result if last else f"v{number}")
    return writer.content(first, value, signature)


def rounded(matrix, *, given="x", result="y"):
    """The same for one matrix, computed in int8: what goes in and comes out is float32."""
    writer = _Writer()
    first = writer.tensor(given, [1, matrix.shape[0]])
    narrow = writer.tensor("narrow", [1, matrix.shape[0]], "int8")
    writer.scaled(narrow, 4 / 127)
    scale = float(np.abs(matrix).max() / 127)
    stored = np.ascontiguousarray((matrix.T / scale).round().astype(np.int8))
    weights = writer.tensor("w", stored.shape, "int8", stored)
    writer.scaled(weights, scale)
    writer.operator(schema.BuiltinOperator.QUANTIZE, [first], [narrow])
    product = writer.product(narrow, weights, "product", "int8")
    writer.scaled(product, 16 / 127)
    last = writer.tensor(result, [1, matrix.shape[1]])
    writer.operator(schema.BuiltinOperator.DEQUANTIZE, [product], [last], version=2)
    return writer.content(first, last)


def stored_small(matrix, *, given="x", result="y"):
    """The same with the weights as int8, unpacked before they are used."""
    writer = _Writer()
    first = writer.tensor(given, [1, matrix.shape[0]])
    scale = float(np.abs(matrix).max() / 127)
    stored = np.ascontiguousarray((matrix.T / scale).round().astype(np.int8))
    weights = writer.tensor("w", stored.shape, "int8", stored)
    writer.scaled(weights, scale)
    unpacked = writer.tensor("unpacked", stored.shape)
    writer.operator(schema.BuiltinOperator.DEQUANTIZE, [weights], [unpacked], version=2)
    return writer.content(first, writer.product(first, unpacked, result))


def photos(side=8, *, given="pixels", result="scores", loose=False):
    """A small convolutional network, float32 [1, side, side, 3] → [1, 4].

    Args:
        side: Pixels.
        given: The input's name.
        result: The output's name.
        loose: Whether a constant that nothing uses, metadata and long names are in it, too.
    """
    random = np.random.default_rng(5)
    writer = _Writer()
    first = writer.tensor(given, [1, side, side, 3])
    kernel = writer.tensor("k", [6, 3, 3, 3], content=_drawn(random, 6, 3, 3, 3))
    bias = writer.tensor("b", [6], content=_drawn(random, 6))
    if loose:
        writer.tensor("unused", [64], content=np.ones(64, np.float32))
    half = writer.tensor("a/very/long/path/to/a.Module", [1, side // 2, side // 2, 6])
    options = schema.Conv2DOptionsT()
    options.strideH = options.strideW = 2
    options.padding = schema.Padding.SAME
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU6
    operators, kinds = schema.BuiltinOperator, schema.BuiltinOptions
    writer.operator(operators.CONV_2D, [first, kernel, bias], [half], options, kinds.Conv2DOptions)
    axes = writer.tensor("axes", [2], "int32", np.array([1, 2], np.int32))
    pooled = writer.tensor("pooled", [1, 6])
    mean = schema.ReducerOptionsT()
    writer.operator(operators.MEAN, [half, axes], [pooled], mean, kinds.ReducerOptions)
    weights = writer.tensor("w", [4, 6], content=_drawn(random, 4, 6))
    scores = writer.product(pooled, weights, "logits")
    last = writer.tensor(result, [1, 4])
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    writer.operator(operators.SOFTMAX, [scores], [last], softmax, kinds.SoftmaxOptions)
    return writer.content(first, last)


def _drawn(random, *shape):
    return random.standard_normal(shape).astype(np.float32)
