"""`.tflite` files that are changed go on answering as they did; the same gives the same bytes."""

import numpy as np
import pytest
import tflite_files

from satchel_models import tflite
from satchel_models.errors import UnsuitableError
from satchel_models.litert import edits, flatbuffer, sizes
from satchel_models.litert.ranges import measured

SCALE, ZERO = 1 / 128, 127


def image(side=8, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (1, side, side, 3), np.uint8)


def pixels(photo):
    return (photo.astype(np.float32) - ZERO) * np.float32(SCALE)


def answer(data, **feeds):
    (found,) = tflite.Model("it", data).run(feeds).values()
    return found


def tidied(data, *edit):
    model = flatbuffer.read(data)
    for one in edit:
        one(model)
    flatbuffer.canonical(model)
    return flatbuffer.write(model)


def test_a_tidied_file_answers_the_same_and_is_smaller():
    loose = tflite_files.photos(loose=True)
    found = tidied(loose)
    assert len(found) < len(loose) - 64 * 4
    assert b"a.Module" not in found
    x = pixels(image())
    np.testing.assert_array_equal(answer(found, pixels=x), answer(loose, pixels=x))


def test_the_same_network_gives_the_same_bytes_whatever_its_converter_called_things():
    found = tidied(tflite_files.photos(loose=True))
    assert found == tidied(tflite_files.photos())
    assert found == tidied(found)


def test_constants_begin_where_kernels_read_them_as_vectors():
    data = tidied(tflite_files.photos())
    for buffer in flatbuffer.read(data).buffers[1:]:
        assert data.index(buffer.data.tobytes()) % flatbuffer.ALIGNMENT == 0


def test_zero_points_of_symmetric_weights_are_written_once():
    model = flatbuffer.read(tflite_files.photos())
    for index in (1, 2):  # the kernel and its bias
        model.subgraphs[0].tensors[index].quantization = flatbuffer.scaled([1.0] * 1000, [0] * 1000)
    assert len(flatbuffer.write(model)) < len(tflite_files.photos()) + 2 * 4000 + 8000 + 500


def test_inputs_and_outputs_get_their_names_in_the_signature_too():
    data = tidied(
        tflite_files.photos(), lambda model: flatbuffer.named(model, ["image"], ["probabilities"])
    )
    found = tflite.Model("it", data)
    assert [spec.name for spec in found.inputs] == ["image"]
    assert [spec.name for spec in found.outputs] == ["probabilities"]


def test_bytes_are_what_the_network_s_floats_were():
    original = tflite_files.photos()
    data = tidied(original, lambda model: edits.take_bytes(model, SCALE, ZERO))
    (given,) = tflite.Model("it", data).inputs
    assert (given.name, given.dtype, given.shape) == ("pixels", "uint8", (1, 8, 8, 3))
    photo = image()
    found, right = answer(data, pixels=photo), answer(original, pixels=pixels(photo))
    np.testing.assert_allclose(found, right, atol=1e-6)


def test_a_network_that_rounds_its_input_at_once_takes_bytes_without_a_way_through_floats():
    matrix = np.eye(4, dtype=np.float32)
    original = tflite_files.rounded(matrix)
    data = tidied(original, lambda model: edits.take_bytes(model, 4 / 127, 128))
    assert tflite.operators(data) == tflite.operators(original)
    photo = np.array([[0, 100, 200, 255]], np.uint8)
    found = answer(data, x=photo)
    np.testing.assert_allclose(found, (photo - 128.0) * (4 / 127), atol=16 / 127)


def test_the_last_product_and_what_is_behind_it_are_found():
    model = flatbuffer.read(tflite_files.photos())
    assert edits.heads(model) == ("logits",)
    assert edits.endings(model) == ("scores",)


def test_another_size_changes_shapes_only_and_no_byte_s_place():
    data = tidied(tflite_files.photos(16))
    found = sizes.resized(data, {"pixels": (1, 8, 8, 3)})
    assert len(found) == len(data)
    assert sum(a != b for a, b in zip(data, found, strict=True)) <= 4  # two sides, two tensors
    x = pixels(image())
    np.testing.assert_allclose(
        answer(found, pixels=x), answer(tflite_files.photos(8), pixels=x), atol=1e-6
    )


def test_a_size_that_a_network_does_not_take_is_refused():
    data = tidied(tflite_files.photos())
    with pytest.raises(UnsuitableError, match=r"doesn't take pixels \[1, 8, 8, 4\]"):
        sizes.resized(data, {"pixels": (1, 8, 8, 4)})


def test_a_size_that_changes_an_output_is_refused():
    data = tidied(tflite_files.products([np.eye(4, dtype=np.float32)]))
    with pytest.raises(UnsuitableError, match=r"The output y becomes \[2, 4\]"):
        sizes.resized(data, {"x": (2, 4)})


def test_ranges_hold_what_was_seen_and_cut_what_is_rare():
    data = tidied(tflite_files.photos())
    names = flatbuffer.computed(flatbuffer.read(data))
    found = measured(data, names, [{"pixels": pixels(image(seed=k))} for k in range(3)])
    assert set(found) == set(names)
    assert "t1" not in names  # the kernel is no activation
    assert all(low <= 0 <= high for low, high in found.values())
    assert found["pixels"] == pytest.approx((-127 / 128, 1.0), abs=0.02)
    assert max(high for _, high in found.values()) <= 6.0
