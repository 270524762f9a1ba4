"""The built site with a release repository of its own: as it was built, and with a newer version.

old/     the site; its label model is 1.0.0
new/     the same page; its repository has 1.1.0 as well, whose classifier was trained further
same/    the same page; 1.1.0 has the very files of 1.0.0
expired/ the same page; the timestamp has expired
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import forgery
import pytest
from front import Front
from publisher import MODEL, PAGE, RECIPE

from builder import bundle, site
from builder.bench import finetuned
from builder.release import commands, development, layout, source
from builder.release.keys import KeyFolders
from builder.server import serving


@dataclass
class Home:
    """The owner's folders, and what a release differs in.

    Attributes:
        folder: Of `old`, `new` and so on.
        differ: Bytes of the tensors in which 1.1.0 differs from 1.0.0.
        blob: SHA-256 of 1.1.0's model file.
        first: SHA-256 of 1.0.0's.
    """

    folder: Path
    differ: int = 0
    blob: str = ""
    first: str = ""

    def make(self) -> Home:
        """Build the site and publish."""
        owner = self.folder / "owner"
        owner.mkdir(parents=True)
        (owner / "site.toml").write_text(PAGE, "utf-8")
        described = site.load(owner / "site.toml")
        bundle.build(described, self.folder / "old")
        first = self.folder / "first"
        shutil.copytree(source.locate(described, None), first)
        tuned, self.differ = finetuned.with_another_head(RECIPE / "model.onnx")
        self.blob = hashlib.sha256(tuned).hexdigest()
        self.first = hashlib.sha256((RECIPE / "model.onnx").read_bytes()).hexdigest()
        file = owner / "tuned.onnx"
        file.write_bytes(tuned)
        for name, model in (("new", file), ("same", None)):
            place = self.folder / f"{name}-repository"
            shutil.copytree(first, place)
            commands.release(
                described,
                MODEL,
                version="1.1.0",
                changelog="Knows puffins.",
                files=(model,) if model else (),
                repository=place,
            )
            self._copy("old", name)
            shutil.rmtree(self.folder / name / "models")
            source.copy(place, self.folder / name / "models")
        self._copy("old", "expired")
        metadata = self.folder / "expired/models" / layout.METADATA
        spoil = forgery.Spoil(metadata, KeyFolders.default(), self.folder)
        forgery.STATES["timestamp-expired"](spoil)
        return self

    def _copy(self, before: str, name: str) -> None:
        shutil.copytree(self.folder / before, self.folder / name, copy_function=os.link)


class Host:
    """Serves these folders, each visitor's lane at `/<lane>/`."""

    def __init__(self, home: Home, front: Front, url: str) -> None:
        self.home, self.front, self.address = home, front, url

    def url(self, lane: str, show: str = "old", rules: tuple[dict, ...] = ()) -> str:
        """The page's URL in a lane, which shows this folder from now on."""
        self.lead(lane, show, *rules)
        return f"{self.address}{lane}/"

    def lead(self, lane: str, show: str, *rules: dict) -> None:
        """Say what a lane shows and spoils from now on, and begin to count anew."""
        self.front.lead(lane, show, list(rules))

    def fetched(self, lane: str, path: str = "models/blobs/") -> int:
        """Body bytes sent to a lane from such paths since it was led."""
        return sum(sent.bytes for sent in self.front.lanes[lane].sent if path in sent.path)

    def stalled(self, lane: str) -> bool:
        """Whether somebody waits in a lane for the rest of an answer."""
        return self.front.lanes[lane].waiting > 0


@contextmanager
def at_home(folder: Path) -> Iterator[Host]:
    """Make the folders with keys of their own, and serve them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("offline", "online"):
            patch.setenv(f"SATCHEL_{name.upper()}_KEYS", str(folder / "keys" / name))
        patch.setattr(development, "STORE", folder / "repositories")
        home = Home(folder / "home").make()
    front = Front()
    mounts = {f"/{name}": home.folder / name for name in ("old", "new", "same", "expired")}
    mounts["/truth"] = home.folder / "new"
    empty = folder / "empty"
    empty.mkdir()
    with serving(empty, mounts=mounts, wrap=front) as url:
        yield Host(home, front, url)
