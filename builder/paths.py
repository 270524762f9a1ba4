"""Where things lie in the source tree. Standard library only: `bootstrap` needs it first."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The source tree."""

APP = ROOT / "app"
STATIC = APP / "static"
MODELS = ROOT / "models"
REQUIREMENTS = ROOT / "requirements"
CACHE = ROOT / ".cache"
"""Downloads and tool environments; deleting it costs time, never data."""

VENV = ROOT / ".venv"
