"""A real headless Chromium that measures models: what `satchel_models.measurement` asks for.

Models run in the product's own inference module, on the files and with the options that the product
uses. `chromium` is the browser, `engines` what it starts, `exchange` carries bytes, `turns`
says who is when.
"""

from builder.laboratory.chromium import Chromium, opened

__all__ = ["Chromium", "opened"]
