"""Which way a score is better: the one place that says so."""

from typing import Literal

LOWER = frozenset({"J_decay", "F_decay", "T", "T_mean", "T_all_mean", "MAE"})
"""Scores of which less is better; of all others, more is."""


def better(measure: str) -> Literal[-1, 1]:
    """Say which way a score is better.

    Args:
        measure: as a record names it, such as ``"J_mean"``.

    Returns:
        1 where more is better, -1 where less is: temporal stability, decay and MAE.

    >>> better("J_mean"), better("J_decay"), better("T_mean"), better("MAE"), better("maxF")
    (1, -1, -1, -1, 1)
    """
    return -1 if measure in LOWER else 1


HEADINGS = {
    "J_mean": "J mean",
    "J_recall": "J recall",
    "J_decay": "J decay",
    "F_mean": "F mean",
    "F_recall": "F recall",
    "F_decay": "F decay",
    "T_mean": "T",
    "T_all_mean": "T all",
    "JF_mean": "J&F",
    "OB_precision": "P",
    "OB_recall": "R",
    "OB_F": "F",
    "OB_extracted": "objects",
}
