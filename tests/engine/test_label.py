"""The label task on a model small enough to be judged by eye: how red, green and blue is it?"""

import numpy as np
import pytest

import satchel
from satchel.installer import Installer
from satchel.library import Library
from satchel.manifest import Manifest, Reference, Release, Variant
from satchel.tasks import Label
from satchel.versions import Version


@pytest.fixture
def opened(platform, files, served):
    """Installs the classifier and opens it."""

    async def open_label():
        import hashlib

        def reference(name):
            data = (files / name).read_bytes()
            return Reference(hashlib.sha256(data).hexdigest(), len(data))

        wanted = {name: reference(name) for name in ("colours.onnx", "labels.txt")}
        names = {item.sha256: name for name, item in wanted.items()}
        variant = Variant(
            "plain",
            "onnxruntime",
            wanted["colours.onnx"],
            files={"labels": wanted["labels.txt"]},
            resolutions=(32,),
        )
        release = Release(Version.parse("1.0.0"), "", "CC0-1.0", {"browser": (variant,)})
        manifest = Manifest("colours", "label", "Colours", (release,))
        installer = Installer(Library(platform), platform, lambda item: served + names[item.sha256])
        await installer.install(manifest)
        return await Label.open("colours", platform=platform)

    return open_label


async def test_photos_are_labelled_best_first(opened, files):
    label = await opened()
    predictions = await label((files / "blue.png").read_bytes(), top=2)
    assert [item.label for item in predictions] == ["blue", "green"] or predictions[0].index == 2
    assert len(predictions) == 2
    assert predictions[0].score > 0.99
    await label.close()


async def test_a_photo_is_turned_upright_before_it_is_looked_at(opened, files):
    label = await opened()
    pixels = await label.prepare((files / "turned.jpg").read_bytes())
    assert pixels.shape == (32, 32, 3)
    assert pixels.dtype == np.uint8
    # Green on top, blue below; untouched it would be green on the left.
    assert pixels[2, :, 1].min() > 150 > pixels[2, :, 2].max()
    assert pixels[-3, :, 2].min() > 150 > pixels[-3, :, 1].max()
    await label.close()


async def test_transparent_parts_lie_on_white(opened, files):
    label = await opened()
    pixels = await label.prepare((files / "transparent.png").read_bytes())
    assert pixels.min() == 255
    await label.close()


async def test_an_array_is_an_image_too(opened):
    label = await opened()
    image = np.zeros((50, 80, 3), np.uint8)
    image[..., 0] = 255
    assert (await label(image))[0].label == "red"
    with pytest.raises(satchel.ImageError, match=r"uint8 \[height, width, 3\], not float"):
        await label(image / 255)
    await label.close()


async def test_what_is_no_image_is_named_and_the_next_one_works(opened, files):
    label = await opened()
    for junk in (b"", b"%PDF-1.7 not a photo", (files / "red.png").read_bytes()[:60]):
        with pytest.raises(satchel.ImageError, match="JPEG, PNG"):
            await label(junk)
    assert (await label((files / "red.png").read_bytes()))[0].label == "red"
    await label.close()


async def test_a_withdrawn_model_is_not_used_for_its_task(opened, platform):
    label = await opened()
    await label.close()
    library = Library(platform)
    model = await library.installed("colours")
    release = model.current.release
    gone = Manifest("colours", "label", "Colours", (release,), revoked=(model.active,))
    await library.inform(gone)
    with pytest.raises(satchel.WithdrawnError):
        await Label.open("colours", platform=platform)
