"""Progress of the steps in a terminal: what is done now, how far, how long; plain in a pipe."""

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
)
from rich.table import Column
from rich.text import Text

from satchel_models.report import figures
from satchel_models.report.printable import printable
from satchel_models.report.summary import STEPS as TITLES
from satchel_models.results import STEPS

EVERY = 10.0
"""Seconds between two lines about the same thing, where there is no terminal."""

FIRST_SHARE = 0.02
"""Of a step, before which nothing is said about how long it will take."""


class Steps:
    """Shows an optimisation's steps while they run.

    Where there is a terminal, one line shows the running step and a line stays for each finished
    one. Elsewhere (a log, a pipe), a line says what is done whenever that changes.

    Args:
        console: Where to; stderr, so that a command's answer can be piped.
        names: The steps that will run, in order.
        expected: Seconds that each took before, by name; where known.
        clock: Seconds, from any start.

    Example:
        >>> console = Console(width=80)
        >>> with Steps(console, clock=lambda: 0.0) as steps:
        ...     steps.step("onnx_conversion")
        ...     steps.told("reading the graph", 0.5)
        ...     steps.done("ONNX, 94 nodes")
        [1/5] Convert
        [1/5] Convert: reading the graph (50 %, 0.0 s)
        [1/5] Convert: done in 0.0 s, ONNX, 94 nodes
    """

    def __init__(
        self,
        console: Console | None = None,
        *,
        names: Sequence[str] = STEPS,
        expected: Mapping[str, float] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._names = list(names)
        self._expected = dict(expected or {})
        self._clock = clock
        self._name = ""
        self._began = 0.0
        self._said = ("", 0.0)
        self._live: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = _live(self._console, self._now)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._name:
            if error is None:
                self.done()
            else:
                self._line("stopped" if isinstance(error, KeyboardInterrupt) else "failed")
        if self._live:
            self._live.stop()

    def step(self, name: str) -> None:
        """Begin a step; one that still runs is done with it."""
        self._begin(name)
        if self._live:
            self._task = self._live.add_task("", total=None, step=self._title())
        else:
            self._print(self._title())

    def told(self, text: str, share: float | None = None) -> None:
        """Say what is done now. This is the `Progress` that steps take.

        Args:
            text: A few words.
            share: Of the step, 0 to 1; None: nobody knows.
        """
        text = printable(text)
        if self._live and self._task is not None:
            self._live.update(
                self._task,
                description=text,
                total=None if share is None else 1.0,
                completed=share or 0.0,
            )
            return
        last, when = self._said
        if text != last or self._clock() - when >= EVERY:
            self._said = (text, self._clock())
            known = "" if share is None else f"{figures.percent(share)}, "
            self._line(f"{text} ({known}{self._now(share)})")

    def done(self, text: str = "") -> None:
        """End the running step.

        Args:
            text: What came of it, in a few words.
        """
        took = figures.duration(self._clock() - self._began)
        self._finish(f"done in {took}" + (f", {text}" if text else ""))

    def kept(self, name: str, text: str = "") -> None:
        """Say that a step need not run again: its result is kept from an earlier time."""
        self._begin(name)
        self._finish("kept from an earlier run" + (f", {text}" if text else ""))

    def _begin(self, name: str) -> None:
        if self._name:
            self.done()
        self._name, self._began = name, self._clock()
        self._said = ("", self._began)

    def _finish(self, words: str) -> None:
        # The running line goes first, or it would be drawn once more below the finished one.
        if self._live and self._task is not None:
            self._live.remove_task(self._task)
            self._live.refresh()
        self._task = None
        self._line(words, "green")
        self._name = ""

    def _title(self) -> str:
        title = TITLES.get(self._name, self._name)
        if self._name not in self._names:
            return title
        return f"[{self._names.index(self._name) + 1}/{len(self._names)}] {title}"

    def _now(self, share: float | None) -> str:
        return self._time(self._clock() - self._began, share)

    def _time(self, elapsed: float, share: float | None) -> str:
        """Say how long it took, and takes: by what is done, else as it did before."""
        whole = elapsed / share if share and share >= FIRST_SHARE else None
        expected = whole or self._expected.get(self._name)
        if not expected or expected <= elapsed:
            return figures.duration(elapsed)
        return f"{figures.duration(elapsed)} of about {figures.duration(expected)}"

    def _line(self, words: str, style: str = "") -> None:
        self._print(f"{self._title()}: {words}" if self._name else words, style)

    def _print(self, words: str, style: str = "") -> None:
        # Text, not a string: a path in brackets is no markup.
        self._console.print(Text(words, style=style), soft_wrap=not self._live)


class _Time(ProgressColumn):
    """The running step's time: it goes on while nobody tells anything."""

    def __init__(self, now: Callable[[float | None], str]) -> None:
        self._words = now
        super().__init__(Column(no_wrap=True))

    def render(self, task: Task) -> Text:
        return Text(self._words(None if task.total is None else task.completed))


def _live(console: Console, now: Callable[[float | None], str]) -> Progress:
    """Make the line of the running step; what it does gives way where the line is full."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.fields[step]}", markup=False, table_column=Column(no_wrap=True)),
        TextColumn(
            "{task.description}",
            markup=False,
            table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
        ),
        BarColumn(bar_width=12),
        _Time(now),
        console=console,
        refresh_per_second=4,  # what is measured here shares the machine
        expand=True,
        transient=True,
    )
