"""Tasks: what people want from a model, with pre- and post-processing. One module each."""

from satchel.tasks.label import Label, Prediction

__all__ = ["Label", "Prediction"]
