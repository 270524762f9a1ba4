"""Candidates load, run and stay near the original; what can't be made is said, never fatal."""

from dataclasses import replace

import networks
import numpy as np
import onnx
import pytest
from onnx import helper

from satchel_models import files, native
from satchel_models import graph as graphs
from satchel_models.passes import optimise
from satchel_models.quantisation import Material, plan, quantise, trial
from satchel_models.quantisation.family import family
from satchel_models.quantisation.material import sample
from satchel_models.quantisation.plan import Method
from satchel_models.quantisation.sensitivity import loss
from satchel_models.steps import Quantised, Spec

NETWORKS = {
    "convolutional": (networks.convolutional, networks.images),
    "transformer": (networks.transformer, networks.texts),
    "recurrent": (networks.recurrent, networks.frames),
}
LEVELS = ("fast", "balanced", "aggressive")


def quantised(folder, model, feeds, level="balanced", **material) -> Quantised:
    given = networks.converted(model, folder)
    graph = optimise(given, folder, "balanced", feeds, networks.silent)
    ready = Material(feeds, **{"generated": False, **material})
    return quantise(graph, given, folder, level, ready, networks.silent)


def answers(candidate, feeds):
    session = native.loaded(candidate.name, candidate.file.read_bytes(), candidate.session)
    return native.answers(candidate.name, session, feeds)


@pytest.fixture(scope="module")
def everything(tmp_path_factory) -> dict[str, Quantised]:
    """All candidates of all networks."""
    made = {}
    for name, (model, feeds) in NETWORKS.items():
        folder = tmp_path_factory.mktemp(name)
        made[name] = quantised(folder, model(), feeds(), "aggressive")
    return made


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_known_by_what_it_holds(everything, name):
    assert everything[name].family == name


def test_a_network_of_products_alone_is_no_transformer():
    w = networks.Weights()
    nodes = [
        helper.make_node("MatMul", ["x", w("a", 16, 32)], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", w("b", 32, 4)], ["y"]),
    ]
    assert family(networks.model(nodes, {"x": ["n", 16]}, {"y": ["n", 4]}, w)) == "other"


@pytest.mark.parametrize("name", NETWORKS)
def test_float32_comes_first_and_all_others_are_smaller(everything, name):
    first, *others = everything[name].candidates
    assert first.name == "float32"
    assert len(others) >= 5
    assert all(candidate.size < first.size for candidate in others)
    for candidate in (first, *others):
        assert candidate.size == candidate.file.stat().st_size
    assert len({candidate.name for candidate in (first, *others)}) == len(others) + 1


# Mean squared difference of outputs, relative; some 3 times of what was seen.
LOSSES = {
    "float16-weights": 1e-6,
    "int8-weights": 5e-4,
    "int8-float16-weights": 5e-4,
    "int8-sensitive-weights": 5e-4,
    "int8-dynamic": 5e-3,
    "int8-dynamic-float16": 5e-3,
    "int8-dynamic-conv": 5e-3,
    "int8-static-minmax": 2e-2,
    "int8-static-entropy": 5e-2,
    "int8-static-percentile": 2e-2,
    "int4-weights": 5e-2,
    "int4-weights-fine": 5e-2,
}


@pytest.mark.parametrize("name", NETWORKS)
def test_candidates_answer_nearly_as_the_original_does(everything, name):
    feeds = NETWORKS[name][1](count=6, seed=40)
    first, *others = everything[name].candidates
    right = answers(first, feeds)
    for candidate in others:
        assert 0 < loss(right, answers(candidate, feeds)) < LOSSES[candidate.name], candidate.name


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_not_made_has_a_reason(everything, name):
    for rejected in everything[name].rejected:
        assert rejected.reason[0].isupper()
        assert rejected.reason.endswith(".")


@pytest.mark.parametrize("kind", ["convolutional", "transformer", "recurrent", "other"])
def test_each_level_tries_more(kind):
    names = [[method.name for method in plan.planned(kind, level)] for level in LEVELS]
    assert set(names[0]) < set(names[1]) < set(names[2])


def test_weights_are_stored_small_not_computed_with(everything):
    by_name = {c.name: c for c in everything["convolutional"].candidates}
    kinds = {n.op_type for n in onnx.load(by_name["int8-weights"].file).graph.node}
    assert {"DequantizeLinear", "FusedConv"} <= kinds
    assert by_name["int8-weights"].session.graph_optimization_level == "basic"
    assert by_name["int8-weights"].session.config == {"session.disable_quant_qdq": "1"}
    assert by_name["float32"].session.graph_optimization_level == "disabled"


def test_whole_number_products_are_in_the_candidates_that_promise_them(everything):
    found = {
        (name, c.name): {n.op_type for n in onnx.load(c.file).graph.node}
        for name, result in everything.items()
        for c in result.candidates
    }
    assert "DynamicQuantizeMatMul" in found["transformer", "int8-dynamic"]
    assert "DynamicQuantizeLSTM" in found["recurrent", "int8-dynamic"]
    assert "ConvInteger" in found["convolutional", "int8-dynamic-conv"]
    assert "ConvInteger" not in found["convolutional", "int8-dynamic"]
    assert "QLinearConv" in found["convolutional", "int8-static-minmax"]
    assert "MatMulNBits" in found["transformer", "int4-weights"]


def test_a_table_of_words_stays_small_in_memory_too(everything):
    by_name = {c.name: c for c in everything["transformer"].candidates}
    for name, kind in (("int8-dynamic", np.int8), ("int8-dynamic-float16", np.float16)):
        model = onnx.load(by_name[name].file)
        tensors = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
        table = next(
            tensors[n.input[0]]
            for n in model.graph.node
            if n.op_type == "Gather" and n.input[0] in tensors
        )
        assert table.dtype == kind
        assert table.shape == (networks.WORDS, networks.WIDTH)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_most_sensitive_weights_come_first(everything, name):
    losses = [item.loss for item in everything[name].sensitivities]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > 0
    assert all(item.weights >= 256 for item in everything[name].sensitivities)


def test_a_weight_that_int8_ruins_is_kept(tmp_path):
    # One channel of the first layer decides all, and int8 by tensor-wide outliers spoils it.
    w = networks.Weights()
    spoiled = w.generator.normal(0, 0.01, (16, 32)).astype(np.float32)
    spoiled[0] *= 1000
    nodes = [
        helper.make_node("MatMul", ["x", w.fixed("spoiled", spoiled)], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", w("robust", 32, 1200)], ["y"]),
    ]
    model = networks.model(nodes, {"x": ["n", 16]}, {"y": ["n", 1200]}, w)
    x = w.generator.normal(0, 1, (1, 16)).astype(np.float32)
    x[0, 0] = 0  # what the outliers are for never comes
    result = quantised(tmp_path, model, [{"x": x}])
    assert [item.tensor for item in result.sensitivities if item.kept] == ["spoiled"]
    assert result.sensitivities[0].tensor == "spoiled"


def test_the_same_model_gives_the_same_bytes(tmp_path):
    made = [
        quantised(tmp_path / str(k), networks.convolutional(), networks.images()) for k in range(2)
    ]
    contents = [[c.file.read_bytes() for c in result.candidates] for result in made]
    assert contents[0] == contents[1]


def test_a_candidate_that_fails_is_rejected_with_its_reason(tmp_path, monkeypatch):
    def failing(shop):
        raise ValueError("no such luck")

    monkeypatch.setitem(
        plan._FAST, "convolutional", (Method("bad", "", failing), *plan._FAST["convolutional"])
    )
    result = quantised(tmp_path, networks.convolutional(), networks.images(), "fast")
    assert result.rejected[0].name == "bad"
    assert "no such luck" in result.rejected[0].reason
    assert len(result.candidates) > 1


def test_a_candidate_with_values_that_are_not_finite_is_rejected(tmp_path, monkeypatch):
    def broken(shop):
        made = plan.methods.float16_weights(shop)
        for tensor in made.model.graph.initializer:
            if tensor.data_type == onnx.TensorProto.FLOAT16:
                values = np.full(tensor.dims, np.inf, np.float16)
                tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
        return made

    monkeypatch.setitem(plan._FAST, "convolutional", (Method("bad", "", broken),))
    result = quantised(tmp_path, networks.convolutional(), networks.images(), "fast")
    assert [c.name for c in result.candidates] == ["float32"]
    assert "not finite" in result.rejected[0].reason


def test_smaller_inputs_are_offered_with_the_same_file(tmp_path):
    result = quantised(
        tmp_path, networks.convolutional(), networks.images(), ladder=(8, 6), resize=cropped
    )
    rungs = [c for c in result.candidates if c.resolution]
    assert [c.resolution for c in rungs] == [8, 6]
    base = next(c for c in result.candidates if c.name == rungs[0].name.split("@")[0])
    assert {c.file for c in rungs} == {base.file}
    assert answers(rungs[0], [cropped(networks.images()[0], 8)])[0][0].shape == (1, 150)


def test_a_fixed_size_is_freed_where_the_graph_bears_it(tmp_path):
    model = networks.convolutional(side=12)
    result = quantised(tmp_path, model, networks.images(), ladder=(8,), resize=cropped)
    (rung,) = [c for c in result.candidates if c.resolution]
    assert rung.file.name.endswith("@any.onnx")
    assert answers(rung, [cropped(networks.images()[0], 8)])[0][0].shape == (1, 150)


def test_a_graph_that_does_not_bear_smaller_inputs_says_so(tmp_path):
    w = networks.Weights()
    nodes = [
        helper.make_node("Conv", ["image", w("c", 8, 3, 4, 4)], ["m"], strides=[4, 4]),
        helper.make_node("Flatten", ["m"], ["f"]),
        helper.make_node("Gemm", ["f", w("g", 72, 4)], ["y"]),
    ]
    model = networks.model(nodes, {"image": ["batch", 3, 12, 12]}, {"y": ["batch", 4]}, w)
    result = quantised(tmp_path, model, networks.images(), ladder=(8,), resize=cropped)
    assert not [c for c in result.candidates if c.resolution]
    assert "No smaller inputs" in next(r.reason for r in result.rejected if "@8" in r.name)


def test_generated_inputs_are_noted_where_they_calibrate(tmp_path):
    model, feeds = networks.convolutional(), networks.images()
    result = quantised(tmp_path, model, feeds, generated=True)
    assert "generated" in result.notes[0]
    for candidate in result.candidates:
        assert bool(candidate.notes) == (candidate.calibration > 0)


def test_candidates_are_tried_with_two_in_a_batch_wherever_the_batch_is(tmp_path):
    given = networks.converted(networks.recurrent(), tmp_path)
    state = Spec("state", "float32", (2, "batch", 3))
    inputs = (Spec("image", "float32", ("batch", 3, 8, 8)), state, Spec("rate", "int64", ()))
    feeds = {
        "image": np.zeros((1, 3, 8, 8), np.float32),
        "state": np.zeros((2, 1, 3), np.float32),
        "rate": np.array(16000),
    }
    pair = trial.doubled(replace(given, inputs=inputs), feeds)
    assert {name: value.shape for name, value in pair.items()} == {
        "image": (2, 3, 8, 8),
        "state": (2, 2, 3),
        "rate": (),
    }
    assert trial.doubled(replace(given, inputs=inputs[2:]), feeds) is None


def test_samples_are_the_same_for_the_same_seed():
    feeds = networks.images(count=20)
    first, again = (sample(Material(feeds, generated=False, seed=3), 5) for _ in range(2))
    other = sample(Material(feeds, generated=False, seed=4), 5)
    assert all(a is b for a, b in zip(first, again, strict=True))
    assert any(a is not b for a, b in zip(first, other, strict=True))
    assert len(sample(Material(feeds, generated=False), 50)) == 20


def test_an_interruption_leaves_no_half_written_file(tmp_path, monkeypatch):
    target = tmp_path / "model.onnx"
    files.write_whole(target, b"before")

    def interrupted(self, other):
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        files.write_whole(target, b"after")
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


def cropped(feeds, side):
    return {"image": feeds["image"][:, :, :side, :side]}


def test_int8_needs_an_opset_that_knows_channels(tmp_path):
    given = networks.converted(networks.convolutional(opset=11), tmp_path)
    graph = optimise(given, tmp_path, "fast", networks.images(), networks.silent)
    old = graphs.canonical(networks.convolutional(opset=11))
    (tmp_path / "old.onnx").write_bytes(old.SerializeToString())
    stuck = replace(graph, file=tmp_path / "old.onnx", plain=None)
    ready = Material(networks.images(), generated=False)
    result = quantise(stuck, given, tmp_path, "fast", ready, networks.silent)
    assert any("opset 13" in rejected.reason for rejected in result.rejected)


def test_progress_names_each_candidate_and_never_goes_back(tmp_path):
    given = networks.converted(networks.convolutional(), tmp_path)
    graph = optimise(given, tmp_path, "fast", networks.images(), networks.silent)
    told: list[tuple[str, float | None]] = []
    ready = Material(networks.images(), generated=False)
    quantise(graph, given, tmp_path, "balanced", ready, lambda *what: told.append(what))
    names, shares = zip(*told, strict=True)
    assert {method.name for method in plan.planned("convolutional", "balanced")} <= set(names)
    assert list(shares) == sorted(shares)
    assert shares[-1] == 1
