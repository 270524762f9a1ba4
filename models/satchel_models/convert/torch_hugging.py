"""Hugging Face's networks in PyTorch, with an example of what they take. Runs where both are."""

from dataclasses import dataclass
from typing import Any

import torch

from satchel_models.convert import hugging_face
from satchel_models.convert.exchange import last_words
from satchel_models.convert.hugging_face import Folder
from satchel_models.convert.original import Original
from satchel_models.convert.samples import Input
from satchel_models.errors import ConversionError, UntrustedError

TOKENS = 16
"""Of the example; other lengths work too."""

NEEDED = "transformers 5"


@dataclass(frozen=True)
class Hugging:
    """A network and its inputs.

    Attributes:
        module: In evaluation mode.
        inputs: As it takes them; () where that can't be told.
        dynamic: Axes beside the batch that are dynamic, by input.
        origin: What it is, in words.
    """

    module: Any
    inputs: tuple[Input, ...]
    dynamic: dict[str, tuple[int, ...]]
    origin: str


def load(original: Original) -> Hugging:
    """The network in a folder.

    Raises:
        UntrustedError: The folder brings its own code.
        ConversionError: It is of a kind that isn't known.
    """
    folder = hugging_face.read(original.path)
    name = folder.architecture or str(folder.config.get("model_type"))
    if folder.config.get("auto_map") and not original.trust:
        raise UntrustedError(
            f"{original.path} brings its own Python code for {name}, which can do anything that "
            "you can on this machine. If you trust whoever made it: --trust."
        )
    model = _loaded(original, folder, name).float().eval()
    model.config.use_cache = False
    if folder.sentences is None:
        module, origin = model, f"Hugging Face {name}"
    else:
        module = Pooled(model, folder.sentences.pooling, normalised=folder.sentences.normalised)
        origin = f"Hugging Face {name}, sentence encoder"
    inputs, dynamic = _takes(folder)
    return Hugging(module, inputs, dynamic, origin)


class Pooled(torch.nn.Module):  # type: ignore[misc]
    """A sentence encoder: one vector of its tokens'."""

    def __init__(self, network: Any, pooling: str, *, normalised: bool) -> None:
        super().__init__()
        self.inner, self.pooling, self.normalised = network, pooling, normalised

    def forward(self, input_ids: Any, attention_mask: Any) -> dict[str, Any]:
        """Run it."""
        tokens = self.inner(input_ids=input_ids, attention_mask=attention_mask)[0]
        if self.pooling == "cls":
            vector = tokens[:, 0]
        else:
            mask = attention_mask.unsqueeze(-1).to(tokens.dtype)
            vector = (tokens * mask).sum(1) / mask.sum(1)
        if self.normalised:
            vector = torch.nn.functional.normalize(vector, dim=-1)
        return {"embedding": vector}


def _loaded(original: Original, folder: Folder, name: str) -> Any:
    try:
        import transformers
    except ImportError as error:
        raise ConversionError(
            f"{original.path} is a {name}, which needs {NEEDED}: pip install transformers."
        ) from error
    kind = None if folder.sentences else getattr(transformers, folder.architecture, None)
    try:
        return (kind or transformers.AutoModel).from_pretrained(
            original.path,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=original.trust,
            attn_implementation="eager",
        )
    except Exception as error:  # of many kinds
        raise ConversionError(
            f"{original.path} is a {name}, which transformers {transformers.__version__} can't "
            f"load: {type(error).__name__}: {last_words(error)}. Export the network where it runs, "
            "with torch.export.save, and give the .pt2 file."
        ) from error


def _takes(folder: Folder) -> tuple[tuple[Input, ...], dict[str, tuple[int, ...]]]:
    """What such a network takes by its config: texts, or images."""
    config = folder.config
    if "vocab_size" in config and not config.get("is_encoder_decoder"):
        shape = (1, min(TOKENS, folder.tokens or TOKENS))
        names = ("input_ids", "attention_mask")
        below = {"input_ids": int(config["vocab_size"])}
        inputs = tuple(Input(n, "int64", shape, 0, below.get(n, 2)) for n in names)
        return inputs, dict.fromkeys(names, (1,))
    if isinstance(config.get("image_size"), int):
        side = config["image_size"]
        image = (1, int(config.get("num_channels", 3)), side, side)
        return (Input("pixel_values", "float32", image, 0),), {}
    return (), {}
