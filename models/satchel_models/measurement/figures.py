"""What measurements say: ratios to float32 with their intervals, medians, means over inputs."""

import statistics
from collections.abc import Sequence

from satchel_models.measurement import ratios
from satchel_models.measurement.laboratory import Measurement, Samples
from satchel_models.results import Estimate, Timing


def speedup(found: Measurement, threads: int) -> Estimate:
    """float32's latency over a candidate's: the geometric mean over kinds of input."""
    of = [samples for (number, _), samples in found.samples.items() if number == threads]
    return ratios.geometric(
        [_by_round(samples.baseline_ms) for samples in of],
        [_by_round(samples.latency_ms) for samples in of],
    )


def time(found: Measurement, other: Measurement, threads: int) -> Estimate:
    """A candidate's time over another's: the geometric mean over kinds of input.

    Each is taken in float32's time of the same rounds, so that they may be of different groups.
    """
    kinds = [kind for number, kind in found.samples if number == threads]
    pairs = [(found.samples[threads, kind], other.samples[threads, kind]) for kind in kinds]
    return ratios.geometric(*([_relative(pair[k]) for pair in pairs] for k in (0, 1)))


def creation(found: Measurement) -> Estimate:
    """float32's time to make a session over a candidate's."""
    return ratios.paired(found.baseline_creation_ms, found.creation_ms)


def longer(found: Measurement) -> float:
    """By how many milliseconds a session takes longer to be made than float32's."""
    return statistics.median(found.creation_ms) - statistics.median(found.baseline_creation_ms)


def cpu_seconds(found: Measurement, threads: int) -> float:
    """Processor time of one inference, in seconds: the geometric mean over kinds of input.

    The clock ticks every 10 ms, so a mean over all rounds tells more than a median.
    """
    means = [
        statistics.fmean(samples.cpu_seconds)
        for (number, _), samples in found.samples.items()
        if number == threads
    ]
    # What takes less than the clock can tell takes something all the same.
    return statistics.geometric_mean(max(mean, 1e-6) for mean in means)


def threads_gain(found: Measurement) -> float:
    """How many times as fast a candidate is with two threads as with one."""
    kinds = [kind for number, kind in found.samples if number == 1]
    one, two = (
        [statistics.median(_by_round(found.samples[number, kind].latency_ms)) for kind in kinds]
        for number in (1, 2)
    )
    return statistics.geometric_mean(a / b for a, b in zip(one, two, strict=True))


def threads(found: Measurement) -> tuple[int, ...]:
    """The numbers of threads that a candidate was measured with."""
    return tuple(dict.fromkeys(number for number, _ in found.samples))


def quicker(found: Measurement) -> int:
    """The number of threads with least latency: on a busy machine it may well be one."""
    latencies: dict[int, list[float]] = {}
    for (threads, _), samples in found.samples.items():
        latencies.setdefault(threads, []).append(statistics.median(_by_round(samples.latency_ms)))
    return min(latencies, key=lambda threads: statistics.geometric_mean(latencies[threads]))


def timings(found: Measurement, resolution: int | None) -> tuple[Timing, ...]:
    """All that was measured of one candidate.

    Args:
        found: The measurement.
        resolution: Side of the images that it was measured with; None: the original's inputs.
    """
    return tuple(
        Timing(
            threads=threads,
            feed=f"{resolution}×{resolution}" if resolution else kind,
            latency_ms=tuple(ms for turn in samples.latency_ms for ms in turn),
            cpu_seconds=samples.cpu_seconds,
            speedup=_speedup(samples),
        )
        for (threads, kind), samples in found.samples.items()
    )


def _speedup(samples: Samples) -> Estimate:
    return ratios.paired(_by_round(samples.baseline_ms), _by_round(samples.latency_ms))


def _relative(samples: Samples) -> list[float]:
    mine, base = _by_round(samples.latency_ms), _by_round(samples.baseline_ms)
    return [ms / of for ms, of in zip(mine, base, strict=True)]


def _by_round(turns: Sequence[Sequence[float]]) -> list[float]:
    """One value for each round: a turn's inferences aren't independent of each other."""
    return [statistics.median(turn) for turn in turns]
