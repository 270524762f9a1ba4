"""Data for an optimisation: what calibrates, what selects and what reports, never the same sample.

Photos, arrays, sentences, or what is made up where nobody gives any; and how good a model's answers
to them are. Nothing here runs a model.
"""

from satchel_models.data.dataset import Dataset, Part, PartName
from satchel_models.data.feeds import Feeds, Outputs
from satchel_models.data.images import Preprocessing
from satchel_models.data.loading import load
from satchel_models.data.scoring import Scored

__all__ = ["Dataset", "Feeds", "Outputs", "Part", "PartName", "Preprocessing", "Scored", "load"]
