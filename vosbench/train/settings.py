"""What the loop is told besides the recipe, what it gives back, and how weights are validated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from vosbench.dataset.selection import Selection
from vosbench.errors import UsageError
from vosbench.method import Method, Setup
from vosbench.metrics.measures import CRITERIA
from vosbench.runner import resolve_options, run

Precision = Literal["fp32", "bf16", "fp16"]
Scores = Mapping[str, float]
Validate = Callable[[Path], Scores]
"""Scores a weights file; the first of `vosbench.metrics.measures.CRITERIA` that it gives decides what is best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a recipe is carried out.

    Attributes:
        name: what is trained, as ``method.variant``; kept with the weights.
        data: what it is trained on, in words: datasets and their splits; kept with the weights.
        seed: of the first weights, the data and dropout.
        device: a torch device; under ``torchrun``, ``"cuda"`` is one GPU per process.
        precision: ``"fp32"``, or what convolutions and products compute in; weights stay in fp32.
        accumulate: parts that the examples of a step are computed in, one after the other; batch normalisation
            sees a part at a time.
        workers: processes that sample examples; 0 samples them in this one.
        save_every: steps between checkpoints.
        validate_every: steps between validations, 0 for none but the last.
        weights: a safetensors file to start from.
        backbone: a ResNet to start the encoder from, mostly an ImageNet classifier; see
            `vosbench.method.nn.weights.fill_backbone`.
        half: save exported convolution weights in fp16.
        overwrite: discard what another training has left in the folder.
    """

    name: str = ""
    data: str = ""
    seed: int = 0
    device: str = "cpu"
    precision: Precision = "fp32"
    accumulate: int = 1
    workers: int = 0
    save_every: int = 500
    validate_every: int = 0
    weights: Path | None = None
    backbone: Path | None = None
    half: bool = False
    overwrite: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Is told how training goes; in the leading process alone.

    Attributes:
        step: called after every step with how many are done, and the terms of its loss.
        note: called with a line that is worth reading.
    """

    step: Callable[[int, Mapping[str, float]], None] = lambda _done, _losses: None
    note: Callable[[str], None] = lambda _line: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of a training.

    Attributes:
        steps: that were taken, over all runs.
        last: the weights after them.
        best: those that validated best, if there was validation.
        score: of the best.
        leads: whether this is the process that says so.
    """

    steps: int
    last: Path
    best: Path | None
    score: float | None
    leads: bool = True


def validator(method: Method, setup: Setup, selection: Selection) -> Validate:
    """Make what scores a weights file; its maps are not kept.

    Args:
        method: the method.
        setup: the variant, the device and the options; those that are not set hold their defaults.
        selection: the videos and the protocol.
    """
    setup = replace(setup, options=resolve_options(method, setup.options))

    def validate(weights: Path) -> Mapping[str, float]:
        record = run(method, replace(setup, weights=weights), selection).record
        return {name: score for name, score in record.scores.items() if score is not None}

    return validate


def criterion(scores: Mapping[str, float]) -> float:
    """The score that decides.

    Raises:
        UsageError: if none of `CRITERIA` is among them.

    >>> criterion({"F_mean": 0.25, "J_mean": 0.5})
    0.5
    """
    for name in CRITERIA:
        if name in scores:
            return scores[name]
    raise UsageError(f"validation gives none of {', '.join(CRITERIA)} to tell the best weights by; choose another set")
