"""Folders as Hugging Face's `transformers` writes them: what network is in them, and its parts.

Plain BERT encoders, which most small sentence encoders are, become a graph by
`satchel_models.bert`: in seconds, without PyTorch, and in operators that quantise well. Every other
network goes through `transformers` and `torch.export` (`torch_hugging`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from satchel_models.errors import ConversionError

CONFIG = "config.json"
MODULES = "modules.json"
"""What sentence-transformers does after the network, one entry a step."""

LONGEST = "sentence_bert_config.json"


@dataclass(frozen=True)
class Sentences:
    """How a sentence encoder makes one vector of its tokens'.

    Attributes:
        pooling: "mean" or "cls".
        normalised: Whether vectors have length 1.
    """

    pooling: str
    normalised: bool


@dataclass(frozen=True)
class Folder:
    """What a folder says.

    Attributes:
        path: The folder.
        config: Its config.json.
        architecture: The network's class, "BertModel".
        sentences: How it is a sentence encoder; None: it is none.
        tokens: Of the longest text.
    """

    path: Path
    config: Mapping[str, Any]
    architecture: str
    sentences: Sentences | None
    tokens: int | None

    @property
    def is_plain_bert(self) -> bool:
        """Whether `satchel_models.bert` knows this network."""
        return (
            self.config.get("model_type") == "bert"
            and self.architecture == "BertModel"
            and self.config.get("hidden_act", "gelu") == "gelu"
            and self.config.get("position_embedding_type", "absolute") == "absolute"
            and not self.config.get("is_decoder", False)
        )


def read(path: Path) -> Folder:
    """What a folder says.

    Raises:
        ConversionError: A file in it is missing or damaged, or it does what isn't known.
    """
    config = _json(path / CONFIG)
    architectures = config.get("architectures") or [""]
    tokens = config.get("max_position_embeddings")
    if (path / LONGEST).exists():
        tokens = _json(path / LONGEST).get("max_seq_length") or tokens
    sentences = _sentences(path) if (path / MODULES).exists() else None
    return Folder(path, config, architectures[0], sentences, tokens)


def _sentences(path: Path) -> Sentences:
    pooling, normalised = "", False
    for module in _json(path / MODULES):
        kind = module["type"].rpartition(".")[2]
        if kind == "Pooling":
            pooling = _pooling(path / module["path"] / CONFIG)
        elif kind == "Normalize":
            normalised = True
        elif kind != "Transformer":
            raise ConversionError(
                f"{path / MODULES} has the step {kind}, which isn't known. Export the whole "
                "encoder as one torch.nn.Module with torch.export.save."
            )
    return Sentences(pooling, normalised)


def _pooling(path: Path) -> str:
    config = _json(path)
    prefix = "pooling_mode_"
    on = sorted(key for key, value in config.items() if key.startswith(prefix) and value is True)
    known = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}
    if len(on) != 1 or on[0] not in known:
        shown = ", ".join(key.removeprefix(prefix) for key in on) or "none"
        raise ConversionError(
            f"{path} pools tokens by {shown}; mean_tokens and cls_token are known. Export the "
            "whole encoder as one torch.nn.Module with torch.export.save."
        )
    return known[on[0]]


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConversionError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ConversionError(f"{path} is no JSON ({error}). Get the folder again.") from error
