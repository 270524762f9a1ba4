"""What the last visit needed first is made before Python asks; a wrong hint does no harm."""

from __future__ import annotations

import pytest
import visit
from page_photos import CATS, READY

from builder.server import serving

HINT = "Object.keys(localStorage).find((key) => key.endsWith(':ahead'))"
MARKS = "() => performance.getEntriesByType('mark').map(({ name }) => name)"


@pytest.fixture
def again(dist, context, watch, until):
    """Opens the page anew, with the model here and perhaps another hint, and labels a photo."""
    with serving(dist) as url:
        watch.allow_origin(url)
        page = context.new_page()
        page.goto(url)
        assert visit.label(page, until) in CATS

        def open_again(change: str = "") -> list[str]:
            page.evaluate(f"() => {{ {change} }}")
            page.goto("about:blank")
            page.goto(url)
            until(page, READY)
            assert visit.label(page, until) in CATS
            # Nothing is left over.
            engine = visit.workers(page, "engine.worker")[0]
            name = page.evaluate("() => satchel.engine.firstEngine")
            described = f"import satchel; satchel.platform.current().engines['{name}']"
            sessions = engine.evaluate(
                f"async () => pyodide.runPythonAsync(`{described}.describe()`)"
                ".then((answer) => answer.get('sessions'))"
            )
            assert sessions == 1
            return visit.workers(page, "inference")[0].evaluate(MARKS)

        yield open_again


def test_the_session_of_the_last_visit_is_made_ahead(again):
    assert "session: made ahead" in again()


@pytest.mark.parametrize(
    ("change", "marks"),
    [
        pytest.param("localStorage.clear()", [], id="none", marks=pytest.mark.heavy),
        pytest.param(
            f"localStorage.setItem({HINT}, '{{')", [], id="broken", marks=pytest.mark.heavy
        ),
        pytest.param(
            f"""const hint = JSON.parse(localStorage.getItem({HINT}));
            hint.digest = "0".repeat(64);
            localStorage.setItem({HINT}, JSON.stringify(hint));""",
            [],
            id="no such blob",
        ),
        pytest.param(
            f"""const hint = JSON.parse(localStorage.getItem({HINT}));
            hint.options = {{ level: "disabled", config: {{}} }};
            localStorage.setItem({HINT}, JSON.stringify(hint));""",
            ["session: made in vain"],
            id="other options",
        ),
    ],
)
def test_a_hint_that_is_wrong_does_no_harm(again, change, marks):
    assert again(change) == marks


@pytest.mark.heavy
def test_without_the_database_none_is_made(again, context, until, watch):
    """An empty one in its place would be taken for the library's."""
    page = context.pages[0]
    origin = page.url
    watch.expect("favicon.ico")  # of a page that is no HTML
    page.goto(f"{origin}notices.txt")
    gone = """async () => {
      for (const { name } of await indexedDB.databases()) {
        await new Promise((resolve) => { indexedDB.deleteDatabase(name).onsuccess = resolve; });
      }
    }"""
    page.evaluate(gone)
    page.goto(origin)
    assert visit.label(page, until) in CATS
