"""The browser of the laboratory."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, Page

from builder import lab, processes
from builder.errors import BuildError
from builder.laboratory import engines, rounds
from builder.laboratory.exchange import Exchange, packed, unpacked
from builder.laboratory.refusal import Refused
from builder.paths import APP
from satchel_models.data import Feeds, Outputs
from satchel_models.errors import MeasurementError
from satchel_models.measurement import Contestant, Measurement, Refusal, Runtime, Schedule
from satchel_models.tools import Progress

PAGE = Path(__file__).parent / "page"

BATCH_SECONDS = 0.7
"""About how long the page works between two reports of progress."""

BATCH_MOST = 64


@contextmanager
def opened() -> Iterator["Chromium"]:
    """Open a laboratory for as long as the block runs.

    Raises:
        BuildError: There is no browser.

    Example:
        >>> with opened() as laboratory:  # doctest: +SKIP
        ...     laboratory.measure(contestants, Schedule(), print)
    """
    exchange = Exchange()
    mounts = {"/engine": APP / "satchel/platform/browser", **engines.mounts()}
    with lab.opened(PAGE, mounts=mounts, service_workers=False, wrap=exchange.beside) as page:
        yield Chromium(page, exchange)


class Chromium:
    """A page in a browser, with a worker for each engine; see `measurement.Laboratory`."""

    def __init__(self, page: Page, exchange: Exchange) -> None:
        self.exchange = exchange
        self._page = page
        self._url = page.url
        browser = page.context.browser
        if browser is None:
            raise BuildError("The laboratory's page has no browser.")
        self._browser = browser
        self._processes = browser.new_browser_cdp_session()
        self._versions = {"Chromium": browser.version}

    @property
    def versions(self) -> Mapping[str, str]:
        """Of the browser and of the engines that were used."""
        return dict(self._versions)

    @property
    def downloads(self) -> Mapping[str, int]:
        """See `measurement.Laboratory`."""
        return engines.downloads()

    def measure(
        self, contestants: Sequence[Contestant], schedule: Schedule, progress: Progress
    ) -> tuple[Measurement | Refusal, ...]:
        """See `measurement.Laboratory`."""
        return rounds.measured(self, contestants, schedule, progress)

    def outputs(
        self,
        contestant: Contestant,
        feeds: Sequence[Feeds],
        progress: Progress,
        *,
        threads: int = 1,
    ) -> tuple[Outputs, ...] | Refusal:
        """See `measurement.Laboratory`."""
        try:
            self.start(contestant.runtime, threads)
            self.load(contestant)
            self.create(contestant, keep=True)
            return tuple(self._all_outputs(contestant, feeds, progress))
        except Refused as refused:
            return Refusal(contestant.name, refused.reason)
        finally:
            self.end(contestant.runtime)

    def start(self, runtime: Runtime, threads: int) -> None:
        """Start an engine's worker, in place of an earlier one.

        Raises:
            MeasurementError: It doesn't start, or not with these threads.
        """
        engine = runtime.engine
        if engine not in engines.ENGINES:
            raise MeasurementError(
                f"The laboratory has no engine {engine!r}; it has {', '.join(engines.ENGINES)}."
            )
        settings = engines.settings(runtime, self._url)
        try:
            told = self._evaluate("start", _worker(runtime), {**settings, "threads": threads})
        except Refused as refused:
            raise MeasurementError(
                f"The engine {engine} doesn't start in the browser: {refused.reason}"
            ) from refused
        if told["threads"] != threads:
            raise MeasurementError(
                f"The engine {engine} runs on {told['threads']} threads, not {threads}: the page "
                "is not cross-origin isolated, or lacks what the engine's threads need."
            )
        self._versions[f"{engine} in the browser"] = str(told["version"])

    def end(self, runtime: Runtime) -> None:
        """End an engine's worker: that alone gives memory back."""
        # Ctrl-C ends the browser too; what goes through here then is worth more than its complaint.
        with suppress(Error):
            self._page.evaluate("(worker) => laboratory.end(worker)", _worker(runtime))

    def load(self, contestant: Contestant) -> None:
        """Put a contestant's model and inputs into its engine's worker."""
        given = {"name": contestant.name, "url": self.exchange.offer(contestant.file)}
        self.call(contestant, "file", given)
        self.exchange.withdraw(given["url"])
        for kind, feeds in contestant.feeds.items():
            content, (tensors,) = packed([feeds])
            url = self.exchange.offer(content)
            self.call(
                contestant,
                "input",
                {"key": key(contestant, kind), "url": url, "tensors": tensors},
            )
            self.exchange.withdraw(url)

    def create(self, contestant: Contestant, *, keep: bool) -> float:
        """Make a session; return milliseconds."""
        session = contestant.session
        options = {"level": session.graph_optimization_level, "config": dict(session.config)}
        given = {"name": contestant.name, "options": options, "keep": keep}
        return float(self.call(contestant, "create", given))

    def turn(self, contestant: Contestant, kind: str, count: int) -> tuple[float, ...]:
        """Run a kept session some times in a row; return milliseconds."""
        given = {"name": contestant.name, "key": key(contestant, kind), "count": count}
        return tuple(self.call(contestant, "turn", given))

    def answer(self, contestant: Contestant, feeds: Sequence[Feeds]) -> list[Outputs]:
        """Run a kept session over inputs."""
        content, samples = packed(feeds)
        url, to = self.exchange.offer(content), self.exchange.place()
        given = {"name": contestant.name, "url": url, "samples": samples, "to": to}
        try:
            told = self.call(contestant, "outputs", given)
        finally:
            self.exchange.withdraw(url)
        return unpacked(self.exchange.take(to), told)

    def call(self, contestant: Contestant, operation: str, given: Mapping[str, Any]) -> Any:
        """Call an operation of a contestant's engine.

        Raises:
            Refused: In the engine's words.
        """
        return self._evaluate("call", _worker(contestant.runtime), operation, given)

    def cpu_seconds(self) -> float:
        """Return the processor time so far of the browser's renderer processes."""
        return processes.renderer_seconds(self._processes)

    def _all_outputs(
        self, contestant: Contestant, feeds: Sequence[Feeds], progress: Progress
    ) -> Iterator[Outputs]:
        done, batch = 0, 1
        while done < len(feeds):
            progress(f"{contestant.name}: {done} of {len(feeds)} inputs", done / len(feeds))
            started = time.perf_counter()
            found = self.answer(contestant, feeds[done : done + batch])
            took = (time.perf_counter() - started) / len(found)
            yield from found
            done += len(found)
            batch = max(1, min(BATCH_MOST, 2 * batch, int(BATCH_SECONDS / took)))
        progress(f"{contestant.name}: {done} inputs", 1.0)

    def _evaluate(self, operation: str, *given: Any) -> Any:
        try:
            answer = self._page.evaluate(
                "([operation, given]) => laboratory[operation](...given)", [operation, list(given)]
            )
        except Error as error:
            if not self._browser.is_connected():
                raise MeasurementError(
                    f"The laboratory's browser ended: {error.message}"
                ) from error
            self._reopen()
            reason = f"The browser's page crashed ({error.message.splitlines()[0]})."
            raise Refused(reason, fatal=True) from error
        if "error" in answer:
            told = answer["error"]
            raise Refused(_sentence(told["message"]), fatal=bool(told["fatal"]))
        return answer.get("value")

    def _reopen(self) -> None:
        self._page.close()
        self._page = self._browser.new_page(service_workers="block")
        self._page.set_default_timeout(0)
        self._page.goto(self._url)


def key(contestant: Contestant, kind: str) -> str:
    """Return the name of a contestant's input in the page."""
    return f"{contestant.name}/{kind}"


def _worker(runtime: Runtime) -> str:
    """The name of a worker in the page."""
    return " without ".join([runtime.engine, *sorted(runtime.without)])


def _sentence(words: str) -> str:
    """Return an engine's words as a sentence."""
    text = " ".join(str(words).split())
    return text if text.endswith((".", "!", "?")) else f"{text}."
