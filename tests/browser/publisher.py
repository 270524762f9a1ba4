"""A site's owner, who publishes new versions of the label model; and a host that dawdles."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from builder import bundle, site
from builder.bench import finetuned
from builder.paths import ROOT
from builder.release import commands, source

MODEL = "efficientnet-lite0"
RECIPE = ROOT / "models" / MODEL

PAGE = f"""title = "Satchel"
description = "Words"
[[models]]
id = "{MODEL}"
task = "label"
title = "Label"
recipe = "{RECIPE}"
variant = "int8-float16-weights"
"""


class Publisher:
    """Keeps a release repository in a folder of its own, and what a host serves beside it.

    The site begins with the recipe's own 1.0.0, signed with development keys. They are made where
    the environment says (`SATCHEL_OFFLINE_KEYS`, `SATCHEL_ONLINE_KEYS`), and the development
    repository is at `builder.release.development.STORE`.
    """

    def __init__(self, folder: Path) -> None:
        (folder / "site").mkdir(parents=True)
        (folder / "site/site.toml").write_text(PAGE, "utf-8")
        self._files = folder
        self._site = site.load(folder / "site/site.toml")
        self.dist = folder / "dist"
        bundle.build(self._site, self.dist)

    def release(self, version: str, *, changelog: str = "Knows puffins.", **more: object) -> None:
        """Publish a version whose classifier was trained on a little, and upload it."""
        file = self._files / f"{version}.onnx"
        tuned, _ = finetuned.with_another_head(
            RECIPE / "model.onnx", seed=len(list(self._files.glob("*.onnx")))
        )
        file.write_bytes(tuned)
        commands.release(
            self._site, MODEL, version=version, changelog=changelog, files=(file,), **more
        )
        self.upload()

    def withdraw(self, version: str) -> None:
        """Take a version back, and upload that."""
        commands.withdraw(self._site, MODEL, version=version)
        self.upload()

    def upload(self) -> None:
        """Put the repository where the page looks for it."""
        source.copy(source.locate(self._site, None), self.dist / "models")


ALLOWED = 300_000
"""Bytes of each model file that a host lets through before it dawdles: some chunks of 80 kB."""


class Dawdler:
    """Wraps a host: model files stop on their way, as long as somebody wants that."""

    def __init__(self) -> None:
        self._free = threading.Event()
        self._free.set()

    def hold(self) -> None:
        """From now on only the first part of each model file arrives."""
        self._free.clear()

    def let(self) -> None:
        """Let everything through."""
        self._free.set()

    def __call__(self, served):
        async def answer(scope, receive, send):
            if "/models/blobs/" in scope.get("path", ""):
                await served(scope, receive, self._slowly(send))
            else:
                await served(scope, receive, send)

        return answer

    def _slowly(self, send):
        sent = 0

        async def slow(message):
            nonlocal sent
            sent += len(message.get("body", b""))
            while sent > ALLOWED and not self._free.is_set():
                await asyncio.sleep(0.02)
            await send(message)

        return slow
