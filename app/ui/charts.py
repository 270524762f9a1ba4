"""How long answers took, drawn: a line, a histogram, and the same as a table."""

from dom import by_id, el, fill, show, svg
from times import bars, changes, points, rows, said
from words import duration

__all__ = ["TimesPanel", "draw_line"]

_SIZE = (300, 80)
_FEW = 3  # answers that make a picture
_LINE = 60  # answers in the line


class TimesPanel:
    """The card of the times."""

    def update(self, times, unit):
        """Draw and say them.

        Args:
            times: Of `times.Times`.
            unit: What one of them is about: "photo".
        """
        values = [ms for ms, _ in times.all]
        by_id("times-said").textContent = said(values, unit)
        drawn = len(values) >= _FEW
        show(by_id("times-charts"), drawn)
        show(by_id("times-table"), drawn)
        if drawn:
            self._draw_line(times.last(_LINE))
            self._draw_bars(values, unit)
            self._fill(times.all)

    def _draw_line(self, entries):
        values = [ms for ms, _ in entries]
        draw_line(by_id("times-line"), values, _SIZE, [kind for _, kind in entries])
        text = "The last {}, one after the other: {} to {}"
        by_id("times-line-title").textContent = text.format(
            len(values), duration(min(values)), duration(max(values))
        )

    def _draw_bars(self, values, unit):
        found = bars(values)
        most = max(count for _, _, count in found)
        width, height = _SIZE
        step = width / len(found)
        drawn = []
        for i, (_, _, count) in enumerate(found):
            tall = height * count / most
            drawn.append(
                svg(
                    "rect",
                    x="{:.1f}".format(i * step + 1),
                    y="{:.1f}".format(height - tall),
                    width="{:.1f}".format(step - 2),
                    height="{:.1f}".format(tall),
                )
            )
        fill(by_id("times-bars"), *drawn)
        text = "How many {}s took how long: from {} on the left to {} and more on the right"
        by_id("times-bars-title").textContent = text.format(
            unit, duration(found[0][0]), duration(found[-1][1])
        )

    def _fill(self, entries):
        lines = []
        for kind, count, middle, most in rows(entries):
            figures = [el("td", text, class_="num") for text in (str(count), middle, most)]
            lines.append(el("tr", el("th", kind, scope="row"), *figures))
        fill(by_id("times-rows"), *lines)


def draw_line(drawing, values, size, kinds=()):
    """Draw values as a line, with a mark wherever the kind of work changed."""
    width, height = size
    marks = [
        svg("line", x1="{:.1f}".format(x), x2="{:.1f}".format(x), y1="0", y2=height)
        for x in changes(kinds, width)
    ]
    fill(drawing, *marks, svg("polyline", points=points(values, width, height)))
