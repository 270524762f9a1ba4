"""What is optimised: a developer's file, or a model that has a recipe.

A subject knows how its original becomes ONNX and what data is prepared by; a recipe's also puts the
face that its task needs into the graph, and may bring candidates of its own making.
"""

from satchel_models.subjects.file import File, example
from satchel_models.subjects.own import Own
from satchel_models.subjects.published import Embed, Label
from satchel_models.subjects.subject import Subject

__all__ = ["Embed", "File", "Label", "Own", "Subject", "example"]
