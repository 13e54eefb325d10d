"""Validation: the weights of the moment, run and scored as `vosbench run` does."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from vosbench.errors import UsageError
from vosbench.method import Method, Setup
from vosbench.run import resolve_options, run
from vosbench.selection import Selection
from vosbench.train.settings import Validate

CRITERIA = ("J_mean", "maxF", "S", "F_mean")
"""The score that decides which weights are best: the first of these that the protocol has; more is better."""


def validator(method: Method, setup: Setup, selection: Selection) -> Validate:
    """Make what scores a weights file; its maps are not kept.

    Args:
        method: the method.
        setup: the variant and the device; options hold their defaults.
        selection: the videos and the protocol.
    """
    options = resolve_options(method, ())

    def validate(weights: Path) -> Mapping[str, float]:
        with TemporaryDirectory(prefix="vosbench-validation-") as folder:
            record, _ = run(method, replace(setup, weights=weights, options=options), selection, Path(folder))
        return {name: score for name, score in record.scores.items() if score is not None}

    return validate


def criterion(scores: Mapping[str, float]) -> float:
    """The score that decides.

    Raises:
        UsageError: where no score can.

    >>> criterion({"F_mean": 0.25, "J_mean": 0.5})
    0.5
    """
    for name in CRITERIA:
        if name in scores:
            return scores[name]
    raise UsageError(f"validation gives none of {', '.join(CRITERIA)} to tell the best weights by; choose another set")
