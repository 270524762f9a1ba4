"""docs/your-own-page.md, word for word: every block of it, in order, in an empty folder."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from page_photos import state
from PIL import Image, ImageDraw, ImageFont

from builder.paths import ROOT
from builder.server import serving

GUIDE = (ROOT / "docs/your-own-page.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
READY = "() => document.querySelector('#camera-open:not([disabled])') !== null"
SECONDS = 600
"""What the whole guide may take, on a machine that does other things too."""


def steps():
    """Its programs, saved under the names that they say, and its commands."""
    for language, text in BLOCKS:
        if language == "python":
            yield Path(re.match(r'"""(\w+\.py):', text).group(1)), text
        else:
            yield None, text


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What is there when all of it was done."""
    place = tmp_path_factory.mktemp("guide")
    work = place / "work"
    work.mkdir()
    ours = {
        "SATCHEL": str(ROOT),
        "SATCHEL_OFFLINE_KEYS": str(place / "keys/offline"),
        "SATCHEL_ONLINE_KEYS": str(place / "keys/online"),
        "SATCHEL_PASSPHRASE": "correct horse",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    for file, text in steps():
        if file:
            (work / file).write_text(text, "utf-8")
            continue
        done = subprocess.run(
            ["bash", "-euc", text],
            cwd=work,
            env={**os.environ, **ours},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
    return work


def digit(number):
    image = Image.new("L", (96, 96))
    font = ImageFont.load_default(size=84)
    ImageDraw.Draw(image).text((48, 48), str(number), fill=255, font=font, anchor="mm")
    file = io.BytesIO()
    image.save(file, "PNG")
    return {"name": f"{number}.png", "mimeType": "image/png", "buffer": file.getvalue()}


NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


@pytest.mark.heavy
@pytest.mark.timeout(SECONDS)
def test_the_guide_ends_with_a_page_that_labels_digits(folder, page, watch, until):
    with serving(folder / "digits/dist") as url:
        watch.allow_origin(url)
        page.goto(url)
        until(page, READY)
        assert page.title() == "Digits"
        page.get_by_test_id("file-input").set_input_files([digit(number) for number in range(10)])
        right = 0
        for number, name in enumerate(NAMES):
            until(page, state(f"{number}.png", "done"))
            row = page.locator(f"[data-testid=result][data-name='{number}.png']")
            right += name in row.locator("li").first.text_content()
        assert right >= 9
        assert "1.1.0" in page.get_by_test_id("model-version").inner_text()
        page.goto("about:blank")


@pytest.mark.heavy
@pytest.mark.timeout(SECONDS)
def test_everything_that_the_guide_names_is_there(folder):
    site = folder / "digits"
    for name in ("site.toml", "models/digits/recipe.toml", "root.json", "dist/_upload.txt"):
        assert (site / name).is_file(), name
    assert (site / "repository/metadata/1.root.json").is_file()
    # The repository is signed by keys of one's own.
    assert b"development" not in (site / "root.json").read_bytes()


def test_the_guide_tells_of_every_field_of_a_recipe():
    from dataclasses import fields

    from satchel_models.own_tables import OwnSource, Photo, Tensors, Text

    for kind in (OwnSource, Photo, Text, Tensors):
        for one in fields(kind):
            assert f"`{one.name}" in GUIDE or f"{one.name} =" in GUIDE, one.name
