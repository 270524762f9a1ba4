"""Everything that can go wrong, as one tree.

    SatchelError
    ├── ModelError                   the model itself
    │   ├── ModelFormatError             the bytes are no model, or not all of one
    │   └── UnsupportedModelError        an operator or type that this engine lacks
    ├── InputError (ValueError)      what was passed to the model
    │   ├── InputNameError
    │   ├── InputShapeError
    │   └── InputTypeError
    ├── InferenceError               the engine, while running
    │   ├── OutOfMemoryError (MemoryError)
    │   ├── InferenceTimeoutError (TimeoutError)
    │   └── EngineCrashedError
    ├── SupersededError              a newer request took the place of one that waited
    ├── EngineUnavailableError       no inference engine can be started here
    ├── TransferError                bytes on their way
    │   ├── NetworkError                 no answer, or a refusal
    │   └── IntegrityError               an answer that is not what was promised
    ├── LibraryError                 what is stored on this device
    │   ├── ModelNotFoundError (LookupError)
    │   ├── VariantMissingError          what this device can use of a model is not on it
    │   ├── WithdrawnError               a version that its maker took back
    │   ├── StorageError
    │   │   └── StorageFullError
    │   └── SchemaError                  stored by a newer version than this one
    ├── UpdateError                  a newer version of a model
    │   ├── TrustError                   signed metadata that cannot be trusted
    │   │   └── ExpiredError                 it was right once, but its time is over
    │   └── ValidationError              the version does not do what its release promises
    ├── ManifestError                a manifest that cannot be understood
    └── ImageError                   an image that cannot be decoded

Each error says what happened, why, and what to do next. The page shows the sentence that a
developer sees.
"""

__all__ = [
    "EngineCrashedError",
    "EngineUnavailableError",
    "ExpiredError",
    "ImageError",
    "InferenceError",
    "InferenceTimeoutError",
    "InputError",
    "InputNameError",
    "InputShapeError",
    "InputTypeError",
    "IntegrityError",
    "LibraryError",
    "ManifestError",
    "ModelError",
    "ModelFormatError",
    "ModelNotFoundError",
    "NetworkError",
    "OutOfMemoryError",
    "SatchelError",
    "SchemaError",
    "StorageError",
    "StorageFullError",
    "SupersededError",
    "TransferError",
    "TrustError",
    "UnsupportedModelError",
    "UpdateError",
    "ValidationError",
    "VariantMissingError",
    "WithdrawnError",
]


class SatchelError(Exception):
    """Base of all errors that Satchel raises on purpose.

    Args:
        what: What happened, and to what.
        why: The cause, where it is known.
        todo: What to do next.
    """

    def __init__(self, what: str, *, why: str = "", todo: str = "") -> None:
        self.what, self.why, self.todo = what, why, todo
        super().__init__(" ".join(_sentence(part) for part in (what, why, todo) if part))


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text[-1] in ".!?" else text + "."


class ModelError(SatchelError):
    """The model cannot be used."""


class ModelFormatError(ModelError):
    """The bytes are no model, or not all of one."""


class UnsupportedModelError(ModelError):
    """The model needs an operator, type or version that this engine does not have."""


class InputError(SatchelError, ValueError):
    """What was passed does not fit the model."""


class InputNameError(InputError):
    """Inputs are missing, or have names that the model does not know."""


class InputShapeError(InputError):
    """An input's shape does not match the model's."""


class InputTypeError(InputError):
    """An input's dtype cannot become the model's without changing values."""


class InferenceError(SatchelError):
    """The engine failed while running the model."""


class OutOfMemoryError(InferenceError, MemoryError):
    """The engine ran out of memory; it has been replaced and can be used again."""


class InferenceTimeoutError(InferenceError, TimeoutError):
    """A run took longer than it was given; the engine has been replaced where it had to be."""


class EngineCrashedError(InferenceError):
    """The engine broke down; it has been replaced and can be used again."""


class SupersededError(SatchelError):
    """A newer request took the place of this one while it waited; see `AdaptiveInference.run`."""


class EngineUnavailableError(SatchelError):
    """No inference engine can be started here."""


class TransferError(SatchelError):
    """Bytes did not arrive as they should."""


class NetworkError(TransferError):
    """The server could not be reached, or refused, or the connection was cut.

    Args:
        status: The HTTP status of a refusal.
        retry_after: Seconds after which the server wants to be asked again.
    """

    def __init__(
        self,
        what: str,
        *,
        why: str = "",
        todo: str = "",
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(what, why=why, todo=todo)
        self.status, self.retry_after = status, retry_after


class IntegrityError(TransferError):
    """What arrived is not what was promised: wrong length or wrong hash."""


class LibraryError(SatchelError):
    """Something about the models stored on this device."""


class ModelNotFoundError(LibraryError, LookupError):
    """The library holds no such model or version."""


class VariantMissingError(LibraryError):
    """A model is here, but only in variants that this device can't use any more.

    Args:
        model: The model's id.
        variant: Name of the variant that this device can use; `Installer.add_variant` gets it.
    """

    def __init__(
        self, what: str, *, model: str, variant: str, why: str = "", todo: str = ""
    ) -> None:
        super().__init__(what, why=why, todo=todo)
        self.model, self.variant = model, variant


class StorageError(LibraryError):
    """The device's storage failed."""


class StorageFullError(StorageError):
    """The device's storage has no room."""


class SchemaError(LibraryError):
    """What is stored was written by a newer version of Satchel."""


class WithdrawnError(LibraryError):
    """Its maker took this version back, and there is no other one here to use."""


class UpdateError(SatchelError):
    """A newer version could not be looked for, got or put in place; what was here still is."""


class TrustError(UpdateError):
    """Signed metadata is not what its keys vouch for, or older than what was seen before."""


class ExpiredError(TrustError):
    """The signatures are right, but their time is over by this device's clock."""


class ValidationError(UpdateError):
    """A version does not give what its release promises."""


class ManifestError(SatchelError):
    """A manifest cannot be understood."""


class ImageError(SatchelError):
    """An image cannot be decoded."""
