"""Step 5: what candidates need and give in a real browser, and which one to take.

`laboratory` says what a browser must offer (`builder.laboratory` is one), `ratios`, `figures` and
`choice` are pure, `native` runs models here, `validation` carries it out.
"""

from satchel_models.measurement.laboratory import (
    Contestant,
    Laboratory,
    Measurement,
    Refusal,
    Samples,
    Schedule,
)
from satchel_models.measurement.validation import Validation, validate

__all__ = [
    "Contestant",
    "Laboratory",
    "Measurement",
    "Refusal",
    "Samples",
    "Schedule",
    "Validation",
    "validate",
]
