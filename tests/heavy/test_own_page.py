"""A digits CNN out of PyTorch becomes a page of its own, works offline, and updates itself."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from builder.paths import CACHE, ROOT
from builder.server import serving
from satchel_models import source

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(1200)]

PACKAGE = ("scikit-learn==1.7.2",)
DIGITS = "sklearn/datasets/data/digits.csv.gz"
SHA256 = "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"

SHOWN = 20
"""Digits that the page is shown, of those that nobody was trained on."""

READY = "() => document.querySelector('[data-testid=engine-state]').dataset.state === 'ready'"
OFFLINE = "() => document.querySelector('[data-testid=offline-ready]').dataset.state === 'yes'"
VERSION = "document.querySelector('[data-testid=model-version]').textContent"
UPDATE = "document.querySelector('[data-testid=update]').dataset.state"


@pytest.fixture(scope="module")
def data():
    """scikit-learn's digits, out of its wheel."""
    return source.file(PACKAGE, DIGITS, SHA256, CACHE / "originals")


@pytest.fixture(scope="module")
def shown(data):
    """Photos of digits, 96 × 96 pixels, with what they are."""
    rows = np.loadtxt(data, delimiter=",", dtype=np.float32)[-SHOWN:]
    photos = []
    for number, row in enumerate(rows):
        pixels = np.round(row[:64].reshape(8, 8) * 255 / 16).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels.repeat(12, axis=0).repeat(12, axis=1)).save(file, "PNG")
        name = f"digit-{number}.png"
        payload = {"name": name, "mimeType": "image/png", "buffer": file.getvalue()}
        photos.append((payload, int(row[64])))
    return photos


class Owner:
    """Somebody with a model, at the command line, in a folder of their own."""

    def __init__(self, folder: Path, python: Path, data: Path) -> None:
        self.folder = folder
        self._python = python
        self._data = data

    def build_py(self, *arguments: str) -> str:
        """Run a command of `build.py`."""
        keys = self.folder.parent / "keys"
        ours = {
            "SATCHEL_OFFLINE_KEYS": str(keys / "offline"),
            "SATCHEL_ONLINE_KEYS": str(keys / "online"),
            "SATCHEL_PASSPHRASE": "correct horse",
        }
        return self._run([sys.executable, str(ROOT / "build.py"), *arguments], ours)

    def train(self, epochs: int) -> float:
        """Train for some time; how many of the digits that were held out are told right."""
        program = Path(__file__).with_name("train_digits.py")
        options = ["--epochs", str(epochs), "--out", "digits.pt2"]
        return float(self._run([str(self._python), str(program), str(self._data), *options], {}))

    def _run(self, command: list[str], more: dict[str, str]) -> str:
        done = subprocess.run(
            command, cwd=self.folder, env={**os.environ, **more},
            capture_output=True, text=True, timeout=900, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def owner(tmp_path_factory, torch_python, data):
    folder = tmp_path_factory.mktemp("owner") / "work"
    folder.mkdir()
    return Owner(folder, torch_python, data)


def labelled(page, until, shown, prefix):
    """How many digits the page tells right."""
    photos = [payload | {"name": f"{prefix}-{payload['name']}"} for payload, _ in shown]
    page.get_by_test_id("file-input").set_input_files(photos)
    right = 0
    for photo, (_, truth) in zip(photos, shown, strict=True):
        row = f"document.querySelector('[data-testid=result][data-name=\"{photo['name']}\"]')"
        until(page, f"() => {row}?.dataset.state === 'done'")
        right += int(page.evaluate(f"() => {row}.dataset.index")) == truth
    return right


def test_a_network_of_one_s_own_labels_digits_offline_and_updates(
    owner, shown, context, watch, until, record_property
):
    owner.build_py("new", "digits", "--task", "label", "--title", "Digits", "--model", "digits.pt2")
    before = owner.train(epochs=3)
    labels = owner.folder / "digits/models/digits/labels.txt"
    labels.write_text("".join(f"{digit}\n" for digit in range(10)), "utf-8")
    owner.build_py("optimize", "digits/models/digits")
    site = ("--site", "digits/site.toml")
    owner.build_py("keys", "make", *site)
    owner.build_py("release", "digits", *site)
    owner.build_py("build", *site)

    with serving(owner.folder / "digits/dist") as url:
        watch.allow_origin(url)
        page = context.new_page()
        page.goto(url)
        until(page, READY)
        until(page, OFFLINE)
        assert page.title() == "Digits"
        context.set_offline(True)
        page.reload()
        until(page, READY)
        first = labelled(page, until, shown, "offline")
        assert first >= 0.7 * SHOWN
        context.set_offline(False)

        after = owner.train(epochs=25)
        assert after > before
        owner.build_py("optimize", "digits/models/digits")
        owner.build_py(
            "release", "digits", *site, "--version", "1.1.0", "--changelog", "Trained for longer."
        )
        owner.build_py("build", *site)
        page.get_by_role("link", name="Models").click()
        until(page, "() => document.querySelector('[data-testid=model-row]') !== null")
        page.get_by_role("button", name="Check now").click()
        until(page, f"() => {UPDATE} === 'available'")
        assert "Trained for longer." in page.inner_text("[data-testid=model-row]")
        page.get_by_role("button", name="Update: Digits", exact=True).click()
        until(page, f"() => {VERSION} === 'Digits 1.1.0'")
        page.get_by_role("link", name="Label", exact=True).click()
        second = labelled(page, until, shown, "updated")
        assert second >= 0.9 * SHOWN
        record_property(
            "figure", f"digits told right: {first} of {SHOWN} by 1.0.0 offline, {second} by 1.1.0"
        )
        page.goto("about:blank")
