"""What answers are worth: by labels, by people's scores, or by the original's own answers.

Each kind has two metrics. The hard one is what people ask for (top-1, Spearman) and is reported;
the soft one says the same with less chance in it, and selects.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from satchel_models.data import metrics
from satchel_models.data.feeds import Outputs
from satchel_models.errors import DataError
from satchel_models.pairs import spearman
from satchel_models.results import Accuracy, Estimate

POINTS = 100
"""Percentage points in a fraction of 1."""

TOP = 5


@dataclass(frozen=True)
class Scored:
    """How good a model's answers are.

    Attributes:
        accuracy: By the hard metric, beside the original.
        loss: By the soft metric: what it loses against the original, in points.
    """

    accuracy: Accuracy
    loss: Estimate


class Scorer(Protocol):
    """A kind of metrics.

    Attributes:
        metric: The hard one's name.
        labelled: Whether it needs more than the original's answers.
    """

    metric: str
    labelled: bool

    def score(
        self,
        truths: Sequence[Any],
        outputs: Sequence[Outputs],
        original: Sequence[Outputs],
        seed: int,
    ) -> Scored:
        """Score answers.

        Args:
            truths: What is known of each sample.
            outputs: A model's answers, in order; as many per sample as it has inferences.
            original: The original's.
            seed: Of the intervals.

        Raises:
            DataError: The outputs are not of the kind that this can score.
        """
        ...


class Classes:
    """Samples with a class index: top-1 and top-5; softly, the probability of the true class."""

    metric = "top1"
    labelled = True

    def score(  # noqa: D102  # see Scorer
        self,
        truths: Sequence[Any],
        outputs: Sequence[Outputs],
        original: Sequence[Outputs],
        seed: int,
    ) -> Scored:
        truth = np.concatenate([np.atleast_1d(one) for one in truths]).astype(np.int64)
        scores, before = class_scores(outputs, original)
        if len(scores) != len(truth):
            raise DataError(f"There are {len(truth)} labels for {len(scores)} answers.")
        check_labels(truth, scores.shape[1])
        ours, theirs = (metrics.right(each, truth, 1) for each in (scores, before))
        delta = metrics.paired_mean(ours * POINTS, theirs * POINTS, seed)
        logits = not metrics.are_probabilities(before)
        soft = [
            metrics.true_probability(each, truth, logits=logits) * POINTS
            for each in (scores, before)
        ]
        more = {}
        if scores.shape[1] > TOP:
            more = {
                name: float(metrics.right(each, truth, TOP).mean())
                for name, each in (("top5", scores), ("top5_original", before))
            }
        accuracy = _accuracy(self.metric, outputs, original, more)
        return Scored(
            _with(accuracy, float(ours.mean()), float(theirs.mean()), delta, len(truth)),
            metrics.paired_mean(soft[1], soft[0], seed),
        )


class Scores:
    """Pairs of sentences that people scored: Spearman's correlation, hard and soft alike."""

    metric = "spearman"
    labelled = True

    def score(  # noqa: D102  # see Scorer
        self,
        truths: Sequence[Any],
        outputs: Sequence[Outputs],
        original: Sequence[Outputs],
        seed: int,
    ) -> Scored:
        people = np.asarray(truths, np.float64)
        found, before = (self._alike(answers) for answers in (outputs, original))
        change = metrics.paired_spearman(found, before, people, seed)
        delta = Estimate(*(POINTS * v for v in (change.value, change.low, change.high)))
        accuracy = _accuracy(self.metric, outputs, original, {})
        values = spearman(found, people), spearman(before, people)
        return Scored(
            _with(accuracy, *values, delta, len(people)),
            Estimate(-delta.value, -delta.high, -delta.low),
        )

    def _alike(self, answers: Sequence[Outputs]) -> NDArray[np.float64]:
        found = [vector(one) for one in answers]
        pairs = zip(found[::2], found[1::2], strict=True)
        return np.array([metrics.cosine(first, second) for first, second in pairs])


class Likeness:
    """Nothing but the original's answers: agreement with them, or the cosine.

    Softly, what the cosine lacks to 1.

    Args:
        classes: Whether two-dimensional answers are classes' scores, so that agreement means
            something; embeddings are two-dimensional too.
    """

    labelled = False

    def __init__(self, *, classes: bool) -> None:
        self.metric = "agreement" if classes else "cosine"

    def score(  # noqa: D102  # see Scorer
        self,
        truths: Sequence[Any],
        outputs: Sequence[Outputs],
        original: Sequence[Outputs],
        seed: int,
    ) -> Scored:
        accuracy = _accuracy(self.metric, outputs, original, {})
        each = np.array([_cosine(a, b) for a, b in zip(outputs, original, strict=True)])
        value = float(each.mean())
        if self.metric == "agreement" and accuracy.agreement is not None:
            value = accuracy.agreement
        else:
            accuracy = replace(accuracy, metric="cosine")
        why = "The data has no labels: only likeness to the original's answers can be told."
        return Scored(
            replace(accuracy, value=value, original=1.0, why=why, count=len(truths)),
            metrics.paired_mean(np.full(each.size, POINTS), each * POINTS, seed),
        )


def class_scores(
    outputs: Sequence[Outputs], original: Sequence[Outputs]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Scores of classes out of answers, [samples, classes] each.

    Raises:
        DataError: There is no such output.
    """
    name = _scores_name(original[0])
    if name is None:
        shapes = ", ".join(f"{key} {list(value.shape)}" for key, value in original[0].items())
        raise DataError(
            f"Labels need a model that gives scores [batch, classes], and this one gives {shapes}. "
            "Give data without labels, or name the output with scores."
        )
    return _joined(outputs, name), _joined(original, name)


def check_labels(truth: NDArray[Any], classes: int) -> None:
    """Hold class indices against how many classes there are.

    Raises:
        DataError: One is too large or negative.
    """
    wrong = truth[(truth < 0) | (truth >= classes)]
    if wrong.size:
        raise DataError(
            f"The data has the label {int(wrong[0])}, and the model's classes are 0 … "
            f"{classes - 1}. Number the labels as the model's outputs are."
        )


def vector(answer: Outputs) -> NDArray[np.float64]:
    """A text's vector: the first floating output; of a vector for each token, their mean."""
    found = next((v for v in answer.values() if v.dtype.kind == "f" and v.ndim > 1), None)
    if found is None:
        raise DataError("Pairs of sentences need a model that gives a vector for each text.")
    wide = np.asarray(found, np.float64)[0]
    return np.asarray(wide.mean(axis=tuple(range(wide.ndim - 1)))) if wide.ndim > 1 else wide


def _scores_name(answer: Outputs) -> str | None:
    for name, value in answer.items():
        if value.dtype.kind == "f" and value.ndim > 1 and value.shape[1] == value[0].size > 1:
            return name
    return None


def _joined(answers: Sequence[Outputs], name: str) -> NDArray[Any]:
    rows = np.concatenate([one[name] for one in answers])
    return rows.reshape(len(rows), -1)


def _cosine(answer: Outputs, original: Outputs) -> float:
    floats = [name for name, value in original.items() if value.dtype.kind == "f"]
    return min((metrics.cosine(answer[name], original[name]) for name in floats), default=1.0)


def _accuracy(
    metric: str,
    outputs: Sequence[Outputs],
    original: Sequence[Outputs],
    more: Mapping[str, float],
) -> Accuracy:
    """What can be told of any answers: how far they are from the original's."""
    agreement = None
    if _scores_name(original[0]):
        agreement = float(metrics.same_first(*class_scores(outputs, original)).mean())
    pairs = list(zip(outputs, original, strict=True))
    errors = [
        float(np.abs(np.subtract(a[name], b[name], dtype=np.float64)).max(initial=0.0))
        for a, b in pairs
        for name, value in b.items()
        if value.dtype.kind in "fiu"
    ]
    return Accuracy(
        metric=metric,
        value=0.0,
        original=0.0,
        delta=None,
        interval=None,
        why="",
        cosine=min(_cosine(a, b) for a, b in pairs),
        max_error=max(errors, default=0.0),
        agreement=agreement,
        count=0,
        more=more,
    )


def _with(
    accuracy: Accuracy, value: float, original: float, delta: Estimate, count: int
) -> Accuracy:
    return replace(
        accuracy,
        value=value,
        original=original,
        delta=delta.value,
        interval=(delta.low, delta.high),
        count=count,
    )
