"""Devices, options and latencies to decide on: a few by name, and hypothesis's of all kinds."""

from __future__ import annotations

import math
from dataclasses import fields

from hypothesis import strategies as st

from satchel.adaptive import Latencies, Option, Work
from satchel.adaptive.drift import Watch
from satchel.device import NETWORKS, PRESSURES, DeviceProfile

PRIORITIES = ("speed", "balanced", "quality", "energy")
STRATEGIES = ("full", "lightweight", "throttled")

# The label model as its recipe has it: one file at three sizes.
LABEL = tuple(
    Option(name, "litert", size, 4_940_000, memory, seconds, milliseconds, accuracy)
    for name, size, memory, seconds, milliseconds, accuracy in (
        ("litert-int8-static", 224, 60_000_000, 0.0130, 12.3, 0.854),
        ("litert-int8-static@192", 192, 52_000_000, 0.0092, 8.7, 0.842),
        ("litert-int8-static@160", 160, 46_000_000, 0.0063, 6.1, 0.780),
    )
)

WELL = DeviceProfile(
    cpu_cores=8, memory_gib=8, isolated=True, online=True, visible=True, pressure="nominal",
    battery_powered=True, battery_level=0.8, charging=False,
)  # fmt: skip


def latencies(*, slow=False, ratio=1.0, ms=50.0, option=LABEL[0], threads=1):
    """As after some runs of one kind of work."""
    watch = Watch(runs=100, baseline=math.log(ms), average=math.log(ratio), slow=slow, wobble=0.001)
    return Latencies({Work(option.variant, option.resolution, threads): watch})


def _some(strategy):
    return st.one_of(st.none(), strategy)


SAID = {
    "cpu_cores": st.integers(1, 64),
    "memory_gib": st.sampled_from([0.25, 0.5, 1, 2, 4, 8, 64]),
    "memory_available": st.integers(0, 2**36),
    "battery_level": st.floats(0, 1),
    "network_quality": st.sampled_from(NETWORKS),
    "pressure": st.sampled_from(PRESSURES),
    "storage_free": st.integers(0, 2**40),
}
NAMES = [item.name for item in fields(DeviceProfile)]

profiles = st.builds(
    DeviceProfile, **{name: _some(SAID.get(name, st.booleans())) for name in NAMES}
)
"""What may be true."""

_NONSENSE = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from([-1, 7, 3.0, math.nan, math.inf, "critical", "4g", b"", [], {}]),
)  # fmt: skip

_MATTERS = (
    "cpu_cores", "memory_gib", "memory_available", "battery_level", "charging", "pressure",
    "isolated", "visible", "metered",
)  # fmt: skip

lies = st.fixed_dictionaries(
    {}, optional={name: st.one_of(_NONSENSE, SAID.get(name, st.booleans())) for name in _MATTERS}
).map(lambda said: DeviceProfile(**said))
"""Whatever a platform may say (of what decisions look at; test_device.py has all of it)."""

_FIGURE = st.floats(1e-4, 10)

measured = st.builds(
    Option,
    variant=st.sampled_from(["a", "b", "c", "d"]),
    engine=st.sampled_from(["onnxruntime", "litert"]),
    resolution=_some(st.sampled_from([128, 160, 192, 224])),
    bytes=st.integers(1, 2**26),
    memory=_some(st.integers(1, 2**28)),
    cpu_seconds=_FIGURE,
    latency_ms=st.floats(1e-3, 1e5),
    accuracy=st.floats(0.01, 1),
    available=st.sampled_from([True] * 7 + [False]),
    crashed=st.sampled_from([False] * 7 + [True]),
)
"""An option with all figures."""

_WRONG = st.one_of(st.none(), st.floats(), _FIGURE)

unsure = st.builds(
    Option,
    variant=st.text(max_size=5),
    engine=st.sampled_from(["onnxruntime", "litert"]),
    resolution=_some(st.integers(1, 4096)),
    bytes=st.integers(0, 2**40),
    memory=_some(st.integers(0, 2**40)),
    cpu_seconds=_WRONG,
    latency_ms=_WRONG,
    accuracy=_WRONG,
    available=st.booleans(),
    crashed=st.booleans(),
)
"""An option whose figures may be missing, or wrong."""

_works = st.builds(Work, st.sampled_from("abcd"), _some(st.just(224)), st.sampled_from([1, 2, 4]))
_watches = st.builds(
    Watch, runs=st.just(99), baseline=st.floats(-5, 15), average=st.floats(-0.4, 0.4),
    slow=st.booleans(),
)  # fmt: skip

histories = st.dictionaries(_works, _watches, max_size=2).map(Latencies)
"""Latencies after runs that took whatever they took."""


priorities = st.sampled_from(PRIORITIES)
overrides = _some(st.sampled_from(STRATEGIES))
queues = st.integers(-3, 10_000)
