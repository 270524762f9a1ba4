"""What can go wrong on the way from an original to an artefact.

ModelError
├── RecipeError     recipe.toml says something else than it should
├── SourceError     the original cannot be had, or is not the one that the recipe names
├── TaskError       the model does not do what its task needs
├── ConversionError             the original cannot become an ONNX graph
│   ├── UntrustedError          loading it would run code out of the file
│   └── UnsupportedOperatorError    the graph has operators that the engine doesn't know
├── DataError       what a model is to be calibrated or measured with is missing or doesn't fit it
├── MeasurementError    float32 itself can't be measured, so nothing can be compared
├── NumericsError   a step changed the model's answers more than it may
├── GraphError      a graph doesn't load, or doesn't run with the inputs given
├── UnsuitableError a way of quantising finds nothing to do in a graph
├── TargetError     a platform or a level is not known, or what measures is not there
└── ReportError     a report cannot be read, or doesn't go together with another
"""


class ModelError(Exception):
    """A model cannot be made; the message says which, why, and what to do."""


class RecipeError(ModelError):
    """A recipe does not parse: the message names the file and the field."""


class SourceError(ModelError):
    """An original model is missing, or its bytes are not the expected ones."""


class ConversionError(ModelError):
    """An original is no model, is damaged, or cannot become an ONNX graph."""


class UntrustedError(ConversionError):
    """Loading a file would run code that is in it, and nobody said that this is wanted."""


class UnsupportedOperatorError(ConversionError):
    """A graph has operators that the engine doesn't know: the message names them."""


class TaskError(ModelError):
    """A model is not of the kind that its task needs: inputs, outputs, labels, vocabulary."""


class DataError(ModelError):
    """Evaluation data is missing, damaged, or is for another model: the message names the place."""


class MeasurementError(ModelError):
    """The browser can't run what everything is compared with, or the laboratory itself failed."""


class NumericsError(ModelError):
    """A transformed graph no longer answers as its predecessor did."""


class ReportError(ModelError):
    """A report cannot be read, or does not go together with another: the message says why."""


class GraphError(ModelError):
    """A graph doesn't load in ONNX Runtime, or doesn't run with the inputs given."""


class UnsuitableError(ModelError):
    """A way of quantising is of no use for a graph; the message says why."""


class TargetError(ModelError):
    """A platform or a level is not known, or what measures for it is not there."""
