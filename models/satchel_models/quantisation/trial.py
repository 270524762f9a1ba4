"""Whether a candidate loads and runs, before it counts: with one input, and with two at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime

from satchel_models import native
from satchel_models.errors import GraphError, NumericsError
from satchel_models.recipe import Session
from satchel_models.steps import Converted, Feeds


@dataclass(frozen=True)
class Trial:
    """What a model's candidates must be able to run.

    Attributes:
        feeds: Inputs, the first as it came, perhaps a second with two in a batch.
        finite: Whether the original's answers to them are finite numbers.
        pairs: Whether the second is there.
    """

    feeds: tuple[Feeds, ...]
    finite: bool
    pairs: bool


def prepared(
    converted: Converted, session: onnxruntime.InferenceSession, feeds: Sequence[Feeds]
) -> Trial:
    """What the float32 graph shows that it can do.

    Raises:
        GraphError: It doesn't run with the first input.
    """
    tried = list(feeds[:1])
    found = native.answers("The graph", session, tried)
    pair = doubled(converted, feeds[0]) if feeds else None
    if pair is not None:
        try:
            found += native.answers("The graph", session, [pair])
            tried.append(pair)
        except GraphError:
            pair = None  # a first axis that is no batch: nothing to ask of candidates
    return Trial(tuple(tried), native.finite(found), pair is not None)


def run(name: str, data: bytes, session: Session, trial: Trial) -> None:
    """Load a candidate and run it.

    Raises:
        GraphError: It doesn't load or run.
        NumericsError: Its answers are not finite.
    """
    loaded = native.loaded(name, data, session)
    found = native.answers(name, loaded, trial.feeds)
    if trial.finite and not native.finite(found):
        raise NumericsError(f"{name} answers with values that are not finite.")


def doubled(converted: Converted, feeds: Feeds) -> Feeds | None:
    """Inputs with a second sample, the same once more; None where the batch isn't dynamic."""
    batches = [s.shape[0] for s in converted.inputs if s.shape and isinstance(s.shape[0], str)]
    if not batches:
        return None
    result = dict(feeds)
    for spec in converted.inputs:
        # A recurrent state has the batch further in.
        if batches[0] in spec.shape and spec.name in feeds:
            value, axis = feeds[spec.name], spec.shape.index(batches[0])
            if value.shape[axis] != 1:
                return None
            result[spec.name] = np.concatenate([value, value], axis)
    return result
