"""Any classifier gets one face: a photo in, probabilities out; what is none is told so."""

import itertools

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from satchel_models import Recipe, graph
from satchel_models.errors import RecipeError, TaskError
from satchel_models.photo_interface import with_photo_interface

RECIPE = """
id = "digits"
task = "label"
title = "Digits"
version = "1.0.0"
changelog = ""
[source]
file = "digits.onnx"
[label]
labels = "labels.txt"
"""

CLASSES = 4
HEIGHT, WIDTH = 6, 5


@pytest.fixture
def recipe(tmp_path):
    """Makes a recipe with more lines in its [label]."""

    def make(*lines, labels=CLASSES):
        (tmp_path / "labels.txt").write_text("\n".join(map(str, range(labels))), "utf-8")
        return Recipe.parse(RECIPE + "\n".join(lines), tmp_path)

    return make


def onnx_type(dtype):
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def network(shape, dtype=np.float32, output=("batch", CLASSES), *, name="x", kind=np.float32):
    """A network of fixed size that weighs every number of a photo for each class."""
    count = int(np.prod([side if isinstance(side, int) else 1 for side in shape[1:]]))
    generator = np.random.default_rng(3)
    weights = generator.standard_normal((count, CLASSES)).astype(np.float32) / count
    nodes = [
        helper.make_node("Cast", [name], ["pixels"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Flatten", ["pixels"], ["row"], axis=1),
        helper.make_node("MatMul", ["row", "weights"], ["scores"]),
        helper.make_node("Reshape", ["scores", "shape"], ["shaped"]),
        helper.make_node("Cast", ["shaped"], ["y"], to=onnx_type(kind)),
    ]
    sizes = [-1 if isinstance(side, str) else side for side in output]
    inside = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, onnx_type(dtype), shape)],
        [helper.make_tensor_value_info("y", onnx_type(kind), output)],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array(sizes, np.int64), "shape"),
        ],
    )
    model = helper.make_model(inside, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    return model, weights


def photos(batch=2):
    shape = (batch, HEIGHT, WIDTH, 3)
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


def expected(images, weights, *, colour, layout, mean=0.0, scale=255.0, dtype=np.float32):
    """What a network says, computed as its author would."""
    x = images.astype(np.float64)
    if colour == "grey":
        x = x @ [[0.299], [0.587], [0.114]]
    if colour == "bgr":
        x = x[..., ::-1]
    x = (x - mean) / scale
    if np.dtype(dtype).kind in "iu":
        x = np.rint(x)
    if layout == "nchw":
        x = x.transpose(0, 3, 1, 2)
    scores = x.reshape(len(x), -1) @ weights
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def answer(model, images):
    data = model.SerializeToString()
    return graph.run(data, {model.graph.input[0].name: images})


@pytest.mark.parametrize(
    ("colour", "layout", "dtype"),
    list(
        itertools.product(
            ("grey", "rgb", "bgr"),
            ("nchw", "nhwc"),
            (np.float32, np.float16, np.float64, np.uint8, np.int32),
        )
    ),
)
def test_a_photo_reaches_the_network_in_its_own_colours_order_and_type(
    recipe, colour, layout, dtype
):
    channels = 1 if colour == "grey" else 3
    sides = (HEIGHT, WIDTH)
    shape = ("n", channels, *sides) if layout == "nchw" else ("n", *sides, channels)
    whole = np.dtype(dtype).kind in "iu"
    mean, scale = (0, 1) if whole else (100, 60)
    lines = [f"mean = [{mean}]", f"scale = [{scale}]"]
    if colour == "bgr":
        lines.append('colour = "bgr"')
    model, weights = network(shape, dtype)
    made = with_photo_interface(model, recipe(*lines))
    images = photos()
    right = expected(
        images, weights, colour=colour, layout=layout, mean=mean, scale=scale, dtype=dtype
    )
    tolerance = 1e-3 if dtype == np.float16 else 1e-5
    np.testing.assert_allclose(answer(made, images), right, atol=tolerance)


def test_a_channel_may_have_a_mean_and_a_scale_of_its_own(recipe):
    model, weights = network(("n", 3, HEIGHT, WIDTH))
    lines = ("mean = [123.675, 116.28, 103.53]", "scale = [58.395, 57.12, 57.375]")
    images = photos()
    right = expected(
        images,
        weights,
        colour="rgb",
        layout="nchw",
        mean=np.array([123.675, 116.28, 103.53]),
        scale=np.array([58.395, 57.12, 57.375]),
    )
    made = with_photo_interface(model, recipe(*lines))
    np.testing.assert_allclose(answer(made, images), right, atol=1e-5)


def test_a_negative_scale_makes_ink_on_paper_light_on_dark(recipe):
    model, weights = network(("n", HEIGHT, WIDTH))
    made = with_photo_interface(model, recipe("mean = [255]", "scale = [-255]"))
    images = photos()
    right = expected(255 - images.astype(float), weights, colour="grey", layout="nhwc")
    np.testing.assert_allclose(answer(made, images), right, atol=1e-5)


@pytest.mark.parametrize(("count", "colour"), [(30, "grey"), (90, "rgb")])
@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_a_network_may_take_its_photo_in_a_row(recipe, count, colour, layout):
    model, weights = network(("n", count))
    made = with_photo_interface(model, recipe("size = [6, 5]", f'layout = "{layout}"'))
    images = photos()
    right = expected(images, weights, colour=colour, layout=layout)
    np.testing.assert_allclose(answer(made, images), right, atol=1e-5)


@pytest.mark.parametrize("output", [("n", CLASSES, 1, 1), ("n", CLASSES)])
@pytest.mark.parametrize("kind", [np.float32, np.float16, np.float64])
def test_scores_of_any_float_type_become_rows_of_probabilities(recipe, output, kind):
    model, _ = network(("n", 3, HEIGHT, WIDTH), output=output, kind=kind)
    made = with_photo_interface(model, recipe())
    found = answer(made, photos())
    assert found.dtype == np.float32
    assert found.shape == (2, CLASSES)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


def test_probabilities_stay_as_they_are(recipe):
    model, weights = network(("n", 3, HEIGHT, WIDTH))
    made = with_photo_interface(model, recipe('output = "probabilities"'))
    images = photos()
    x = (images / 255).transpose(0, 3, 1, 2).reshape(2, -1)
    np.testing.assert_allclose(answer(made, images), x @ weights, atol=1e-5)


def test_a_model_that_takes_photos_already_gets_nothing_in_front(recipe):
    model, _ = network(("n", HEIGHT, WIDTH, 3), np.uint8, name="image")
    made = with_photo_interface(model, recipe("scale = [1]", 'output = "probabilities"'))
    assert [node.op_type for node in made.graph.node] == [node.op_type for node in model.graph.node]


def test_names_of_the_network_s_own_are_kept_apart(recipe):
    model, _ = network(("n", 3, HEIGHT, WIDTH), name="image")
    made = with_photo_interface(model, recipe())
    assert made.graph.input[0].name == "image_1"
    assert answer(made, photos()).shape == (2, CLASSES)


def sides_of(model):
    tensor = model.graph.input[0].type.tensor_type
    return [dim.dim_param or dim.dim_value for dim in tensor.shape.dim]


def test_sizes_that_are_fixed_stay_fixed_and_open_ones_open(recipe):
    fixed, _ = network((1, 1, HEIGHT, WIDTH), output=(1, CLASSES))
    assert sides_of(with_photo_interface(fixed, recipe())) == [1, HEIGHT, WIDTH, 3]
    dynamic, _ = network(("n", 3, "h", "w"))
    made = with_photo_interface(dynamic, recipe("size = [64]"))
    assert sides_of(made) == ["batch", "height", "width", 3]
    # A variant's resolutions are squares: other sizes stand in the input itself.
    made = with_photo_interface(dynamic, recipe("size = [64, 48]"))
    assert sides_of(made) == ["batch", 64, 48, 3]


@pytest.mark.parametrize(
    ("shape", "lines", "words"),
    [
        (("n", 64, 8, 8), (), "no axis has the one channel"),
        (("n", 64, 8, 8), ('layout = "nchw"',), "64 channels"),
        (("n", 3, 8, 3), (), 'layout = "nchw"'),
        (("n", "c", 8, 8), ('layout = "nchw"',), 'colour = "rgb"'),
        (("n", 3, "h", "w"), (), "size = [224]"),
        (("n", 3, 8, 8), ("size = [9]",), "label.size is 9 × 9, but the model takes 8 × 8"),
        (("n", 1, 8, 8), ('colour = "rgb"',), "label.colour is 'rgb'"),
        (("n", 1, 8, 8), ("mean = [1, 2, 3]",), "label.mean has 3 numbers"),
        ((4, 3, 8, 8), (), "4 photos at a time"),
        (("n", 64), (), "64 numbers in a row"),
        (("n", 64), ("size = [9]",), "has 81 in grey and 243 in colour"),
        (("n", 1, 1, 8, 8), (), "which is no photo"),
    ],
)
def test_an_input_that_cannot_be_read_is_told_with_what_to_do(recipe, shape, lines, words):
    model, _ = network(shape)
    with pytest.raises(TaskError) as error:
        with_photo_interface(model, recipe(*lines))
    assert words in str(error.value)
    assert str(error.value).startswith("digits")


def test_a_model_without_a_class_output_is_told_so(recipe):
    model, _ = network(("n", 3, HEIGHT, WIDTH), output=("n", 2, 2))
    with pytest.raises(TaskError, match=r"gives y: float32\[n, 2, 2\], but a label model gives"):
        with_photo_interface(model, recipe())
    model, _ = network(("n", 3, HEIGHT, WIDTH), kind=np.int64)
    with pytest.raises(TaskError, match=r"gives y: int64\[batch, 4\], but a label model gives"):
        with_photo_interface(model, recipe())


def test_labels_that_are_not_the_model_s_classes_are_counted(recipe):
    model, _ = network(("n", 3, HEIGHT, WIDTH))
    with pytest.raises(TaskError, match=r"tells 4 classes apart, but .*labels\.txt lists 9"):
        with_photo_interface(model, recipe(labels=9))


def test_labels_that_are_not_there_are_named(recipe, tmp_path):
    model, _ = network(("n", 3, HEIGHT, WIDTH))
    made = recipe()
    (tmp_path / "labels.txt").unlink()
    with pytest.raises(RecipeError, match=r"labels of digits can't be read: .*labels\.txt"):
        with_photo_interface(model, made)


def test_three_inputs_are_no_photo(recipe):
    model, _ = network(("n", 3, HEIGHT, WIDTH))
    for name in ("mask", "state"):
        model.graph.input.append(
            helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", 2])
        )
    with pytest.raises(TaskError, match=r"takes 3 inputs \(x: .*, mask: .*, state: .*\), but a"):
        with_photo_interface(model, recipe())


def test_weights_that_an_old_model_lists_among_its_inputs_are_no_inputs(recipe):
    model, _ = network(("n", 3, HEIGHT, WIDTH))
    model.graph.input.append(
        helper.make_tensor_value_info("weights", onnx.TensorProto.FLOAT, [90, CLASSES])
    )
    assert answer(with_photo_interface(model, recipe()), photos()).shape == (2, CLASSES)


def test_an_operator_set_too_old_is_told_with_the_way_on(recipe):
    model, _ = network(("n", 3, HEIGHT, WIDTH))
    model.opset_import[0].version = 11
    with pytest.raises(TaskError, match=r"opset 11; its task needs 13 or newer\. Convert it"):
        with_photo_interface(model, recipe())
