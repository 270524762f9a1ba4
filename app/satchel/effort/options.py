"""A model's variants as the options that are decided among. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from satchel.adaptive.option import Option
from satchel.adaptive.selection import figure
from satchel.unfit import ENDED
from satchel.variants import ListedVariant

__all__ = ["options_of", "with_measured"]


def options_of(listed: Iterable[ListedVariant]) -> tuple[Option, ...]:
    """The options of an installed model, its maker's best first.

    Each variant is run at the largest of the resolutions that its report has; its accuracy is the
    first figure of that: what its task is judged by.
    """
    return tuple(_option(one) for one in listed)


def with_measured(options: Sequence[Option], seconds: Mapping[str, float]) -> tuple[Option, ...]:
    """The options with this device's own figures, where reports don't have them of all.

    Args:
        options: The options.
        seconds: What one answer takes here on one thread, by variant: processor time by proxy.
    """
    usable = [option for option in options if option.available]
    if all(figure(option.cpu_seconds) for option in usable):
        return tuple(options)
    return tuple(_measured(option, seconds.get(option.variant)) for option in options)


def _option(listed: ListedVariant) -> Option:
    variant = listed.variant
    crashed = listed.against.endswith(ENDED)
    return Option(
        variant.name,
        variant.engine,
        max(variant.resolutions, default=None),
        variant.blob.size,
        cpu_seconds=variant.cpu_seconds,
        latency_ms=variant.latency_ms,
        accuracy=next(iter((variant.accuracy or {}).values()), None),
        available=listed.here and (crashed or not listed.against),
        crashed=crashed,
    )


def _measured(option: Option, seconds: float | None) -> Option:
    latency = None if seconds is None else 1000 * seconds
    return replace(option, cpu_seconds=seconds, latency_ms=latency)
