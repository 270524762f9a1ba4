"""Tasks: what people want from a model, with pre- and post-processing. One module each."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from satchel.tasks.embed import Embed
    from satchel.tasks.label import Label, Prediction

__all__ = ["Embed", "Label", "Prediction"]


def __getattr__(name: str) -> Any:
    """Each is imported when it is asked for: a page has one task, mostly (PEP 562)."""
    if name == "Embed":
        from satchel.tasks.embed import Embed

        return Embed
    if name in ("Label", "Prediction"):
        from satchel.tasks import label

        return getattr(label, name)
    raise AttributeError(f"module 'satchel.tasks' has no attribute {name!r}")
