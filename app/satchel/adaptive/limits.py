"""Every threshold of adaptation, with its unit and why it is what it is."""

from __future__ import annotations

from satchel.adaptive.option import Priority
from satchel.footprints import SMALL_MEMORY

__all__ = [
    "BATCH_MOST",
    "BATTERY_CALM",
    "BATTERY_LOW",
    "BATTERY_WELL",
    "BESIDE",
    "COOL_CALM",
    "CPU_TARGETS",
    "DWELL",
    "FLOORS",
    "HOLD_MOST",
    "LATENCY_UNKNOWN",
    "MODELS_SHARE",
    "OWN_LOAD",
    "SMALL_MEMORY",
    "THREADS_MOST",
    "WINDOW",
]

BATTERY_LOW = 0.20
"""Charge at or below which a discharging battery is low: where phones and laptops warn."""

BATTERY_WELL = 0.25
"""Charge from which it isn't any more; the gap is wider than what a gauge wavers."""

BATTERY_CALM = 10.0
"""Seconds without a low battery after which work is as usual again: a plug that sits loosely."""

COOL_CALM = 30.0
"""Seconds without pressure or slowness after which work is as usual again: a heat sink takes about
as long to cool as it took to warm up, tens of seconds for a phone."""

HOLD_MOST = 480.0
"""Seconds that calm must last at most. Each return soon after calm doubles what is asked of the
next one, since it was the rest itself that had made the device calm."""

DWELL = 10.0
"""Seconds between two changes of how work is done, whatever the sensors say: people notice."""

MODELS_SHARE = 1 / 16
"""Part of a device's memory that loaded models may take: 128 MiB of 2 GiB. Browsers end pages that
take much more on small devices."""

FLOORS: dict[Priority, float] = {"speed": 0.035, "balanced": 0.035, "quality": 0.0, "energy": 0.10}
"""Accuracy, as a fraction of 1, that an answer may be below the model's first variant."""

CPU_TARGETS = {"serious": 0.5, "critical": 0.25}
"""Share of one processor core to stay within, by pressure. Half of the work is what a device sheds
by itself when it throttles from its highest to its base clock; slowness that was found without a
sensor, and a person's wish, count as serious."""

BESIDE = 1.2
"""Processor time of an answer per second that it takes on one thread: a page decodes, passes on and
draws besides (measured by `bench adaptive`, where rests leave the processor's caches cold)."""

OWN_LOAD = 0.4
"""Part of all cores from which one's own work explains that the processor is busy: browsers call it
serious from about three quarters, of which that is more than half."""

WINDOW = 2.0
"""Seconds that a batch and its rest take at most: answers keep coming."""

BATCH_MOST = 8
"""Requests in a batch at most."""

LATENCY_UNKNOWN = 0.1
"""Seconds that an answer is taken to need where neither this device nor a report says."""

THREADS_MOST = 4
"""Threads where nobody tried out what is best: more gain little (onnxruntime-web's own limit)."""
