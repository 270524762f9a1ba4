"""What a release carries: chunks that survive a change, a golden set that tells a wrong file."""

import hashlib
import itertools
import shutil

import numpy as np
import onnx
import pytest
import two_engines
from onnx import numpy_helper

from builder.bench import finetuned
from builder.errors import BuildError, InputMissingError
from builder.paths import ROOT
from builder.release import artefact
from builder.release.session import Session
from satchel.chunks import decode
from satchel.golden import decode as decode_golden
from satchel_models import chunking

RECIPE = ROOT / "models/efficientnet-lite0/recipe.toml"
NAME = "int8-float16-weights"


@pytest.fixture(scope="module")
def made():
    return artefact.make(RECIPE, only=NAME)


@pytest.fixture(scope="module")
def fine_tuned(tmp_path_factory):
    """The label model with another head, and how many bytes of its tensors differ."""
    content, differ = finetuned.with_another_head(RECIPE.with_name("model.onnx"))
    path = tmp_path_factory.mktemp("tuned") / "model.onnx"
    path.write_bytes(content)
    return path, differ


def only(made):
    (variant,) = made.release.variants("browser")
    return variant


def test_every_blob_that_a_release_names_comes_with_it_and_no_other(made):
    variant = only(made)
    named = {*variant.references(), variant.chunks, variant.golden}
    assert {(one.sha256, one.size) for one in named} == {
        (digest, len(content)) for digest, content in made.blobs.items()
    }
    for digest, content in made.blobs.items():
        assert hashlib.sha256(content).hexdigest() == digest


def test_a_release_is_the_same_bytes_each_time(made):
    assert artefact.make(RECIPE, only=NAME) == made


def test_the_chunk_index_is_that_of_the_blob(made):
    variant = only(made)
    content = made.blobs[variant.blob.sha256]
    index = decode(made.blobs[variant.chunks.sha256], variant.blob.size)
    for chunk in index:
        part = content[chunk.start : chunk.start + chunk.size]
        assert hashlib.sha256(part).hexdigest() == chunk.sha256
        assert chunk.size <= chunking.LARGEST
    assert all(chunk.size >= chunking.SMALLEST for chunk in index[:-1])
    average = variant.blob.size / len(index)
    assert 64 << 10 <= average <= 256 << 10


def test_another_head_needs_little_more_than_its_own_bytes(made, fine_tuned):
    path, differ = fine_tuned
    known = {chunk.sha256 for chunk in chunking.cut(made.blobs[only(made).blob.sha256])}
    missing = [chunk for chunk in chunking.cut(path.read_bytes()) if chunk.sha256 not in known]
    fetched = sum(chunk.size for chunk in missing)
    assert differ <= fetched <= 1.1 * differ
    # One run of chunks, so one request.
    assert all(
        before.start + before.size == after.start for before, after in itertools.pairwise(missing)
    )


def test_bytes_put_in_move_no_border_that_comes_after():
    generator = np.random.default_rng(1)
    data = generator.bytes(2_000_000)
    known = {chunk.sha256 for chunk in chunking.cut(data)}
    changed = chunking.cut(data[:500_000] + b"a few bytes more" + data[500_000:])
    missing = sum(chunk.size for chunk in changed if chunk.sha256 not in known)
    assert missing <= 2 * chunking.LARGEST


def test_another_file_is_released_under_the_recipe_s_settings_without_its_figures(made, fine_tuned):
    path, _ = fine_tuned
    variant, own = only(artefact.make(RECIPE, files=(path,))), only(made)
    assert variant.blob.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (variant.session, variant.files) == (own.session, own.files)
    assert own.accuracy == {"top1": 0.862}
    assert variant.accuracy is None


def test_the_recipe_s_own_file_given_as_a_file_is_the_same_release(made):
    assert artefact.make(RECIPE, files=(RECIPE.with_name("model.onnx"),)) == made


def test_the_golden_set_knows_the_model_from_another(made, fine_tuned):
    path, _ = fine_tuned
    golden = decode_golden(made.blobs[only(made).golden.sha256])
    other = artefact.make(RECIPE, files=(path,))
    answers = decode_golden(other.blobs[only(other).golden.sha256])
    assert [list(case.inputs["image"].shape) for case in golden.cases] == [
        [2, 224, 224, 3],
        [1, 160, 192, 3],
    ]
    assert golden.problem(0, golden.cases[0].outputs) is None
    shuffled = {"probabilities": np.roll(golden.cases[0].outputs["probabilities"], 1, axis=1)}
    assert "cosine" in golden.problem(0, shuffled)
    assert answers.problem(0, answers.cases[0].outputs) is None


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "cut.onnx").write_bytes(RECIPE.with_name("model.onnx").read_bytes()[:100_000])
    with pytest.raises(BuildError, match="no model that ONNX Runtime loads"):
        artefact.make(RECIPE, files=(tmp_path / "cut.onnx",))


def test_a_model_of_another_shape_is_refused_and_both_sides_are_shown(tmp_path):
    model = onnx.load(RECIPE.with_name("model.onnx"))
    model.graph.output[0].name = "scores"
    for node in model.graph.node:
        node.output[:] = ["scores" if name == "probabilities" else name for name in node.output]
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(BuildError, match=r"scores: .*; the page's task needs .*probabilities: "):
        artefact.make(RECIPE, files=(tmp_path / "other.onnx",))


def test_a_model_whose_answers_are_not_finite_is_refused(tmp_path):
    model = onnx.load(RECIPE.with_name("model.onnx"))
    for tensor in model.graph.initializer:
        if tensor.name == "_fc.bias":
            nothing = np.full(tensor.dims, np.nan, np.float32)
            tensor.CopyFrom(numpy_helper.from_array(nothing, tensor.name))
    onnx.save(model, tmp_path / "nan.onnx")
    with pytest.raises(BuildError, match=r"isn't fit for a release: .* not finite"):
        artefact.make(RECIPE, files=(tmp_path / "nan.onnx",))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputMissingError, match=r"none\.onnx can't be read"):
        artefact.make(RECIPE, files=(tmp_path / "none.onnx",))


def with_variants(text: str, *names: str, before: str = "") -> str:
    """A recipe with its variant for ONNX Runtime alone, once under each name, after others."""
    start, *blocks = text.split("[[variants]]\n")
    last, files, end = blocks[-1].partition("[files]")
    (own,) = [block for block in (*blocks[:-1], last) if f'name = "{NAME}"' in block]
    own = own.partition("\n# The same weights")[0] + "\n"
    blocks = ["[[variants]]\n" + own.replace(NAME, name) for name in names]
    return start + before + "".join(blocks) + files + end


def test_which_variant_a_file_stands_for_must_be_clear(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(RECIPE.parent, folder)
    recipe = folder / "recipe.toml"
    recipe.write_text(with_variants(recipe.read_text("utf-8"), NAME, "second"), "utf-8")
    with pytest.raises(
        BuildError, match="variants int8-float16-weights, second; say in the site's file"
    ):
        artefact.make(recipe, files=(folder / "model.onnx",))
    made = artefact.make(recipe, only="second", files=(folder / "model.onnx",))
    assert [one.name for one in made.release.variants("browser")] == ["second"]


TWO = """[[variants]]
name = "fast"
engine = "litert"
file = "model.tflite"
resolutions = [8]
needs = ["relaxed-simd"]
accuracy = { top1 = 0.85 }
latency_ms = 14
cpu_seconds = 0.02
session = { graph_optimization_level = "all" }

"""


@pytest.fixture
def two_engines_recipe(tmp_path):
    """The label recipe with a tiny variant for LiteRT and the one for ONNX Runtime."""
    folder = tmp_path / "model"
    shutil.copytree(RECIPE.parent, folder)
    recipe = folder / "recipe.toml"
    recipe.write_text(with_variants(recipe.read_text("utf-8"), NAME, before=TWO), "utf-8")
    (folder / "model.tflite").write_bytes(two_engines.tflite(strength=50))
    return recipe


def test_a_variant_of_another_engine_is_released_with_its_needs_figures_and_own_answers(
    two_engines_recipe,
):
    made = artefact.make(two_engines_recipe)
    fast, plain = made.release.variants("browser")
    assert (fast.engine, fast.needs, fast.resolutions) == ("litert", ("relaxed-simd",), (8,))
    assert (fast.accuracy, fast.latency_ms, fast.cpu_seconds) == ({"top1": 0.85}, 14, 0.02)
    assert (plain.engine, plain.needs) == ("onnxruntime", ())
    golden = decode_golden(made.blobs[fast.golden.sha256])
    assert [case.inputs["image"].shape for case in golden.cases] == [(1, 8, 8, 3)] * 2
    answers = Session(two_engines.tflite(strength=50), fast, "it").run(golden.cases[0].inputs)
    assert golden.problem(0, answers) is None
    other = Session(two_engines.tflite(strength=-50), fast, "it").run(golden.cases[0].inputs)
    assert golden.problem(0, other) is not None


def test_given_files_stand_for_the_variants_of_their_engines(two_engines_recipe, tmp_path):
    lite, plain = tmp_path / "tuned.tflite", two_engines_recipe.with_name("model.onnx")
    lite.write_bytes(two_engines.tflite(strength=2))
    one = artefact.make(two_engines_recipe, files=(lite,)).release.variants("browser")
    assert [(variant.name, variant.accuracy) for variant in one] == [("fast", None)]
    both = artefact.make(two_engines_recipe, files=(plain, lite)).release.variants("browser")
    assert [variant.name for variant in both] == ["fast", NAME]
    with pytest.raises(BuildError, match="for LiteRT, and efficientnet-lite0 has no variant"):
        artefact.make(two_engines_recipe, only=NAME, files=(lite,))


def test_a_need_that_no_device_tells_of_is_refused(two_engines_recipe):
    text = two_engines_recipe.read_text("utf-8").replace("relaxed-simd", "levitation")
    two_engines_recipe.write_text(text, "utf-8")
    with pytest.raises(BuildError, match=r"variants\.needs must be among relaxed-simd, threads"):
        artefact.make(two_engines_recipe)
