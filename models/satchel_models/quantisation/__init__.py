"""Step 3: ways to store and to compute a model, each made, loaded and run once.

`family` tells what kind of network it is, `plan` which methods are worth a try, `methods` how each
is made; `rounding`, `storage`, `embeddings`, `blocks` and `products` do the work, `sensitivity`
says which weights suffer, `ladder` offers smaller inputs. What is best, the browser says: step 5.
"""

from satchel_models.quantisation.material import Material, sample
from satchel_models.quantisation.step import GENERATED, quantise
from satchel_models.steps import Feeds

__all__ = ["GENERATED", "Feeds", "Material", "quantise", "sample"]
