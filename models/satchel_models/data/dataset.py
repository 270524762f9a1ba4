"""Data in three parts that share no sample, and how a model's answers to each are scored."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from satchel_models.data import resizing
from satchel_models.data.feeds import Feeds, Made, Outputs, Sample
from satchel_models.data.scoring import Scored, Scorer
from satchel_models.errors import DataError

PartName = Literal["calibrate", "select", "report"]

SHARES: Mapping[PartName, float] = {"calibrate": 0.2, "select": 0.3, "report": 0.5}
"""Of the data. Reporting gets most: its metric is the one with most chance in it."""

FEW = 100
"""Samples in the reporting part below which one of them is worth a point and more."""


@dataclass(frozen=True)
class Part:
    """Some of the data.

    Attributes:
        samples: In the order of their digests, which is no order at all.
        each: Inferences that a sample needs.
        scorer: Of answers.
        seed: Of intervals.
    """

    samples: tuple[Sample, ...]
    each: int
    scorer: Scorer
    seed: int

    @property
    def feeds(self) -> Sequence[Feeds]:
        """Inputs in order, `each` per sample, made when they are asked for."""
        return Made(self.samples, self.each)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the samples."""
        return tuple(sample.name for sample in self.samples)

    def score(self, outputs: Sequence[Outputs], original: Sequence[Outputs]) -> Scored:
        """Score a model's answers to all of `feeds`, in order, beside the original's.

        Raises:
            DataError: The outputs are of another kind than the data is for.
        """
        truths = [sample.truth for sample in self.samples]
        return self.scorer.score(truths, outputs, original, self.seed)


@dataclass(frozen=True)
class Dataset:
    """Data for one model.

    Attributes:
        name: What it is, in words.
        parts: By name.
        generated: Whether it was made up.
        timing: What latency is measured with: one input of each kind, by the kind's name.
        ladder: Smaller sides of images that may be tried, in pixels; (): none.
        warnings: What the developer should know, a sentence each.
    """

    name: str
    parts: Mapping[PartName, Part]
    generated: bool
    timing: Mapping[str, Feeds]
    ladder: tuple[int, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    @property
    def labelled(self) -> bool:
        """Whether it says what is right."""
        return self.parts["report"].scorer.labelled

    @property
    def metric(self) -> str:
        """The hard metric's name."""
        return self.parts["report"].scorer.metric

    def part(self, name: PartName) -> Part:
        """One of the three parts."""
        return self.parts[name]

    def resize(self, feeds: Feeds, side: int) -> Feeds:
        """Inputs with their images at another size: `ladder` says which make sense."""
        return resizing.resized(feeds, side)


def split(
    samples: Sequence[Sample],
    calibration: Sequence[Sample] | None,
    scorer: Scorer,
    *,
    each: int,
    seed: int,
    place: str,
) -> dict[PartName, Part]:
    """Split samples by their content: copies of one land in one part, wherever their files lie.

    Args:
        samples: All.
        calibration: What calibrates, given apart; what of it is also in `samples` leaves those.
        scorer: Of answers.
        each: Inferences per sample.
        seed: Of intervals.
        place: Where they come from, for errors.

    Raises:
        DataError: There are too few.
    """
    shares = dict(SHARES)
    if calibration is not None:
        del shares["calibrate"]
        apart = {sample.digest for sample in calibration}
        samples = [sample for sample in samples if sample.digest not in apart]
    digests = sorted({sample.digest for sample in samples})
    if len(digests) < len(shares):
        raise DataError(
            f"{place} holds {len(digests)} different samples that can be used, and {len(shares)} "
            f"parts ({', '.join(shares)}) need one each. Give more."
        )
    ends = _ends(len(digests), list(shares.values()))
    part_of: dict[str, PartName] = {}
    start = 0
    for name, end in zip(shares, ends, strict=True):
        part_of.update(dict.fromkeys(digests[start:end], name))
        start = end
    ordered = sorted(samples, key=lambda sample: (sample.digest, sample.name))
    parts: dict[PartName, Part] = {
        name: Part(tuple(s for s in ordered if part_of[s.digest] == name), each, scorer, seed)
        for name in shares
    }
    if calibration is not None:
        by_content = sorted(calibration, key=lambda sample: (sample.digest, sample.name))
        parts["calibrate"] = Part(tuple(by_content), each, scorer, seed)
    return parts


def remarks(parts: Mapping[PartName, Part], warnings: Iterable[str] = ()) -> tuple[str, ...]:
    """Warnings, and one about too little data where that is so."""
    count = len(parts["report"].samples)
    few = f"Only {count} samples report accuracy: it can't be told closely."
    return (*warnings, *([few] if count < FEW else []))


def _ends(count: int, shares: Sequence[float]) -> list[int]:
    """Where each part ends: in proportion, and no part empty."""
    whole = sum(shares)
    ends, filled = [], 0.0
    for number, share in enumerate(shares):
        filled += share / whole
        least, most = number + 1, count - (len(shares) - number - 1)
        ends.append(max(least, min(most, round(count * filled))))
    return ends
