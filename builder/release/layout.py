"""What lies where in a release repository; what a host serves has the same form."""

from pathlib import Path

METADATA = "metadata"
MANIFESTS = "manifests"
BLOBS = "blobs"

SERVED = (METADATA, MANIFESTS, BLOBS)
"""The folders that a host serves. What else lies in a repository is its owner's."""

UPLOAD = "upload.txt"
"""The order in which to upload a repository that has an origin of its own."""

SUPERSEDED = "superseded.json"
"""When each manifest stopped being the current one."""


def target(model: str) -> str:
    """Return the name of a model's one signed target, its manifest."""
    return f"{model}.json"


def manifest_name(model: str, sha256: str) -> str:
    """Return a manifest's file name, as TUF's consistent snapshots have it."""
    return f"{sha256}.{target(model)}"


def blob(folder: Path, sha256: str) -> Path:
    """Return where a repository keeps a blob."""
    return folder / BLOBS / sha256
