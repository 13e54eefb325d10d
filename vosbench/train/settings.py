"""The settings and the outcome of a training, and the validation of weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from vosbench.dataset.selection import Selection
from vosbench.errors import UsageError
from vosbench.method import Method, Setup
from vosbench.metrics.measures import CRITERIA
from vosbench.runner import resolve_options, run

Inputs = Literal["auto", "bgr255", "rgb255", "torchvision"]
Precision = Literal["fp32", "bf16", "fp16"]
Scores = Mapping[str, float]
Validate = Callable[[Path], Scores]
"""Scores a weights file; the first of `vosbench.metrics.measures.CRITERIA` among the scores decides what is best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a recipe is carried out.

    Attributes:
        name: the network, as ``method.variant``; saved with the weights.
        data: the training data in words, datasets and splits; saved with the weights.
        about: a remark on the data, such as what is not in it; saved with the weights, and repeated by tables.
        content: a hash of the files of datasets whose names do not tell it; without it, only names are compared.
        seed: of the initial weights, the data and dropout.
        device: a torch device; under ``torchrun``, ``"cuda"`` is one GPU per process.
        precision: of convolutions and products; weights stay in fp32.
        accumulate: number of parts in which a step is computed; batch normalisation sees one part at a time.
        workers: processes that sample examples; 0 samples them in the training process.
        save_every: steps between checkpoints.
        validate_every: steps between validations, 0 for only the last.
        weights: a checkpoint to start from, or one for some parts of the network; see
            `vosbench.method.nn.weights.load`.
        backbone: a ResNet to start the encoder from, usually an ImageNet classifier; see
            `vosbench.method.nn.backbone.fill_backbone`.
        backbone_inputs: what that ResNet takes as input; see the same.
        track: trackers that get the log too, as ``"tensorboard"`` or ``"kind=place"``; see `vosbench.track`. Those
            without a place have a folder in the training's, named after them.
        half: save exported convolution weights in fp16.
        overwrite: discard another training in the folder.
    """

    name: str = ""
    data: str = ""
    about: str = ""
    content: str = ""
    seed: int = 0
    device: str = "cpu"
    precision: Precision = "fp32"
    accumulate: int = 1
    workers: int = 0
    save_every: int = 500
    validate_every: int = 0
    weights: Path | None = None
    backbone: Path | None = None
    backbone_inputs: Inputs = "auto"
    track: tuple[str, ...] = ()
    half: bool = False
    overwrite: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Receives the progress of training, in the leading process only.

    Attributes:
        step: called after every step with the number of steps done, and the terms of its loss.
        note: called with a line for the user.
    """

    step: Callable[[int, Mapping[str, float]], None] = lambda _done, _losses: None
    note: Callable[[str], None] = lambda _line: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of a training.

    Attributes:
        steps: number of steps, over all runs.
        last: the weights after them.
        best: the weights that validated best, if there was validation.
        score: of the best weights.
        leads: whether this is the leading process, which reports to the user.
    """

    steps: int
    last: Path
    best: Path | None
    score: float | None
    leads: bool = True


def validator(method: Method, setup: Setup, selection: Selection) -> Validate:
    """Make a function that scores a weights file; its maps are discarded.

    Args:
        method: the method.
        setup: the variant, the device and the options; unset options have their defaults.
        selection: the videos and the protocol.
    """
    setup = replace(setup, options=resolve_options(method, setup.options, setup.variant))

    def validate(weights: Path) -> Mapping[str, float]:
        record = run(method, replace(setup, weights=weights), selection).record
        return {name: score for name, score in record.scores.items() if score is not None}

    return validate


def criterion(scores: Mapping[str, float]) -> float:
    """Return the score that decides which weights are best.

    Raises:
        UsageError: if none of `CRITERIA` is among the scores.

    >>> criterion({"F_mean": 0.25, "J_mean": 0.5})
    0.5
    """
    for name in CRITERIA:
        if name in scores:
            return scores[name]
    raise UsageError(f"validation gives none of {', '.join(CRITERIA)} to choose the best weights by; use another set")
