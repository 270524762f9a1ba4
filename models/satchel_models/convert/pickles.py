"""What a pickle would run, read without running it.

Loading a pickle calls whatever it names. PyTorch's own loader refuses other names than a few safe
ones (`weights_only`), but not everywhere, and not with a sentence that says what is in the file.
The pickle's instructions: https://docs.python.org/3/library/pickletools.html
"""

import io
import pickletools
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
"""The first pickle in what `torch.save` wrote before PyTorch 1.6."""

LEGACY_BEFORE = 3
"""Pickles before the object in such a file: magic number, protocol, machine."""

PLAIN = re.compile(
    r"collections (OrderedDict|Counter|defaultdict)"
    r"|torch\._utils _rebuild_\w+"
    r"|torch\._tensor _rebuild_from_type_v2"
    r"|torch\.nn\.parameter (Parameter|Buffer)"
    r"|torch\.serialization _get_layout"
    r"|torch\.storage (Typed|Untyped)Storage"
    r"|torch (\w+Storage|Size|Tensor|device|(u?int|float|complex)\d+\w*|bfloat16|bool)"
    r"|_codecs encode"
    r"|(builtins|__builtin__) (bytearray|set|complex)"
)
"""Names that only make tensors and containers: those of PyTorch's `weights_only`."""

PICKLE = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""How one begins, by protocol."""

UNSEEN = "something that it names indirectly"


def names(data: IO[bytes]) -> Iterator[str]:
    """Each "module name" that one pickle imports; the stream is left behind it.

    Raises:
        ValueError: It is no pickle, or it is cut short.
    """
    words: list[str] = []  # strings pushed without anything between them
    memo: dict[int, str] = {}
    for code, argument, _ in pickletools.genops(data):
        if code.name in {"GLOBAL", "INST"}:
            yield str(argument)
        elif code.name == "STACK_GLOBAL":
            yield " ".join(words[-2:]) if len(words) > 1 else UNSEEN
        elif code.name in {"EXT1", "EXT2", "EXT4"}:
            yield UNSEEN
        if code.name == "MEMOIZE":
            memo[len(memo)] = words[-1] if words else UNSEEN
        elif code.name in {"PUT", "BINPUT", "LONG_BINPUT"}:
            memo[int(argument or 0)] = words[-1] if words else UNSEEN
        elif code.name in {"GET", "BINGET", "LONG_BINGET"}:
            words.append(memo.get(int(argument or 0), UNSEEN))
        elif code.name.endswith(("UNICODE", "UNICODE8")):
            words.append(str(argument))
        else:
            words.clear()


def foreign(path: Path) -> tuple[str, ...]:
    """What loading a PyTorch file would import beyond tensors and containers, sorted.

    Args:
        path: A zip archive with pickles inside, or a pickle.

    Raises:
        ValueError: A pickle in it is damaged.
    """
    with path.open("rb") as data:
        found = set(_in_zip(data) if zipfile.is_zipfile(path) else _in_pickles(data))
    return tuple(sorted(name.replace(" ", ".") for name in found if not PLAIN.fullmatch(name)))


def is_legacy(path: Path) -> bool:
    """Whether a pickle is one that `torch.save` wrote before PyTorch 1.6."""
    with path.open("rb") as data:
        try:
            return any(argument == LEGACY_MAGIC for _, argument, _ in pickletools.genops(data))
        except ValueError:
            return False


def _in_zip(data: IO[bytes]) -> Iterator[str]:
    with zipfile.ZipFile(data) as archive:
        for entry in archive.infolist():
            with archive.open(entry) as part:
                head = part.read(4)
            if head.startswith(PICKLE):
                yield from _in_entry(archive, entry)
            elif head == b"PK\x03\x04":
                yield from _in_zip(io.BytesIO(archive.read(entry)))


def _in_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[str]:
    try:
        yield from names(io.BytesIO(archive.read(entry)))
    except ValueError:
        if entry.filename.endswith(".pkl"):
            raise  # weights may begin like a pickle by chance; these may not


def _in_pickles(data: IO[bytes]) -> Iterator[str]:
    for _ in range(LEGACY_BEFORE + 1):
        yield from names(data)
