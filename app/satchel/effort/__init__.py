"""AdaptiveInference: carries out what `satchel.adaptive` decides. Nothing here decides by itself.

`inference` is the public class; `line` says whose turn it is, `family` has a task's variants ready,
`probe` finds out what measures best here, and `kept` remembers that.
"""

from satchel.effort.inference import AdaptiveInference, Result

__all__ = ["AdaptiveInference", "Result"]
