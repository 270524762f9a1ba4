"""Step 5: what candidates need and give in a real browser, and which one to take.

`laboratory` says what a browser must offer (`builder.laboratory` is one); `ratios`, `figures`,
`choice`, `reasons` and `needs` are pure; `native` runs models here; `validation` carries it out,
`accounts` has its accuracies, `outcome` its result.
"""

from satchel_models.measurement.laboratory import (
    Contestant,
    Laboratory,
    Measurement,
    Refusal,
    Runtime,
    Samples,
    Schedule,
)
from satchel_models.measurement.outcome import Validation
from satchel_models.measurement.validation import validate

__all__ = [
    "Contestant",
    "Laboratory",
    "Measurement",
    "Refusal",
    "Runtime",
    "Samples",
    "Schedule",
    "Validation",
    "validate",
]
