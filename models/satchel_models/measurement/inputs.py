"""What each candidate gets to answer: the data's parts and what time is measured with."""

from collections.abc import Sequence
from dataclasses import replace

from satchel_models.data import Dataset, Feeds, Part, PartName, Scored
from satchel_models.data.feeds import Changed, Outputs
from satchel_models.measurement.laboratory import Contestant
from satchel_models.steps import Candidate

SESSION_FACTOR = 3
"""What a session takes, over float32's file: the model's bytes, its weights, its activations."""

OUTPUT_BYTES = 500_000_000
"""Of one model's answers, kept while they are scored."""

KEPT_BYTES = 300_000_000
"""Of a part's inputs, that are kept instead of being made anew for each candidate."""


class Inputs:
    """One part of the data, for every candidate.

    Args:
        dataset: The data.
        name: Of the part.
        answer: One answer of the original's: it says how many may be kept.

    Attributes:
        note: What the developer should know; "" for nothing.
    """

    def __init__(self, dataset: Dataset, name: PartName, answer: Outputs) -> None:
        self._dataset = dataset
        self.part, self.note = _fitting(dataset.part(name), name, answer)
        self.feeds = _kept(self.part.feeds)

    def of(self, one: Candidate, names: frozenset[str]) -> Sequence[Feeds]:
        """Inputs as a candidate takes them.

        Args:
            one: The candidate.
            names: Of its graph's inputs: it may have lost some that it never used.
        """
        return _as_taken(self.feeds, self._dataset, one, names)

    def score(self, outputs: Sequence[Outputs], original: Sequence[Outputs]) -> Scored:
        """How good answers are; see `data.Part`."""
        return self.part.score(outputs, original)


def contestant(
    one: Candidate, dataset: Dataset, names: frozenset[str], original_size: int
) -> Contestant:
    """A candidate with the inputs that its time is measured with.

    Args:
        one: The candidate.
        dataset: The data.
        names: Of its graph's inputs.
        original_size: Bytes of float32's file.
    """
    timing = _as_taken(list(dataset.timing.values()), dataset, one, names)
    feeds = dict(zip(dataset.timing, timing, strict=True))
    memory = SESSION_FACTOR * original_size
    return Contestant(one.name, one.engine, one.file, one.session, feeds, memory)


def _as_taken(
    feeds: Sequence[Feeds], dataset: Dataset, one: Candidate, names: frozenset[str]
) -> Sequence[Feeds]:
    def change(each: Feeds) -> Feeds:
        given = {name: value for name, value in each.items() if name in names}
        return dataset.resize(given, one.resolution) if one.resolution else given

    return Changed(feeds, change)


def _fitting(part: Part, name: PartName, answer: Outputs) -> tuple[Part, str]:
    """A part, or as much of it as its answers' bytes allow."""
    each = max(1, sum(value.nbytes for value in answer.values()))
    most = max(1, OUTPUT_BYTES // (each * part.each))
    if most >= len(part.samples):
        return part, ""
    note = f"The model's answers are large: only {most} samples {name}."
    return replace(part, samples=part.samples[:most]), note


def _kept(feeds: Sequence[Feeds]) -> Sequence[Feeds]:
    each = sum(value.nbytes for value in feeds[0].values())
    return list(feeds) if each * len(feeds) <= KEPT_BYTES else feeds
