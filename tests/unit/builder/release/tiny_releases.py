"""Releases of a model of a few bytes, for tests of what is signed."""

import hashlib

from satchel.manifest import Manifest, Reference, Release, Variant
from satchel.versions import Version


def blob(content):
    """A blob's reference, and its content by SHA-256."""
    digest = hashlib.sha256(content).hexdigest()
    return Reference(digest, len(content)), {digest: content}


def release(version, content=b"model", rollout=100.0):
    """A release of one variant, and its blobs."""
    reference, blobs = blob(content)
    variant = Variant("only", "onnxruntime", reference)
    made = Release(
        Version.parse(version), "Words.", "Apache-2.0", {"browser": (variant,)}, rollout=rollout
    )
    return made, blobs


def manifest(*releases, **more):
    """A manifest of the model `tiny`."""
    return Manifest("tiny", "label", "Tiny", tuple(releases), **more)
