"""The recipe of an embedding model: a BERT sentence encoder, built as a graph from its weights."""

from dataclasses import dataclass

from satchel_models.recipe import Recipe, Rule, digest, pinned


@dataclass(frozen=True)
class PackagedFile:
    """A file inside an installed package.

    Attributes:
        path: Inside site-packages, with forward slashes.
        sha256: 64 hexadecimal digits.
    """

    path: str
    sha256: str


@dataclass(frozen=True)
class EncoderSource:
    """The original, as Hugging Face's `transformers` stores a BERT model.

    Attributes:
        packages: Exact requirements (`name==version`).
        weights: model.safetensors.
        config: config.json, the network's dimensions.
        tokenizer: tokenizer.json, with the vocabulary.
        tokenizer_config: tokenizer_config.json.
    """

    packages: tuple[str, ...]
    weights: PackagedFile
    config: PackagedFile
    tokenizer: PackagedFile
    tokenizer_config: PackagedFile

    @property
    def files(self) -> dict[str, PackagedFile]:
        """All of them, by field."""
        return {
            "weights": self.weights,
            "config": self.config,
            "tokenizer": self.tokenizer,
            "tokenizer_config": self.tokenizer_config,
        }


@dataclass(frozen=True)
class Encoding:
    """What the artefact promises.

    Attributes:
        max_tokens: Tokens of the longest text, the two special ones included.
        max_bytes: The artefact's size limit (bytes).
    """

    max_tokens: int
    max_bytes: int


@dataclass(frozen=True, kw_only=True)
class EmbedRecipe(Recipe):
    """All that an embedding model's `recipe.toml` says."""

    source: EncoderSource
    encoding: Encoding

    def rules(self) -> list[Rule]:
        """What types cannot say."""
        return [
            *super().rules(),
            pinned(self.source.packages),
            *(digest(f.sha256, f"source.{name}.sha256") for name, f in self.source.files.items()),
            (self.encoding.max_tokens > 2, "encoding.max_tokens", "above 2"),
        ]
