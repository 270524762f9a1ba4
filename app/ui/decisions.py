"""What was decided about the work, as a person would say it. Pure: it runs on any Python."""

from words import count

__all__ = ["chip", "facts", "kind", "made", "title"]

_TITLES = {"full": "Full effort", "lightweight": "Going easy", "throttled": "Taking rests"}
_ENGINES = {"onnxruntime": "ONNX Runtime", "litert": "LiteRT"}


def title(strategy):
    """What a strategy is called."""
    return _TITLES.get(strategy, strategy)


def chip(strategy):
    """What the chip of the engine says instead of being ready; "" where nothing is held back."""
    return "" if strategy == "full" else title(strategy)


def kind(decision):
    """What has to be the same for answers' times to be comparable, in words.

    Args:
        decision: An answer's, or None: nobody decided.
    """
    if decision is None:
        return "All answers"
    seen = _pixels(decision) or decision.variant
    return "{}, {}".format(seen, _threads(decision)) if seen else _threads(decision)


def made(decision):
    """Which decision made an answer, in a few words; "" where nobody decided."""
    if decision is None:
        return ""
    parts = [title(decision.strategy), _pixels(decision), _threads(decision)]
    return " · ".join(part for part in parts if part)


def facts(decision, unit):
    """What it comes down to: (name, text) each.

    Args:
        decision: The decision.
        unit: What one answer is about: "photo".
    """
    told = []
    if decision.variant:
        told.append(("Model", decision.variant))
    if decision.engine:
        told.append(("Engine", _ENGINES.get(decision.engine, decision.engine)))
    if decision.resolution:
        told.append(("Sees each {} at".format(unit), _pixels(decision)))
    told.append(("Works on", _threads(decision)))
    told.append(("Rests", _rests(decision, unit)))
    return told


def _pixels(decision):
    return "{} px".format(decision.resolution) if decision.resolution else ""


def _threads(decision):
    n = int(decision.threads)
    return "one thread" if n == 1 else count(n, "thread", "threads")


def _rests(decision, unit):
    delay = float(decision.delay)
    if not delay:
        return "none"
    batch = int(decision.batch)
    after = "each " + unit if batch == 1 else "every {} {}s".format(batch, unit)
    rest = "{:.0f} ms".format(1000 * delay) if delay < 0.0995 else "{:.1f} s".format(delay)
    return "{} after {}".format(rest, after)
