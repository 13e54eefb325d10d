"""Train a method's network by its recipe: a small, plain loop that can be stopped and resumed to the bit.

`train` carries out a `vosbench.method.Recipe`. Everything that happens in a step is known by the seed and the step's
number: which examples it has, how they are augmented, what dropout drops. So a training that was killed resumes from
its last checkpoint and ends in the same weights, and processes that share a step (``torchrun``) take the step of one.

Begin to read at `loop`; it calls `data` for examples, `step` for a step, and `checkpoint` for what is kept.
"""

from vosbench.train.data import draw
from vosbench.train.loop import train
from vosbench.train.settings import Listener, Outcome, Settings, Validate, validator

__all__ = ["Listener", "Outcome", "Settings", "Validate", "draw", "train", "validator"]
