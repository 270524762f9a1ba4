"""Data as developers have it, and every way in which it can be wrong."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from satchel_models import data
from satchel_models.data import arrays, dataset, images, resizing, texts
from satchel_models.data.scoring import Likeness
from satchel_models.errors import DataError, ModelError
from satchel_models.steps import Converted, Spec

PARTS = ("calibrate", "select", "report")

PHOTO = Spec("image", "float32", ("batch", 3, "height", "width"))
BYTES = Spec("image", "uint8", ("batch", 32, 32, 3))
SCORES = Spec("scores", "float32", ("batch", 10))


def model(*inputs, examples, file=None, outputs=(SCORES,)):
    return Converted(file, "ONNX", tuple(inputs), outputs, 18, 1, tuple(examples))


def photos(folder, count=20, size=(40, 36)):
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for number in range(count):
        pixels = random.integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
    return folder


def labelled(folder, count=20, classes=10, **options):
    photos(folder, count, **options)
    rows = "".join(f"{n:02}.png,{n % classes}\n" for n in range(count))
    (folder / "labels.csv").write_text("file,class_index\n" + rows)
    return folder


@pytest.fixture
def bytes_model():
    return model(BYTES, examples=[(1, 32, 32, 3)])


def test_parts_share_no_sample_and_leave_none_out(tmp_path, bytes_model):
    found = data.load(labelled(tmp_path / "d", 40), bytes_model)
    names = [set(found.part(part).names) for part in PARTS]
    assert sum(map(len, names)) == len(set.union(*names)) == 40
    assert [len(each) for each in names] == [8, 12, 20]


def test_a_copy_lands_in_the_part_of_what_it_copies(tmp_path, bytes_model):
    folder = photos(tmp_path / "d", 30)
    for number in range(30):
        (folder / f"copy{number}.png").write_bytes((folder / f"{number:02}.png").read_bytes())
    found = data.load(folder, bytes_model)
    for part in PARTS:
        names = set(found.part(part).names)
        assert {f"copy{int(n[:2])}.png" for n in names if n[0].isdigit()} == {
            n for n in names if n.startswith("copy")
        }


def test_parts_stay_when_the_folder_is_elsewhere_and_files_have_other_names(tmp_path, bytes_model):
    first = data.load(photos(tmp_path / "a"), bytes_model)
    for path in sorted(photos(tmp_path / "b").iterdir()):
        path.rename(path.with_name(f"x{path.name}"))
    second = data.load(tmp_path / "b", bytes_model)
    for part in PARTS:
        assert [f"x{name}" for name in first.part(part).names] == list(second.part(part).names)


def test_calibration_given_apart_is_all_that_calibrates(tmp_path, bytes_model):
    folder = photos(tmp_path / "d", 20)
    apart = tmp_path / "c"
    apart.mkdir()
    for number in range(5):  # some of them are in the data too
        (apart / f"c{number}.png").write_bytes((folder / f"{number:02}.png").read_bytes())
    found = data.load(folder, bytes_model, calibration=apart)
    assert len(found.part("calibrate").samples) == 5
    digests = {part: {s.digest for s in found.part(part).samples} for part in PARTS}
    assert not digests["calibrate"] & (digests["select"] | digests["report"])
    assert len(digests["select"]) + len(digests["report"]) == 15


def test_too_little_data_is_an_error_and_little_a_warning(tmp_path, bytes_model):
    with pytest.raises(DataError, match="2 different samples"):
        data.load(photos(tmp_path / "a", 2), bytes_model)
    found = data.load(photos(tmp_path / "b", 3), bytes_model)
    assert [len(found.part(part).samples) for part in PARTS] == [1, 1, 1]
    assert any("Only 1 samples" in line for line in found.warnings)


def test_photos_come_as_the_model_takes_them(tmp_path):
    folder = photos(tmp_path / "d", 5, size=(256, 256))
    pixels = np.asarray(Image.open(folder / "00.png"))[16:240, 16:240]
    wide = Spec("image", "uint8", ("batch", "height", "width", 3))
    fits = images.layout([wide], [(1, 224, 224, 3)], folder)
    (bare,) = images.prepared(folder / "00.png", fits, data.Preprocessing()).values()
    np.testing.assert_array_equal(bare, pixels[None])
    fits = images.layout([PHOTO], [(1, 3, 224, 224)], folder)
    how = data.Preprocessing(mean=(127.0,), scale=(128.0,))
    (scaled,) = images.prepared(folder / "00.png", fits, how).values()
    assert (scaled.dtype, scaled.shape) == (np.float32, (1, 3, 224, 224))
    expected = (pixels.astype(np.float32) - 127) / 128
    np.testing.assert_allclose(scaled[0], expected.transpose(2, 0, 1), atol=1e-6)


def test_sides_channels_and_normalisation_follow_the_input(tmp_path):
    folder = photos(tmp_path / "d", 5)
    grey = Spec("x", "float32", ("batch", 1, 24, 16))
    found = data.load(folder, model(grey, examples=[(1, 1, 24, 16)]))
    values = found.part("report").feeds[0]["x"]
    assert values.shape == (1, 1, 24, 16)
    assert 0 <= values.min() < values.max() <= 1
    assert list(found.timing) == ["16×24"]
    assert any("0 … 1" in line for line in found.warnings)


def test_what_is_assumed_about_photos_is_said_unless_somebody_says_it(tmp_path, bytes_model):
    folder = photos(tmp_path / "d", 5)
    floats = model(PHOTO, examples=[(1, 3, 32, 32)])
    said = data.Preprocessing(resize=36, mean=(127.0,), scale=(128.0,))
    assumed = [line for line in data.load(folder, floats).warnings if "assumed" in line]
    assert len(assumed) == 1
    assert "ImageNet's mean" in assumed[0]
    for how, of in ((said, floats), (data.Preprocessing(36), bytes_model)):
        lines = data.load(folder, of, preprocessing=how).warnings
        assert not [line for line in lines if "assumed" in line]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda d: (d / "labels.csv").write_text("file,class_index\n00.png,10\n"), r"0 … 9"),
        (lambda d: (d / "labels.csv").write_text("file,class_index\n00.png,-1\n"), "class -1"),
        (lambda d: (d / "labels.csv").write_text("name,class_index\n00.png,1\n"), "columns file"),
        (lambda d: (d / "00.png").unlink(), "00.png cannot be read"),
        (lambda d: [path.unlink() for path in d.iterdir()], "no images"),
    ],
)
def test_a_spoilt_folder_is_one_clear_sentence(tmp_path, bytes_model, spoil, said):
    folder = labelled(tmp_path / "d")
    spoil(folder)
    with pytest.raises(ModelError, match=said):
        data.load(folder, bytes_model)


def test_a_damaged_photo_is_named(tmp_path, bytes_model):
    folder = photos(tmp_path / "d", 3)
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(DataError, match=r"\d\d.png is no image that can be opened"):
        list(data.load(folder, bytes_model).part("report").feeds)


def test_data_that_is_not_there_or_for_another_kind_of_model_says_so(tmp_path, bytes_model):
    with pytest.raises(DataError, match="There is no"):
        data.load(tmp_path / "none", bytes_model)
    with pytest.raises(DataError, match="There is no"):
        data.load(photos(tmp_path / "d"), bytes_model, calibration=tmp_path / "none")
    (tmp_path / "a.bin").write_bytes(b"?")
    with pytest.raises(DataError, match="neither a folder"):
        data.load(tmp_path / "a.bin", bytes_model)
    ids = Spec("input_ids", "int64", ("batch", "tokens"))
    with pytest.raises(DataError, match="doesn't take one image"):
        data.load(tmp_path / "d", model(ids, examples=[(1, 16)]))
    (tmp_path / "t.csv").write_text("a text\n")
    with pytest.raises(DataError, match="doesn't take token ids"):
        data.load(tmp_path / "t.csv", bytes_model)


def test_arrays_come_row_by_row_with_their_labels(tmp_path):
    x = np.random.default_rng(0).normal(size=(10, 4))
    y = np.arange(20).reshape(10, 2)
    np.savez(tmp_path / "d.npz", x=x, y=y, labels=np.arange(10) % 3)
    inputs = (Spec("x", "float32", ("batch", 4)), Spec("y", "int64", ("batch", 2)))
    found = data.load(tmp_path / "d.npz", model(*inputs, examples=[(1, 4), (1, 2)]))
    assert found.labelled
    feeds = found.part("report").feeds
    assert (len(feeds), feeds[0]["x"].dtype, feeds[0]["x"].shape) == (5, np.float32, (1, 4))
    for sample in found.part("report").samples:
        row = int(sample.name.split()[1])
        np.testing.assert_allclose(sample.make()[0]["x"][0], x[row], rtol=1e-6)
        assert sample.truth == row % 3


def test_a_fixed_batch_takes_that_many_rows_and_a_constant_belongs_to_all(tmp_path):
    np.savez(tmp_path / "d.npz", x=np.zeros((12, 3)) + np.arange(12)[:, None], rate=np.int64(16))
    inputs = (Spec("x", "float32", (4, 3)), Spec("rate", "int64", ()))
    found, with_labels = arrays.samples(tmp_path / "d.npz", inputs, None)
    assert not with_labels
    assert [s.make()[0]["x"][:, 0].tolist() for s in found][1] == [4, 5, 6, 7]
    assert all(s.make()[0]["rate"] == 16 for s in found)


@pytest.mark.parametrize(
    ("saved", "said"),
    [
        ({"y": np.zeros((9, 4))}, "no array 'x'"),
        ({"x": np.zeros((9, 4)), "z": np.zeros(9)}, "array 'z'"),
        ({"x": np.zeros((9, 5))}, r"x is \[9, 5\]"),
        ({"x": np.zeros((9, 4)), "labels": np.zeros(8, int)}, "labels 8"),
        ({"x": np.zeros((9, 4)), "labels": np.zeros(9)}, "whole numbers"),
        ({"x": np.zeros((9, 4)), "labels": np.full(9, 10)}, "label 10"),
    ],
)
def test_arrays_that_do_not_fit_are_named(tmp_path, saved, said):
    np.savez(tmp_path / "d.npz", **saved)
    inputs = Spec("x", "float32", ("batch", 4))
    with pytest.raises(DataError, match=said):
        data.load(tmp_path / "d.npz", model(inputs, examples=[(1, 4)]))


def test_values_that_the_input_cannot_hold_are_refused(tmp_path):
    np.savez(tmp_path / "d.npz", x=np.full((9, 4), 0.5))
    with pytest.raises(DataError, match="can't hold"):
        data.load(tmp_path / "d.npz", model(Spec("x", "int64", ("batch", 4)), examples=[(1, 4)]))


def test_a_file_that_is_no_npz_says_so(tmp_path):
    (tmp_path / "d.npz").write_bytes(b"PK\3\4 no more")
    with pytest.raises(DataError, match="cannot be read as an"):
        data.load(tmp_path / "d.npz", model(SCORES, examples=[(1, 10)]))


WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "cat", "dog", "sleeps", "."]
IDS = Spec("input_ids", "int64", ("batch", "tokens"))
MASK = Spec("attention_mask", "int64", ("batch", "tokens"))
TYPES = Spec("token_type_ids", "int64", ("batch", "tokens"))


@pytest.fixture
def tokenizer(tmp_path):
    settings = {"max_tokens": 32, "longest": 6, "special": WORDS[:4]}
    named = {"start": "[CLS]", "end": "[SEP]", "padding": "[PAD]", "unknown": "[UNK]"}
    path = tmp_path / "tokenizer.txt"
    path.write_text("\n".join([json.dumps(settings | named), *WORDS]) + "\n")
    return path


def encoder(*inputs):
    return model(*inputs, examples=[(1, 16)] * len(inputs))


def test_pairs_of_sentences_become_two_inferences_each(tmp_path, tokenizer):
    rows = [f'"A cat, {n}.",a dog sleeps,{n}' for n in range(10)]
    (tmp_path / "p.csv").write_text("\n".join(rows))
    found = data.load(tmp_path / "p.csv", encoder(IDS, MASK, TYPES), tokenizer=tokenizer)
    part = found.part("report")
    assert (found.metric, len(part.samples), len(part.feeds)) == ("spearman", 5, 10)
    second = part.feeds[1]
    assert second["input_ids"].tolist() == [[2, 4, 6, 7, 3]]
    assert second["attention_mask"].tolist() == [[1] * 5]
    assert second["token_type_ids"].tolist() == [[0] * 5]
    assert second["input_ids"].dtype == np.int64


def test_a_pair_that_was_scored_twice_is_one_sample(tmp_path, tokenizer):
    rows = [f"a cat {n},a dog,{score}" for n in range(8) for score in (1, 4)]
    (tmp_path / "p.csv").write_text("\n".join(rows))
    found = data.load(tmp_path / "p.csv", encoder(IDS, MASK), tokenizer=tokenizer)
    digests = [{sample.digest for sample in found.part(part).samples} for part in PARTS]
    assert sum(map(len, digests)) == len(set.union(*digests)) == 8


def test_latency_is_measured_with_texts_of_several_lengths(tmp_path, tokenizer):
    (tmp_path / "t.csv").write_text("a cat sleeps\na dog\na dog sleeps\n")
    found = data.load(tmp_path / "t.csv", encoder(IDS, MASK), tokenizer=tokenizer)
    assert list(found.timing) == ["16 tokens", "32 tokens"]  # 32 is the longest text here
    ids = found.timing["16 tokens"]["input_ids"]
    assert (ids.shape, ids[0, 0], ids[0, -1]) == ((1, 16), 2, 3)
    assert not found.labelled
    assert found.metric == "cosine"


def test_a_fixed_length_is_padded_and_masked(tmp_path, tokenizer):
    (tmp_path / "t.csv").write_text("a cat\n")
    fixed = [Spec(s.name, "int32", (1, 6)) for s in (IDS, MASK)]
    how = texts.reading(fixed, tokenizer, tmp_path / "t.csv")
    (samples,), _ = texts.samples(tmp_path / "t.csv", how)
    (feeds,) = samples.make()
    assert feeds["input_ids"].tolist() == [[2, 4, 5, 3, 0, 0]]
    assert feeds["attention_mask"].tolist() == [[1, 1, 1, 1, 0, 0]]
    assert feeds["input_ids"].dtype == np.int32


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n", "score is missing"),
        ("a,b,1\nc,d\n", "row 2"),
        ("a,b,c,d\n", "row 1"),
        ("a\nb,c\n", "row 2: 2 columns"),
        ("", "is empty"),
    ],
)
def test_a_csv_of_another_form_is_named_with_its_row(tmp_path, tokenizer, text, said):
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(ModelError, match=said):
        data.load(tmp_path / "p.csv", encoder(IDS, MASK), tokenizer=tokenizer)


def test_texts_need_a_tokenizer_that_can_be_read(tmp_path):
    (tmp_path / "t.csv").write_text("a\nb\nc\n")
    with pytest.raises(DataError, match="--tokenizer"):
        data.load(tmp_path / "t.csv", encoder(IDS))
    with pytest.raises(DataError, match="cannot be read"):
        data.load(tmp_path / "t.csv", encoder(IDS), tokenizer=tmp_path / "none.json")
    other = tmp_path / "tokenizer.json"
    kinds = {"normalizer": {"type": "NFC"}, "pre_tokenizer": {"type": "ByteLevel"}}
    other.write_text(json.dumps({**kinds, "model": {"type": "BPE"}}))
    with pytest.raises(DataError, match="doesn't have"):
        data.load(tmp_path / "t.csv", encoder(IDS), tokenizer=other)


def test_without_data_inputs_are_made_up_loudly_and_within_what_the_graph_takes(tmp_path):
    table = helper.make_tensor("table", TensorProto.FLOAT, [7, 2], np.zeros(14, np.float32))
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["scores"])],
        "g",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, None)],
        [table],
    )
    onnx.save(helper.make_model(graph), tmp_path / "m.onnx")
    ids = model(IDS, examples=[(1, 16)], file=tmp_path / "m.onnx")
    found = data.load(None, ids, seed=1)
    assert found.generated
    assert "--data" in found.warnings[0]
    values = np.concatenate([f["input_ids"] for p in PARTS for f in found.part(p).feeds])
    assert values.shape[1] == 16
    assert set(np.unique(values)) == set(range(7))
    again, other = (data.load(None, ids, seed=seed).part("report") for seed in (1, 2))
    same = found.part("report").feeds[0]["input_ids"]
    np.testing.assert_array_equal(again.feeds[0]["input_ids"], same)
    assert again.names != other.names


def test_images_shrink_in_their_own_layout_and_dtype():
    planes = np.zeros((1, 3, 64, 64), np.float32)
    planes[:, 0] = 1
    found = resizing.resized({"x": planes, "n": np.array([1, 2])}, 32)
    assert found["x"].shape == (1, 3, 32, 32)
    np.testing.assert_allclose(found["x"][0, :, 5, 5], [1, 0, 0], atol=1e-6)
    assert found["n"].tolist() == [1, 2]
    bytes_ = np.full((2, 64, 64, 3), 200, np.uint8)
    (small,) = resizing.resized({"x": bytes_}, 48).values()
    assert (small.shape, small.dtype, small.min(), small.max()) == ((2, 48, 48, 3), "u1", 200, 200)


def test_a_ladder_is_for_images_that_are_large_enough():
    assert resizing.ladder([PHOTO], [(1, 3, 224, 224)]) == (192, 160, 128)
    assert resizing.ladder([BYTES], [(1, 32, 32, 3)]) == ()
    assert resizing.ladder([IDS], [(1, 16)]) == ()


def test_feeds_are_made_when_they_are_asked_for():
    asked = []

    def make(number):
        asked.append(number)
        return ({"x": np.array(number)}, {"x": np.array(-number)})

    from functools import partial

    from satchel_models.data.feeds import Made, Sample

    made = Made([Sample(str(n), str(n), partial(make, n)) for n in range(4)], 2)
    assert (len(made), asked) == (8, [])
    assert made[5]["x"] == -2
    assert asked == [2]
    assert [int(f["x"]) for f in made[1:4]] == [0, 1, -1]
    assert len(list(made)) == 8
    part = dataset.Part((), 1, Likeness(classes=False), 0)
    assert len(part.feeds) == 0
