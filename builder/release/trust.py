"""Whom a site's page trusts: which repository its models come from, and the root it starts with."""

from dataclasses import dataclass
from pathlib import Path

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root

from builder.errors import BuildError, InputMissingError
from builder.files import short
from builder.release import layout
from builder.release.roles import newest_root
from builder.site import Site

FIELD = "satchel"
"""Our own field in root metadata, which TUF leaves room for: `{"development": true}`."""


@dataclass(frozen=True)
class Trust:
    """What the page embeds.

    Attributes:
        root: Root metadata, as bytes that a device starts from.
        id: Ten hex digits that name the repository for good: of its first root's SHA-256.
        development: The keys are this machine's development keys.
    """

    root: bytes
    id: str
    development: bool


def committed(site: Site) -> bytes | None:
    """Return the root metadata that is committed with a site; None: there is none.

    Raises:
        BuildError: The file holds something else.
    """
    if site.root is None or not site.root.is_file():
        return None
    data = site.root.read_bytes()
    if is_development(parse(data, site.root)):
        raise BuildError(
            f"{site.root} names development keys, which no site should be published with. Make "
            "real ones: delete it and run python3 build.py keys make"
        )
    return data


def of(site: Site, repository: Path) -> Trust:
    """Return what a page built from a repository trusts.

    Raises:
        InputMissingError: The repository isn't there, or real keys have no committed root.
    """
    newest = newest_root(repository / layout.METADATA)
    if newest is None:
        raise InputMissingError(
            f"There is no release repository at {repository}. Release a model into it first: "
            f"python3 build.py release {site.models[0].id} --repository {repository}"
        )
    first = repository / layout.METADATA / "1.root.json"
    root = committed(site)
    if root is None:
        root = newest.read_bytes()
        if not is_development(parse(root, newest)):
            place = site.root or site.file.parent / "root.json"
            raise InputMissingError(
                f"There is no {place} that says whom the page trusts. If the repository is yours, "
                f"commit its root metadata with the site: cp {newest} {place}"
            )
    return Trust(root, short(first.read_bytes()), is_development(parse(root, newest)))


def parse(data: bytes, path: Path) -> Root:
    """Read root metadata.

    Raises:
        BuildError: It is none.
    """
    try:
        root: Root = Metadata[Root].from_bytes(data).signed
    except RepositoryError as error:
        raise BuildError(f"{path} is no root metadata: {error}") from error
    if not isinstance(root, Root):
        raise BuildError(f"{path} holds metadata of {root.type}, not of root.")
    return root


def is_development(root: Root) -> bool:
    """Tell whether root metadata names development keys."""
    return bool(root.unrecognized_fields.get(FIELD, {}).get("development"))


def mark_development(root: Root, *, development: bool) -> None:
    """Say in root metadata what sort of keys it names."""
    if development:
        root.unrecognized_fields[FIELD] = {"development": True}
    else:
        root.unrecognized_fields.pop(FIELD, None)
