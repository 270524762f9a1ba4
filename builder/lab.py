"""The built site, open in a real Chromium, for commands that measure."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page, sync_playwright
from starlette.types import ASGIApp

from builder import browser, bundle
from builder.errors import BuildError
from builder.paths import CACHE, ROOT
from builder.server import serving
from builder.site import Site, SiteModel
from satchel_models import Recipe


def built(recipe: Recipe, variant: str) -> Path:
    """Return the folder of a site that has one variant of one model."""
    entry = SiteModel(recipe.id, recipe.task, recipe.title, recipe.folder / "recipe.toml", variant)
    site = Site(ROOT / "site.toml", f"Evaluation of {recipe.id}", "", (entry,))
    return bundle.build(site, CACHE / "evaluate" / f"{recipe.id}-{variant}")


@contextmanager
def opened(
    folder: Path,
    *,
    path: str = "",
    mounts: Mapping[str, Path] | None = None,
    plain: bool = False,
    flags: tuple[str, ...] = (),
    service_workers: bool = True,
    wrap: Callable[[ASGIApp], ASGIApp] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Page]:
    """Serve a folder and open it in a fresh browser for as long as the block runs.

    Args:
        folder: What to serve.
        path: The page in it.
        mounts: More folders, by path.
        plain: Imitate a host that sends no headers.
        flags: More flags for the browser.
        service_workers: Whether the page may have one.
        wrap: Puts something before the server's application.
        environment: What the browser gets beside this process's own.
    """
    with (
        serving(folder, plain=plain, mounts=mounts, wrap=wrap) as url,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(
            executable_path=browser.chromium(),
            args=browser.launch_args(*flags),
            env={**os.environ, **(environment or {})},
        )
        try:
            allowed: Literal["allow", "block"] = "allow" if service_workers else "block"
            page = chromium.new_page(service_workers=allowed)
            page.set_default_timeout(0)  # a measurement takes as long as it takes
            page.goto(url + path)
            yield page
        finally:
            chromium.close()


def call(page: Page, operation: str, *arguments: Any) -> Any:
    """Call the engine of an opened site and return its answer.

    Raises:
        BuildError: The engine's own sentence.
    """
    answer = page.evaluate(
        """([op, args]) => satchel.engine.call(op, args).then(
            value => ({value}), error => ({error: `${error.name}: ${error.message}`}))""",
        [operation, list(arguments)],
    )
    if "error" in answer:
        raise BuildError(f"The page's engine failed on {operation}: {answer['error']}")
    return answer.get("value")


def install(page: Page, model: str) -> None:
    """Install a model, and insist on full effort: a machine that measures looks like a busy one.

    Raises:
        BuildError: The engine's own sentence.
    """
    call(page, "install", model)
    call(page, "adapt", "full", "balanced")
