"""Step 5: what candidates need and give in a real browser, and which one to take.

`laboratory` says what a browser must offer (`builder.laboratory` is one), `statistics` and `choice`
are pure, `validation` carries it out.
"""

from satchel_models.measurement.laboratory import (
    Contestant,
    Laboratory,
    Measurement,
    Refusal,
    Samples,
    Schedule,
)

__all__ = ["Contestant", "Laboratory", "Measurement", "Refusal", "Samples", "Schedule"]
