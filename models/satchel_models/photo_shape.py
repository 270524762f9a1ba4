"""How a network sees a photo: read from its input, and from its recipe for the rest."""

from collections.abc import Mapping
from dataclasses import dataclass

from satchel_models.errors import TaskError
from satchel_models.face import Value
from satchel_models.own_recipe import OwnLabelRecipe
from satchel_models.own_tables import Photo
from satchel_models.photo_face import Colour, Layout

CHANNELS: Mapping[Colour, int] = {"grey": 1, "rgb": 3, "bgr": 3}


@dataclass(frozen=True)
class Seen:
    """What a network takes for a photo.

    Attributes:
        input: The network's own.
        rank: Axes of it: 4; 3 without one for a single channel; 2 where all are in a row.
        layout: Order of the axes; in a row, of what is in it.
        colour: What the channels are.
        batch: Photos at a time: 1, or a name for any number.
        height: Pixels, or a name for any number.
        width: Likewise.
    """

    input: Value
    rank: int
    layout: Layout
    colour: Colour
    batch: int | str
    height: int | str
    width: int | str

    @property
    def channels(self) -> int:
        """One or three."""
        return CHANNELS[self.colour]


def seen(given: Value, recipe: OwnLabelRecipe) -> Seen:
    """Read how a network sees a photo.

    Raises:
        TaskError: It takes no photo, or its recipe must say more, or says something else.
    """
    name, photo, shape = recipe.id, recipe.label, given.shape
    if shape is None or given.dtype.kind not in "fiu" or len(shape) not in (2, 3, 4):
        raise TaskError(
            f"{name} takes {given.name}: {given.describe()}, which is no photo. A label model "
            "takes numbers [batch, channels, height, width] or alike; else give it the task "
            '"tensors".'
        )
    if isinstance(shape[0], int) and shape[0] != 1:
        raise TaskError(
            f"{name} takes {shape[0]} photos at a time ({given.describe()}), and a page has one. "
            "Export it with a dynamic batch, or a batch of 1."
        )
    batch = shape[0] if isinstance(shape[0], int) else "batch"
    if len(shape) == 2:
        return _in_a_row(given, batch, photo, name)
    layout: Layout = "nchw"
    channels: int | str = 1
    if len(shape) == 4:
        layout = photo.layout or _layout(given, name)
        channels = shape[1] if layout == "nchw" else shape[3]
    sides = shape[1:] if len(shape) == 3 else shape[2:] if layout == "nchw" else shape[1:3]
    colour = _colour(channels, photo, name, given)
    height, width = _sides(sides, photo, name)
    if len(shape) == 3:
        layout = "nhwc"  # as it comes, less its one channel
    return Seen(given, len(shape), layout, colour, batch, height, width)


def size(photo: Photo) -> tuple[int, int] | None:
    """Height and width that a recipe says."""
    if not photo.size:
        return None
    return photo.size[0], photo.size[-1]


def _layout(given: Value, name: str) -> Layout:
    shape = given.shape or ()
    first, last = shape[1] in (1, 3), shape[3] in (1, 3)
    if not first and not last and isinstance(shape[1], int) and isinstance(shape[3], int):
        raise TaskError(
            f"{name} takes {given.name}: {given.describe()}, in which no axis has the one channel "
            'of a grey photo or the three of a coloured one; give it the task "tensors".'
        )
    if first == last:
        raise TaskError(
            f"{name} takes {given.name}: {given.describe()}, which can be read in more than one "
            'way. Say which axis has the colours: layout = "nchw" (or "nhwc") in [label].'
        )
    return "nchw" if first else "nhwc"


def _colour(channels: int | str, photo: Photo, name: str, given: Value) -> Colour:
    fitting = [one for one, count in CHANNELS.items() if count == channels]
    if isinstance(channels, int) and not fitting:
        raise TaskError(
            f"{name} takes {given.name}: {given.describe()}, that is {channels} channels. A photo "
            'has one (grey) or three; else give it the task "tensors".'
        )
    if photo.colour and fitting and photo.colour not in fitting:
        raise TaskError(
            f"{name}: label.colour is {photo.colour!r}, but the model takes {given.describe()}: "
            f"{channels} channel{'' if channels == 1 else 's'}."
        )
    if not photo.colour and not fitting:
        raise TaskError(
            f"{name} takes any number of channels ({given.describe()}). Say what it was trained "
            'with: colour = "rgb" (or "grey") in [label].'
        )
    return photo.colour or fitting[0]


def _sides(sides: tuple[int | str, ...], photo: Photo, name: str) -> tuple[int | str, int | str]:
    wanted = size(photo)
    fixed = tuple(isinstance(side, int) for side in sides)
    if wanted is None:
        if not all(fixed):
            raise TaskError(
                f"{name} takes photos of any size. Say which one it was trained with: "
                "size = [224] in [label]."
            )
        return sides[0], sides[1]
    for side, said in zip(sides, wanted, strict=True):
        if isinstance(side, int) and side != said:
            raise TaskError(
                f"{name}: label.size is {wanted[0]} × {wanted[1]}, but the model takes "
                f"{sides[0]} × {sides[1]}."
            )
    if wanted[0] != wanted[1] or all(fixed):
        return wanted  # a variant's resolutions are squares: others are told by the input
    height, width = sides
    return height if fixed[0] else "height", width if fixed[1] else "width"


def _in_a_row(given: Value, batch: int | str, photo: Photo, name: str) -> Seen:
    count = (given.shape or ())[1]
    wanted = size(photo)
    if wanted is None:
        raise TaskError(
            f"{name} takes its photo as {count} numbers in a row. Say what they are: "
            "size = [height, width] in [label]."
        )
    height, width = wanted
    pixels = height * width
    fitting = [one for one, channels in CHANNELS.items() if channels * pixels == count]
    if isinstance(count, int) and not fitting:
        raise TaskError(
            f"{name} takes {count} numbers, but label.size is {height} × {width}: a photo of it "
            f"has {pixels} in grey and {3 * pixels} in colour."
        )
    if not fitting and not photo.colour:
        raise TaskError(
            f"{name} takes any number of numbers. Say what it was trained with: "
            'colour = "rgb" (or "grey") in [label].'
        )
    colour = photo.colour or fitting[0]
    if fitting and colour not in fitting:
        raise TaskError(
            f"{name}: label.colour is {photo.colour!r}, but the model takes {count} numbers, "
            f"which is {fitting[0]} in {height} × {width}."
        )
    return Seen(given, 2, photo.layout or "nchw", colour, batch, height, width)
