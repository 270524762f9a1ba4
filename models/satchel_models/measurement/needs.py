"""What a browser must have for a candidate to be worth while there: by measurement, not by name.

For browsers without relaxed SIMD LiteRT has another build, with one thread. Whether that is still
better than the other engine's best candidate depends on the model.
"""

from satchel_models.measurement.choice import times
from satchel_models.results import Estimate

RELAXED_SIMD = "relaxed-simd"


def of(without: Estimate, threads_gain: float, other: str) -> tuple[tuple[str, ...], str]:
    """Say what a candidate needs, and how that was found out.

    Args:
        without: Its speed without relaxed SIMD over the other engine's candidate's, at one thread.
        threads_gain: How much faster that one is with two threads: without relaxed SIMD there is
            only one for this candidate.
        other: The other engine's candidate.

    Example:
        >>> of(Estimate(2.0, 1.9, 2.1), 1.8, "int8-weights")[0]
        ()
        >>> of(Estimate(1.5, 1.4, 1.6), 1.8, "int8-weights")[0]
        ('relaxed-simd',)
    """
    measured = f"{times(without)} the speed of {other} at one thread"
    # Not only where that is sure: the other engine's candidate is the one that runs everywhere.
    if without.value < 1:
        return (RELAXED_SIMD,), f"Needs relaxed SIMD: without it, it has {measured}."
    if without.value < threads_gain:
        return (RELAXED_SIMD,), (
            f"Needs relaxed SIMD: without it, it has one thread only and {measured}, and {other} "
            f"is {threads_gain:.2f} times as fast with two."
        )
    return (), f"Runs without relaxed SIMD, too: there it has {measured}."
