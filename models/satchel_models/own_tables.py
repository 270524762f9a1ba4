"""The tables in the recipe of a model of one's own: the original, and what a task needs to know."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class OwnSource:
    """The original.

    Attributes:
        file: The model's file or folder: a path from the recipe's folder, or an absolute one.
        factory: `module:callable` that makes the network, for a file that has its weights alone.
        inputs: Example shape and dtype by input's name ("1x1x8x8:float32"), where the file doesn't
            say.
    """

    file: str
    factory: str = ""
    inputs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Photo:
    """From a photo to the network, and from the network to labels.

    What the shape of the model's input says by itself needs not be said here. A grey channel is
    ITU-R BT.601's luma (0.299 R + 0.587 G + 0.114 B), as Pillow and OpenCV have it.

    Attributes:
        labels: Text file beside the recipe: the classes' names, one a line, in the model's order.
        output: What the model gives: "logits" (a softmax is added) or "probabilities".
        mean: Subtracted from each pixel (0 … 255): one number, or one for each channel.
        scale: What the difference is divided by; negative ones turn dark into light.
        crop: Part of a photo's shorter side that is seen, from the middle.
        size: Height and width in pixels, or one number for both; () where the model says.
        colour: "grey" for one channel, "rgb" or "bgr" for three; "" where the model says.
        layout: "nchw" or "nhwc"; "" where the model says.
    """

    labels: str
    output: Literal["logits", "probabilities"] = "logits"
    mean: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (255.0,)
    crop: float = 1.0
    size: tuple[int, ...] = ()
    colour: Literal["", "grey", "rgb", "bgr"] = ""
    layout: Literal["", "nchw", "nhwc"] = ""


@dataclass(frozen=True)
class Text:
    """From a text to the network, and from the network to a vector.

    Attributes:
        vocabulary: `vocab.txt` (a token a line) or `tokenizer.json` of a lower-casing BERT: a path
            from the recipe's folder.
        max_tokens: Tokens of the longest text, the two special ones included.
        pooling: How a text's tokens become one vector: their "mean", the first ("cls"), or "none"
            where the model gives one vector already; "" where its output's shape says ("mean" for
            one vector a token).
    """

    vocabulary: str
    max_tokens: int = 256
    pooling: Literal["", "mean", "cls", "none"] = ""


@dataclass(frozen=True)
class Tensors:
    """Tensors as they are.

    Attributes:
        sizes: Sizes of dynamic axes in made-up inputs, by the axis' name; 1 for others.
    """

    sizes: dict[str, int] = field(default_factory=dict)
