"""Train a method's network by its recipe, with a small, plain loop that can be stopped and resumed exactly.

`train` carries out a `vosbench.method.Recipe`. The seed and the number of a step determine its examples, their
augmentation and dropout. So an interrupted training resumes from its last checkpoint and ends in the same weights, and
processes that share a step (``torchrun``) take the same step as a single one.

Start reading at `loop`; it uses `data` for examples, `step` for a step, and `checkpoint` for the training's folder.
"""

from vosbench.train.data import sample
from vosbench.train.loop import train
from vosbench.train.settings import Listener, Outcome, Settings, Validate, validator

__all__ = ["Listener", "Outcome", "Settings", "Validate", "sample", "train", "validator"]
