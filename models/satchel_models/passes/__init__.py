"""Step 2: graph passes, by level, each measured and checked.

`plan` says which passes a level runs, `transforms` what each does; `optimise` runs them one by one
and undoes what doesn't load or moves the answers.
"""

from satchel_models.passes.optimise import fused, optimise

__all__ = ["fused", "optimise"]
