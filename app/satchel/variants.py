"""Which variant of a release a device uses, and why no better one: pure decisions.

A release lists its variants best first. The device's is the first one whose engine is here, whose
needs the device meets, and which was not found to fail here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from satchel import footprints
from satchel.errors import EngineUnavailableError, SatchelError
from satchel.manifest import Variant

__all__ = [
    "Abilities",
    "Choice",
    "ListedVariant",
    "against",
    "best",
    "engine_title",
    "failure",
    "footprint",
    "none_runs",
    "reason",
]

_ENGINES = {"onnxruntime": "ONNX Runtime", "litert": "LiteRT"}

_FEATURES = {
    "relaxed-simd": "relaxed SIMD",
    "shared-memory": "shared memory",
    "threads": "threads",
}


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a device can do for a model.

    Attributes:
        engines: Names of the engines that are here.
        features: What it has of what a variant may need; see `satchel.platform.Platform`.
        unfit: What turned out not to work here, by an engine's name or by the SHA-256 of a
            variant's file: how it failed, a clause for people. See `satchel.unfit`.
        place: What it is called in sentences.
    """

    engines: frozenset[str]
    features: frozenset[str] = frozenset()
    unfit: Mapping[str, str] = field(default_factory=dict)
    place: str = "device"


@dataclass(frozen=True, slots=True)
class Choice:
    """A device's variant.

    Attributes:
        variant: The variant.
        reason: Why no better one is used: a sentence for people; empty: there is none.
    """

    variant: Variant
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ListedVariant:
    """A variant of an installed version, as something to choose.

    Attributes:
        variant: As published: its engine, `resolutions`, `accuracy`, `latency_ms`, `cpu_seconds`.
        here: Whether it is on this device; `satchel.installer.Installer.add_variant` gets it.
        in_use: Whether it is what `open` opens.
        against: Why this device can't use it: a clause for people; empty: it can.
    """

    variant: Variant
    here: bool
    in_use: bool
    against: str = ""


def against(variant: Variant, abilities: Abilities) -> str:
    """Why a device can't use a variant: a clause for people; empty: it can.

    >>> from satchel.manifest import Reference
    >>> fast = Variant("fast", "litert", Reference("ab" * 32, 1), needs=("relaxed-simd",))
    >>> against(fast, Abilities(frozenset({"litert"}), place="browser"))
    'this browser lacks relaxed SIMD'
    """
    if variant.engine not in abilities.engines:
        return f"{engine_title(variant.engine)} is not here"
    lacking = [name for name in variant.needs if name not in abilities.features]
    if lacking:
        return f"this {abilities.place} lacks {_listed([_feature_title(name) for name in lacking])}"
    unfit = abilities.unfit
    return unfit.get(variant.engine) or unfit.get(variant.blob.sha256) or ""


def best(variants: Sequence[Variant], abilities: Abilities) -> Choice | None:
    """The first variant that a device can use; what failed before is tried again as a last resort.

    Args:
        variants: Best first.
        abilities: The device's.

    Returns:
        It, with the reason where it is not the very first; None: the device can use none.
    """
    for variant in variants:
        if not against(variant, abilities):
            return Choice(variant, reason(variant, variants, abilities))
    return best(variants, replace(abilities, unfit={})) if abilities.unfit else None


def reason(used: Variant, variants: Sequence[Variant], abilities: Abilities) -> str:
    """Why a variant is used although better ones come before it: a sentence for people.

    Args:
        used: The one in use.
        variants: Best first.
        abilities: The device's.

    Returns:
        The sentence; empty where no better one is out of the device's reach.
    """
    better = variants[: variants.index(used)]
    passed = [(variant, why) for variant in better if (why := against(variant, abilities))]
    if not passed:
        return ""
    first = passed[0][0]
    if first.engine != used.engine:
        instead = (
            f"the model runs in {engine_title(used.engine)} instead of {engine_title(first.engine)}"
        )
    else:
        instead = f"its variant “{used.name}” is used, not “{first.name}”"
    whys = _listed(dict.fromkeys(why for _, why in passed))
    return f"{whys[0].upper()}{whys[1:]}, so {instead}."


def none_runs(variants: Iterable[Variant], abilities: Abilities) -> str:
    """Why a device can use none of some variants: a clause, or several; empty: there are none."""
    return _listed(dict.fromkeys(against(variant, abilities) for variant in variants))


def failure(variant: Variant, error: SatchelError, place: str) -> tuple[str, str]:
    """What is to blame when a variant can't be used, and how it failed: see `satchel.unfit`.

    Args:
        variant: The variant.
        error: What it ended in.
        place: See `Abilities`.

    Returns:
        Its engine's name, or its file's SHA-256; and a clause for people.
    """
    detail = (error.why or error.what).rstrip(".")
    if isinstance(error, EngineUnavailableError):
        title = engine_title(variant.engine)
        return variant.engine, f"{title} can't be started in this {place} ({detail})"
    return variant.blob.sha256, f"“{variant.name}” does not work in this {place} ({detail})"


def footprint(variant: Variant) -> int:
    """Bytes of memory that a variant is taken to need once it is loaded."""
    return footprints.footprint(variant.blob.size, max(variant.resolutions, default=None))


def engine_title(name: str) -> str:
    """What an engine is called."""
    return _ENGINES.get(name, name)


def _feature_title(name: str) -> str:
    return _FEATURES.get(name, name)


def _listed(words: Collection[str]) -> str:
    """Words as people list them: a, b and c."""
    *firsts, last = words or ("",)
    return f"{', '.join(firsts)} and {last}" if firsts else last
