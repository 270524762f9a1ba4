"""How long the last answers took: what is kept, and how it is drawn and said.

Pure: it runs on any Python.
"""

from words import count, duration

__all__ = ["Times", "bars", "changes", "points", "rows", "said", "spread"]

_MOST = 200  # answers that are kept
_BARS = 20


class Times:
    """The last answers' times, in their order."""

    def __init__(self):
        self.all = []  # of (milliseconds, what was alike in the work, in words)

    def add(self, ms, kind):
        """An answer took so long, at this kind of work."""
        self.all.append((ms, kind))
        if len(self.all) > _MOST:
            self.all.pop(0)

    def last(self, most):
        """The last of them."""
        return self.all[-most:]


def points(values, width, height):
    """A line through values from 0 on, as the `points` of an SVG polyline; two or more of them."""
    top = max(values) * 1.1 or 1
    step = width / (len(values) - 1)
    return " ".join(
        "{:.1f},{:.1f}".format(i * step, height - height * value / top)
        for i, value in enumerate(values)
    )


def changes(kinds, width):
    """Where on such a line the kind of work changed: distances from its beginning."""
    step = width / (len(kinds) - 1)
    return [(i - 0.5) * step for i in range(1, len(kinds)) if kinds[i] != kinds[i - 1]]


def bars(values, most=_BARS):
    """How often answers took how long: (from, to, how many) each, all equally wide.

    The few slowest are counted with the last bar, lest one pause make all others look alike.
    """
    ordered = sorted(values)
    low, high = ordered[0], _share(ordered, 0.97)
    step = (high - low) / most
    if step <= 0:
        return [(low, ordered[-1], len(ordered))]
    counts = [0] * most
    for value in ordered:
        counts[min(most - 1, int((value - low) / step))] += 1
    return [(low + i * step, low + (i + 1) * step, n) for i, n in enumerate(counts)]


def spread(values):
    """The middle time, and what nine in ten stay within."""
    ordered = sorted(values)
    return _share(ordered, 0.5), _share(ordered, 0.9)


def said(values, unit):
    """All times in a sentence."""
    if not values:
        return "Nothing yet. The time of each {} will be drawn here.".format(unit)
    middle, most = spread(values)
    if len(values) < 3:
        return "{} so far: {}.".format(count(len(values), unit, unit + "s"), duration(middle))
    text = "The last {} {}s: usually {}, nine in ten within {}."
    return text.format(len(values), unit, duration(middle), duration(most))


def rows(entries):
    """By kind of work, the latest first: (what was alike, how many, middle, nine in ten) each."""
    found = []  # MicroPython's dicts keep no order
    for ms, kind in entries:
        for one in found:
            if one[0] == kind:
                one[1].append(ms)
                break
        else:
            found.append((kind, [ms]))
    told = []
    for kind, values in reversed(found):
        middle, most = spread(values)
        told.append((kind, len(values), duration(middle), duration(most)))
    return told


def _share(ordered, part):
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
