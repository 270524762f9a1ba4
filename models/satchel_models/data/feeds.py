"""What goes into a model and what comes out, as the steps pass it on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from numpy.typing import NDArray

from satchel_models.steps import Feeds

__all__ = ["Changed", "Feeds", "Made", "Outputs", "Sample"]

Outputs = Mapping[str, NDArray[Any]]
"""One inference's outputs, by name."""


@dataclass(frozen=True)
class Sample:
    """One piece of data: a photo, a pair of sentences, a row of arrays.

    Attributes:
        name: For people: a file's name, a row's number.
        digest: SHA-256 of its content, hexadecimal: decides which part it belongs to.
        make: Its inferences' inputs: one, or two for a pair.
        truth: What is known of it: class indices, a score; None: nothing.
    """

    name: str
    digest: str
    make: Callable[[], tuple[Feeds, ...]]
    truth: Any = None


class Made(Sequence[Feeds]):
    """The inputs of samples one after another, each made when it is asked for.

    Args:
        samples: Each makes as many inferences' inputs as the others.
        each: How many that is.
    """

    def __init__(self, samples: Sequence[Sample], each: int) -> None:
        self._samples = samples
        self._each = each

    def __len__(self) -> int:
        return len(self._samples) * self._each

    @overload
    def __getitem__(self, index: int) -> Feeds: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Feeds]: ...
    def __getitem__(self, index: int | slice) -> Feeds | Sequence[Feeds]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        sample, which = divmod(index % len(self), self._each)
        return self._samples[sample].make()[which]


class Changed(Sequence[Feeds]):
    """Inputs, each changed when it is asked for.

    Args:
        feeds: The inputs.
        change: What is done to each.
    """

    def __init__(self, feeds: Sequence[Feeds], change: Callable[[Feeds], Feeds]) -> None:
        self._feeds = feeds
        self._change = change

    def __len__(self) -> int:
        return len(self._feeds)

    @overload
    def __getitem__(self, index: int) -> Feeds: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Feeds]: ...
    def __getitem__(self, index: int | slice) -> Feeds | Sequence[Feeds]:
        if isinstance(index, slice):
            return [self._change(one) for one in self._feeds[index]]
        return self._change(self._feeds[index])
