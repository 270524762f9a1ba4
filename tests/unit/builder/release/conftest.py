"""Small repositories: real keys, real signatures, blobs of a few bytes."""

import pytest
from tiny_releases import manifest, release

from builder.release import founding
from builder.release.founding import Quorum
from builder.release.keys import KeyFolders
from builder.release.stage import changing, first_root


@pytest.fixture(autouse=True)
def passphrase(monkeypatch):
    monkeypatch.setenv("SATCHEL_PASSPHRASE", "correct horse")


@pytest.fixture
def keys(tmp_path):
    return KeyFolders(tmp_path / "keys/offline", tmp_path / "keys/online")


@pytest.fixture
def repository(tmp_path, keys):
    """A repository with real keys (2 of 3 for root) and `tiny` 1.0.0."""
    place = tmp_path / "site/repository"
    with changing(place, keys, None) as stage:
        founding.found(stage, keys, "ed25519", {"root": Quorum(2, 3)})
        made, blobs = release("1.0.0")
        stage.put(manifest(made), blobs)
    return place


@pytest.fixture
def root(repository):
    """What the site has committed."""
    return first_root([repository])
