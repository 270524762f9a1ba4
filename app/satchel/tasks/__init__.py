"""Tasks: what people want from a model, with pre- and post-processing. One module each."""

from satchel.tasks.embed import Embed
from satchel.tasks.label import Label, Prediction

__all__ = ["Embed", "Label", "Prediction"]
