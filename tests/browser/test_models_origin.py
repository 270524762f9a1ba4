"""A page whose models have an origin of their own, which sends nothing but leave to read."""

from __future__ import annotations

import dataclasses

import pytest
import visit
from page_photos import CAT, CATS, choose, copy_of

from builder import bundle, site
from builder.paths import ROOT
from builder.release import development, source
from builder.server import serving

MODEL = "efficientnet-lite0"


def open_to_all(served):
    """Puts the one header before a host that its models need."""

    async def answer(scope, receive, send):
        async def with_header(message):
            if message["type"] == "http.response.start":
                allowed = (b"access-control-allow-origin", b"*")
                message = {**message, "headers": [*message["headers"], allowed]}
            await send(message)

        await served(scope, receive, with_header)

    return answer


@pytest.fixture
def ours():
    return site.load(ROOT / "site.toml")


def test_a_page_takes_its_models_and_their_updates_from_another_origin(
    ours, context, watch, until, tmp_path
):
    repository = source.locate(ours, None)
    assert repository == development.place(ours)
    with serving(repository, plain=True, wrap=open_to_all) as models_url:
        elsewhere = dataclasses.replace(ours, models_url=str(models_url))
        folder = bundle.build(elsewhere, tmp_path / "dist", repository=repository)
        assert not (folder / "models").exists()
        with serving(folder) as url:
            watch.allow_origin(url)
            watch.allow_origin(models_url)
            page = context.new_page()
            page.goto(url)
            choose(page, copy_of(CAT, "cat.jpg"))
            assert visit.answer(page, until, "cat.jpg") in CATS
            looked = visit.call(page, "check")
            told = page.evaluate("() => satchel.site")
            page.get_by_role("link", name="About").click()
            said = page.locator("#view-about").inner_text()
    assert told["models_origin"] == models_url.rstrip("/")
    assert f"its models from {told['models_origin']}, and asks no other one" in said
    assert told["urls"]["metadata"] == f"{models_url}metadata/"
    asked = {answer.path.split("/")[1] for answer in models_url.log}
    assert asked == {"manifests", "blobs", "metadata"}
    assert looked["value"]["models"][0]["problem"] is None, looked
    assert looked["value"]["models"][0]["checked_at"]
