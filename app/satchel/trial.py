"""One opened model's runs, reported to the library: how a new version does, and what is damaged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from satchel.errors import (
    EngineUnavailableError,
    IntegrityError,
    ModelError,
    SatchelError,
    UnsupportedModelError,
)
from satchel.probation import Outcome, problem

__all__ = ["Blame", "Report", "Trial"]

BATCH = 5
"""Good runs that are reported together: each report is a commit. What a killed tab did not report
makes the probation longer."""

Report = Callable[[int, str | None], Awaitable[bool]]
"""Takes the number of runs and what was wrong with the last one; tells whether to go on."""

Blame = Callable[[SatchelError], Awaitable[bool]]
"""Takes why a model can't be loaded on this device; tells whether another variant of it can."""


class Trial:
    """Watches the runs of one opened version.

    Args:
        name: The model's and the version's, for people.
        new: Whether it is on probation.
        report: Counts runs.
        intact: Whether the file on this device is what was installed.
        blame: Told when the device turns out to be unable to run it.
    """

    def __init__(
        self,
        name: str,
        *,
        new: bool,
        report: Report,
        intact: Callable[[], Awaitable[bool]],
        blame: Blame,
    ) -> None:
        self._name = name
        self._new = new
        self._report = report
        self._intact = intact
        self._blame = blame
        self._answered = False
        self._unreported = 0

    async def __call__(self, outcome: Outcome) -> None:
        """Take a run's outcome.

        Raises:
            IntegrityError: The model does not load because its file was damaged on this device.
        """
        if isinstance(outcome, ModelError) and not await self._intact():
            raise IntegrityError(
                f"The file of '{self._name}' was damaged on this device", todo="Get it again"
            ) from outcome
        if isinstance(outcome, EngineUnavailableError | UnsupportedModelError):
            # What has worked can work again.
            if not self._answered and await self._blame(outcome):
                return
        elif not isinstance(outcome, BaseException):
            self._answered = True
        if not self._new:
            return
        self._unreported += 1
        wrong = problem(outcome)
        if wrong is not None or self._unreported >= BATCH:
            runs, self._unreported = self._unreported, 0
            self._new = await self._report(runs, wrong)
