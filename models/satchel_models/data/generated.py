"""Inputs that are made up, where nobody gives any: the right shapes and dtypes, noise inside."""

import functools
from collections.abc import Mapping, Sequence

from satchel_models.convert import samples as drawing
from satchel_models.convert.samples import Input
from satchel_models.data import arrays
from satchel_models.data.feeds import Feeds, Sample
from satchel_models.steps import Spec

COUNT = 120
"""Samples: enough that each part shows a gross error, quick enough to be nothing."""

WARNING = (
    "No data was given: inputs are made up (seed {}). Accuracy says only how a candidate's answers "
    "to noise resemble the original's, and calibration by noise is poor. Give real data: --data."
)


def samples(
    inputs: Sequence[Spec], examples: Sequence[tuple[int, ...]], below: Mapping[str, int], seed: int
) -> list[Sample]:
    """Made-up samples.

    Args:
        inputs: The model's.
        examples: Sizes that it runs with.
        below: What whole numbers stay below, by input, where the graph says so.
        seed: Of what is random.
    """
    fill = filling(inputs, examples, below)
    shared = drawing.draw(fill, seed)
    made = []
    for number in range(COUNT):
        feeds = drawing.draw(fill, seed * COUNT + number)
        feeds.update({each.name: shared[each.name] for each in fill if each.axis is None})
        name = f"made up {number}"
        made.append(Sample(name, arrays.digest(feeds), functools.partial(_only, feeds)))
    return made


def filling(
    inputs: Sequence[Spec], examples: Sequence[tuple[int, ...]], below: Mapping[str, int]
) -> tuple[Input, ...]:
    """How each input is filled."""
    axes = drawing.batch_axes(inputs) or dict.fromkeys(
        drawing.batched({s.name: shape for s, shape in zip(inputs, examples, strict=True)}), 0
    )
    return tuple(
        Input(s.name, s.dtype, shape, axes.get(s.name), below.get(s.name, drawing.FEW))
        for s, shape in zip(inputs, examples, strict=True)
    )


def _only(feeds: Feeds) -> tuple[Feeds, ...]:
    return (feeds,)
