"""The tokenizer's data of a sentence encoder of one's own, from what its authors published."""

import json
from pathlib import Path

from satchel_models.errors import SourceError
from satchel_models.own_tables import Text

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def tokenizer_text(path: Path, text: Text) -> str:
    """What a device needs of a `vocab.txt` or a `tokenizer.json`; see `satchel.tasks.wordpiece`.

    Raises:
        SourceError: It can't be read, or is no lower-casing BERT's.
    """
    try:
        content = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(
            f"The vocabulary {path} can't be read: {error}. Put the model's vocab.txt or "
            "tokenizer.json there."
        ) from error
    if path.suffix == ".json":
        from satchel_models.sentences import tokenizer_text as from_tokenizer

        try:
            return from_tokenizer(path, text.max_tokens)
        except (ValueError, KeyError, TypeError) as error:
            raise SourceError(f"{path} is no BERT tokenizer: {error!r}.") from error
    tokens = content.rstrip("\n").split("\n")
    missing = [name for name in SPECIAL[:4] if name not in tokens]
    if missing:
        raise SourceError(
            f"{path} lacks {', '.join(missing)}: it is no BERT vocabulary, a token a line."
        )
    settings = {
        "max_tokens": text.max_tokens,
        "longest": max(map(len, tokens)),
        "special": [name for name in SPECIAL if name in tokens],
        "start": "[CLS]",
        "end": "[SEP]",
        "padding": "[PAD]",
        "unknown": "[UNK]",
    }
    return "\n".join([json.dumps(settings, sort_keys=True), *tokens]) + "\n"
