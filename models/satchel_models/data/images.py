"""A folder of images, with `labels.csv` (`file,class_index`) or without."""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel_models import original
from satchel_models.data.feeds import Feeds, Sample
from satchel_models.data.resizing import channel_axis
from satchel_models.errors import DataError
from satchel_models.label_recipe import Preprocess
from satchel_models.steps import Spec

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".avif", ".tif", ".tiff"})

CROP = 0.875
"""Part of the shorter side that is looked at: 224 of 256 pixels, ImageNet's usual evaluation."""

Normal = tuple[tuple[float, ...], tuple[float, ...]]

IMAGENET: Normal = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
"""Mean and deviation of ImageNet's channels, 0 … 255: what most published nets expect
(torchvision.transforms.Normalize's 0.485, 0.456, 0.406 and 0.229, 0.224, 0.225)."""

GREY: Normal = ((0.0,), (255.0,))
"""Of one channel: 0 … 1."""


@dataclass(frozen=True)
class Preprocessing:
    """From a photo to a model's input: scale, centre crop, then (x - mean) / scale.

    Attributes:
        resize: Pixels of the photo's shorter side for a crop of the model's size; None: the usual.
        mean: Of each channel or of all, 0 … 255; unused where the model takes whole numbers.
        scale: What the difference is divided by.
    """

    resize: int | None = None
    mean: tuple[float, ...] | None = None
    scale: tuple[float, ...] | None = None

    @classmethod
    def of(cls, recipe: Preprocess) -> "Preprocessing":
        """What a label model's recipe says."""
        return cls(recipe.resize, (float(recipe.mean),), (recipe.scale,))


@dataclass(frozen=True)
class Layout:
    """How a model takes an image.

    Attributes:
        name: Of its input.
        dtype: NumPy's name.
        channels: 1, 3 or 4 …
        first: … and whether they come before height and width.
        height: Pixels.
        width: Pixels.
    """

    name: str
    dtype: str
    channels: int
    first: bool
    height: int
    width: int


def layout(inputs: Sequence[Spec], examples: Sequence[tuple[int, ...]], place: Path) -> Layout:
    """How a model takes an image.

    Raises:
        DataError: It takes something else.
    """
    spec = inputs[0]
    axis = channel_axis(spec.shape)
    if len(inputs) != 1 or axis is None or not examples:
        shown = ", ".join(f"{s.name} {s.dtype} {list(s.shape)}" for s in inputs)
        raise DataError(
            f"{place} holds images, and the model doesn't take one image: its inputs are {shown}. "
            "Give its inputs as an .npz, arrays by input name."
        )
    shape = examples[0]
    height, width = (shape[2], shape[3]) if axis == 1 else (shape[1], shape[2])
    return Layout(spec.name, spec.dtype, int(spec.shape[axis]), axis == 1, height, width)


def samples(
    folder: Path, fits: Layout, how: Preprocessing, classes: int | None
) -> tuple[list[Sample], bool]:
    """The images of a folder, and whether they are labelled.

    Args:
        folder: Of images.
        fits: How the model takes them.
        how: Preprocessing.
        classes: How many the model tells apart; None: unknown.

    Raises:
        DataError: There is none, one can't be opened, or labels are out of range.
    """
    labelled = (folder / original.LABELS).is_file()
    rows: list[tuple[str, int | None]] = []
    if labelled:
        rows += original.read_labels(folder)
        _check_range(folder, rows, classes)
    else:
        rows += [(str(path.relative_to(folder)), None) for path in found(folder)]
    if not rows:
        raise DataError(
            f"{folder} holds no images ({', '.join(sorted(SUFFIXES))}). Give a folder that does."
        )
    return [_sample(folder, name, label, fits, how) for name, label in rows], labelled


def found(folder: Path) -> list[Path]:
    """The image files of a folder and the folders in it, by name."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())


def warnings(fits: Layout, how: Preprocessing | None) -> tuple[str, ...]:
    """What was assumed where nobody says how photos become inputs."""
    if how is not None and (fits.dtype == "uint8" or how.mean is not None):
        return ()
    shape = f"{fits.width}×{fits.height}"
    if np.dtype(fits.dtype).kind in "iu":
        return (f"Photos are cropped to {shape} pixels, 0 … 255: assumed, nobody says so.",)
    usual = "ImageNet's mean and deviation" if fits.channels == 3 else "0 … 1"
    said = f"Photos are cropped to {shape} pixels and normalised by {usual}: assumed, nobody says "
    return (f"{said}so. If the model was trained otherwise, accuracies here are too low.",)


def prepared(path: Path, fits: Layout, how: Preprocessing) -> Feeds:
    """A photo as a model's input, a batch of one.

    Raises:
        DataError: It can't be opened.
    """
    crop = min(fits.height, fits.width)
    resize = how.resize or round(crop / CROP)
    try:
        photo = original.fitted(path, resize / crop, fits.height, fits.width)
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(
            f"{path} is no image that can be opened ({error}). Take it out of the data, or save it "
            "as JPEG or PNG."
        ) from error
    pixels = _channels(photo, fits.channels)
    values = (
        pixels.astype(fits.dtype) if np.dtype(fits.dtype).kind in "iu" else _scaled(pixels, how)
    )
    if fits.first:
        values = values.transpose(2, 0, 1)
    return {fits.name: np.ascontiguousarray(values[None], fits.dtype)}


def _sample(folder: Path, name: str, label: int | None, fits: Layout, how: Preprocessing) -> Sample:
    path = folder / name
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}. Labels name it; put it there, or take its "
            "row out."
        ) from error
    return Sample(name, digest, functools.partial(_made, path, fits, how), label)


def _made(path: Path, fits: Layout, how: Preprocessing) -> tuple[Feeds, ...]:
    return (prepared(path, fits, how),)


def _check_range(folder: Path, rows: Sequence[tuple[str, int | None]], classes: int | None) -> None:
    for name, label in rows:
        if label is not None and (label < 0 or (classes is not None and label >= classes)):
            most = f"0 … {classes - 1}" if classes else "0 and more"
            raise DataError(
                f"{folder / original.LABELS}: {name} has the class {label}, and the model's "
                f"classes are {most}. Number them as the model's outputs are."
            )


def _channels(photo: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    if count == 1:
        weights = np.array([299, 587, 114])  # ITU-R BT.601, as Pillow's "L"
        grey = (photo.astype(np.uint32) @ weights + 500) // 1000
        return np.asarray(grey[..., None], np.uint8)
    if count == 4:
        opaque = np.full((*photo.shape[:2], 1), 255, np.uint8)
        return np.concatenate([photo, opaque], axis=2)
    return photo


def _scaled(pixels: NDArray[np.uint8], how: Preprocessing) -> NDArray[Any]:
    usual = IMAGENET if pixels.shape[2] == 3 else GREY
    mean = np.array(how.mean or usual[0], np.float32)
    scale = np.array(how.scale or usual[1], np.float32)
    return np.asarray((pixels.astype(np.float32) - mean) / scale)
