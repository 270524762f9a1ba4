"""ONNX graphs through step 1: checked, their batch made dynamic, and what can't be is told."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from satchel_models.convert import Original, convert, graphs
from satchel_models.convert.finishing import Draft, finish
from satchel_models.convert.numerics import Case
from satchel_models.errors import ConversionError, NumericsError, UnsupportedOperatorError
from satchel_models.tools import Installed

FLOAT = TensorProto.FLOAT


def value(name, *shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def constant(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def numbers(name, *shape, seed=0):
    return constant(name, np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def write(path, nodes, inputs, outputs, constants=(), *, opset=18, domains=(), functions=()):
    graph = helper.make_graph(list(nodes), "g", list(inputs), list(outputs), list(constants))
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(d, 1) for d in domains)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=8, functions=list(functions))
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.onnx"


@pytest.fixture
def step(tmp_path):
    def run(path, **options):
        said = []
        done = convert(
            Original(path, **options),
            tmp_path / "out",
            Installed(),
            lambda text, share: said.append((text, share)),
        )
        assert said[-1][1] == 1.0
        return done

    return run


def answer(file, **feeds):
    return onnxruntime.InferenceSession(file).run(None, feeds)


def perceptron(path, *shape, reshape=(), opset=18):
    """A graph [1, …] → [1, 3]; with `reshape`, through a reshape to it."""
    width = int(np.prod(shape[1:]))
    nodes = [helper.make_node("Reshape", ["x", "to"], ["flat"])] if reshape else []
    nodes.append(helper.make_node("MatMul", ["flat" if reshape else "x", "w"], ["y"]))
    constants = [numbers("w", width, 3)]
    if reshape:
        constants.append(constant("to", np.array(reshape, np.int64)))
    return write(path, nodes, [value("x", *shape)], [value("y", 1, 3)], constants, opset=opset)


def test_a_fixed_batch_of_one_becomes_dynamic(path, step):
    done = step(perceptron(path, 1, 8))
    (given,), (got,) = done.inputs, done.outputs
    assert (given.name, given.dtype, given.shape) == ("x", "float32", ("batch", 8))
    assert (got.name, got.shape) == ("y", ("batch", 3))
    assert done.examples == ((1, 8),)
    assert done.origin == "ONNX, opset 18"
    x = np.random.default_rng(5).standard_normal((4, 8)).astype(np.float32)
    right = [answer(path, x=row[None])[0][0] for row in x]
    np.testing.assert_allclose(answer(done.file, x=x)[0], right, rtol=1e-5)


@pytest.mark.parametrize("reshape", [(1, 8), (1, -1)])
def test_a_batch_of_one_in_a_reshape_is_loosened(reshape, path, step):
    done = step(perceptron(path, 1, 2, 4, reshape=reshape))
    assert done.inputs[0].shape == ("batch", 2, 4)
    assert answer(done.file, x=np.ones((3, 2, 4), np.float32))[0].shape == (3, 3)


def test_a_batch_that_the_graph_mixes_stays_one(path, step):
    # Softmax over the batch: rows of a batch of two would depend on each other.
    nodes = [helper.make_node("Softmax", ["x"], ["y"], axis=0)]
    done = step(write(path, nodes, [value("x", 1, 8)], [value("y", 1, 8)]))
    assert done.inputs[0].shape == (1, 8)
    assert any("fixed at 1" in note for note in done.notes)


def test_a_batch_that_is_only_called_dynamic_is_fixed(path, step):
    nodes = [helper.make_node("ReduceMean", ["x"], ["y"], keepdims=1)]
    done = step(write(path, nodes, [value("x", "N", 8)], [value("y", 1, 1)]))
    assert done.inputs[0].shape == (1, 8)
    assert any("called dynamic" in note for note in done.notes)


def test_several_inputs_of_any_shape_go_through(path, step):
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["rows"]),
        helper.make_node("Mul", ["rows", "scale"], ["scaled"]),
        helper.make_node("ReduceSum", ["scaled", "axes"], ["y"], keepdims=0),
    ]
    done = step(
        write(
            path,
            nodes,
            [value("ids", 1, 5, kind=TensorProto.INT64), value("scale", kind=FLOAT)],
            [value("y", 1, 6)],
            [numbers("table", 40, 6), constant("axes", np.array([1], np.int64))],
        )
    )
    assert [spec.shape for spec in done.inputs] == [("batch", 5), ()]
    assert done.inputs[0].dtype == "int64"
    assert done.examples == ((1, 5), ())


def test_axes_that_are_dynamic_already_keep_their_names(path, step):
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    x, y = value("x", "rows", "words", 4), value("y", "rows", "words", 2)
    done = step(write(path, nodes, [x], [y], [numbers("w", 4, 2)]))
    assert done.inputs[0].shape == (*done.outputs[0].shape[:2], 4) == ("rows", "words", 4)


def test_other_axes_become_dynamic_where_they_are_asked_for(path, step):
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("GlobalAveragePool", ["c"], ["p"]),
        helper.make_node("Flatten", ["p"], ["y"]),
    ]
    given = write(
        path, nodes, [value("x", 1, 3, 8, 8)], [value("y", 1, 5)], [numbers("w", 5, 3, 3, 3)]
    )
    done = step(given, dynamic={"x": (2, 3)})
    assert done.inputs[0].shape == ("batch", 3, "x_2", "x_3")
    assert answer(done.file, x=np.ones((2, 3, 12, 20), np.float32))[0].shape == (2, 5)
    with pytest.raises(ConversionError, match="no axis 7 of an input x"):
        step(given, dynamic={"x": (7,)})


def test_an_axis_that_cannot_be_dynamic_says_so(path, step):
    with pytest.raises(ConversionError, match=r"another size of what is to be dynamic \(x 1\)"):
        step(perceptron(path, 1, 8), dynamic={"x": (1,)})


def test_a_dynamic_axis_that_has_one_size_is_fixed(path, step):
    nodes = [
        helper.make_node("Shape", ["x"], ["sizes"]),
        helper.make_node("Gather", ["sizes", "last"], ["length"]),
        helper.make_node("Expand", ["one", "length"], ["ones"]),
        helper.make_node("Add", ["x", "ones"], ["y"]),
    ]
    constants = [constant("last", np.array([1])), constant("one", np.ones(1, np.float32))]
    inputs, outputs = [value("x", "batch", "samples")], [value("y", "batch", "samples")]
    write(path, nodes, inputs, outputs, constants)
    done = step(path, fixed={"samples": 576})
    assert (done.inputs[0].shape, done.outputs[0].shape) == (("batch", 576), ("batch", 576))
    assert done.examples == ((1, 576),)
    assert answer(done.file, x=np.zeros((2, 576), np.float32))[0].shape == (2, 576)


def test_a_batch_that_is_fixed_stays(path, step):
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    done = step(write(path, nodes, [value("x", "N", 8)], [value("y", "N", 8)]), fixed={"N": 1})
    assert (done.inputs[0].shape, done.outputs[0].shape) == ((1, 8), (1, 8))


def test_axes_of_which_nothing_is_known_are_not_alike(path, step):
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    write(path, nodes, [value("x", -1, 3, "?", "?")], [value("y", -1, 3, "?", "?")])
    done = step(path, fixed={"x_2": 48})
    assert done.inputs[0].shape == ("batch", 3, 48, "x_3")


def test_an_axis_that_cannot_be_fixed_says_which_can(path, step):
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    write(path, nodes, [value("x", "batch", "samples")], [value("y", "batch", "samples")])
    with pytest.raises(ConversionError, match="no dynamic axis time; it has batch, samples"):
        step(path, fixed={"time": 576})


def test_an_old_opset_is_raised(path, step):
    done = step(perceptron(path, 1, 8, opset=11))
    assert done.opset == 17
    assert "Opset 11 was raised to 17." in done.notes
    assert done.origin == "ONNX, opset 11"


def test_only_the_outputs_that_are_named_stay(path, step):
    nodes = [helper.make_node("Relu", ["x"], ["a"]), helper.make_node("Neg", ["x"], ["b"])]
    given = write(path, nodes, [value("x", 1, 4)], [value("a", 1, 4), value("b", 1, 4)])
    assert [spec.name for spec in step(given, outputs=("b",)).outputs] == ["b"]
    with pytest.raises(ConversionError, match="no output c; it has a, b"):
        step(given, outputs=("c",))


def branch(path, then):
    """y = `then`(x) where x's sum is positive, else -x."""
    out = value("r", None, 4)
    parts = [
        helper.make_graph([helper.make_node(kind, ["x"], ["r"])], kind, [], [out])
        for kind in (then, "Neg")
    ]
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["total"], keepdims=0),
        helper.make_node("Greater", ["total", "zero"], ["positive"]),
        helper.make_node("If", ["positive"], ["y"], then_branch=parts[0], else_branch=parts[1]),
    ]
    zero = [constant("zero", np.float32(0))]
    return write(path, nodes, [value("x", 1, 4)], [value("y", 1, 4)], zero)


def test_a_graph_with_control_flow_goes_through_and_the_report_says_so(path, step):
    done = step(branch(path, "Relu"))
    assert any("control flow (If ×1)" in note for note in done.notes)
    assert done.nodes == 5


def test_an_unknown_operator_inside_a_branch_is_named(path, step):
    with pytest.raises(UnsupportedOperatorError, match=r"opset 18 doesn't have: Wobble\."):
        step(branch(path, "Wobble"))


def test_custom_operators_are_named_with_the_way_out(path, step):
    nodes = [helper.make_node("Sparkle", ["x"], ["y"], domain="com.example")]
    given = write(path, nodes, [value("x", 1, 4)], [value("y", 1, 4)], domains=["com.example"])
    with pytest.raises(
        UnsupportedOperatorError, match=r"com\.example\.Sparkle.*standard operators"
    ):
        step(given)


def test_functions_that_the_file_defines_are_no_custom_operators(path, step):
    body = [helper.make_node("Relu", ["a"], ["b"])]
    mine = helper.make_function("mine", "Twice", ["a"], ["b"], body, [helper.make_opsetid("", 18)])
    nodes = [helper.make_node("Twice", ["x"], ["y"], domain="mine")]
    given = write(
        path, nodes, [value("x", 1, 4)], [value("y", 1, 4)], domains=["mine"], functions=[mine]
    )
    assert step(given).inputs[0].shape == ("batch", 4)


def test_an_operator_without_an_implementation_is_named(path, step):
    # The standard has it for float64; ONNX Runtime has no such kernel.
    kind = TensorProto.DOUBLE
    weights = constant("w", np.ones((1, 1, 3, 3)))
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"])]
    given = write(
        path,
        nodes,
        [value("x", 1, 1, 4, 4, kind=kind)],
        [value("y", 1, 1, 2, 2, kind=kind)],
        [weights],
    )
    with pytest.raises(UnsupportedOperatorError, match="Conv"):
        step(given)


def test_an_invalid_graph_says_what_the_checker_says(path, step):
    nodes = [helper.make_node("Relu", ["nowhere"], ["y"])]
    given = write(path, nodes, [value("x", 1, 4)], [value("y", 1, 4)])
    with pytest.raises(ConversionError, match="nowhere"):
        step(given)


def test_weights_in_a_missing_file_are_named(path, step):
    perceptron(path, 1, 800)
    model = onnx.load(path)
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert step(path).inputs[0].shape == ("batch", 800)
    (path.parent / "weights.bin").unlink()
    with pytest.raises(ConversionError, match=r"weights\.bin.*Put it beside the graph"):
        step(path)


def test_weights_too_large_for_one_file_go_beside_the_graph(path, step, monkeypatch):
    monkeypatch.setattr(graphs, "LARGE", 1000)
    done = step(perceptron(path, 1, 800))
    beside = done.file.with_name("converted.onnx.data")
    assert beside.stat().st_size >= 800 * 3 * 4
    assert done.file.stat().st_size < 1000
    x = np.ones((2, 800), np.float32)
    np.testing.assert_allclose(answer(done.file, x=x)[0], answer(path, x=x[:1])[0].repeat(2, 0))


def test_outputs_that_are_no_tensors_are_refused(path, step):
    nodes = [helper.make_node("SequenceConstruct", ["x"], ["y"])]
    out = helper.make_tensor_sequence_value_info("y", FLOAT, None)
    with pytest.raises(ConversionError, match="y is a sequence, no tensor"):
        step(write(path, nodes, [value("x", 1, 4)], [out]))


def test_texts_and_types_that_browsers_lack_are_refused(path, step):
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    for kind, name in ((TensorProto.STRING, "string"), (TensorProto.BFLOAT16, "bfloat16")):
        values = value("x", 1, 4, kind=kind), value("y", 1, 4, kind=kind)
        with pytest.raises(ConversionError, match=f"x is of type {name}"):
            step(write(path, nodes, values[:1], values[1:]))


def test_a_graph_that_answers_otherwise_than_its_original_is_refused_with_figures(path, tmp_path):
    perceptron(path, 1, 8)
    x = np.ones((1, 8), np.float32)
    right = answer(path, x=x)
    cases = [Case({"x": x}, right), Case({"x": -x}, [-right[0]])]
    assert finish(Draft(path, "", tuple(cases)), Original(path), tmp_path).error < 1e-6
    cases[1] = Case({"x": -x}, [-1.01 * right[0]])
    with pytest.raises(NumericsError, match=r"differs by \d.* whose largest value is"):
        finish(Draft(path, "", tuple(cases)), Original(path), tmp_path)
    cases[1] = Case({"x": -x}, [-right[0][:, :2]])
    with pytest.raises(NumericsError, match=r"the shape is \(1, 3\), the original's is \(1, 2\)"):
        finish(Draft(path, "", tuple(cases)), Original(path), tmp_path)


def test_sizes_that_no_guess_meets_are_asked_for(path, step):
    nodes = [helper.make_node("Reshape", ["x", "to"], ["y"])]
    to = constant("to", np.array([-1, 37], np.int64))
    given = write(path, nodes, [value("x", "n", "m")], [value("y", None, 37)], [to])
    with pytest.raises(ConversionError, match="Give example sizes: --input"):
        step(given)
    done = step(given, inputs={"x": ((1, 74), "float32")})
    assert done.examples == ((1, 74),)
    with pytest.raises(ConversionError, match="no input z; it has x"):
        step(given, inputs={"z": ((1, 74), "float32")})
    with pytest.raises(ConversionError, match=r"input x is float32 \[n, m\], not int64"):
        step(given, inputs={"x": ((1, 74), "int64")})


def test_what_ends_a_conversion_leaves_nothing_behind(path, tmp_path):
    class EndedError(Exception):
        pass

    def progress(text, share):
        if "Writing" in text:
            raise EndedError

    with pytest.raises(EndedError):
        convert(Original(perceptron(path, 1, 8)), tmp_path / "out", Installed(), progress)
    assert list((tmp_path / "out").iterdir()) == []


def test_the_same_graph_gives_the_same_bytes(path, step):
    perceptron(path, 1, 8, reshape=(1, 8), opset=13)
    assert step(path).file.read_bytes() == step(path).file.read_bytes()
