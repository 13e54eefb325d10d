"""Precision, recall and F over 256 thresholds, and at the adaptive threshold.

Conventions:
    Threshold k in 0…255 selects the pixels with s ≥ k / 255. P = TP / (TP + FP), R = TP / (TP + FN),
    F = (1 + β²)PR / (β²P + R); without true positives P = R = F = 0, even if the annotation is empty. The adaptive
    threshold is twice the mean of the map, at most 1. Range [0, 1], higher is better.
    Source: Achanta et al., "Frequency-tuned Salient Region Detection", CVPR 2009, section 4.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vosbench.metrics.saliency.histogram import Counts, Scale

Curve = NDArray[np.float64]

THRESHOLDS = 256


def highest_threshold(levels: int, scale: Scale, *, strict: bool = False, comparison: str = "exact") -> Counts:
    """Find the highest threshold that each level passes.

    Args:
        levels: number of levels, 256 or 65536.
        scale: the scale of the map.
        strict: whether to pass a threshold, s > k / 255 is required, not just s ≥ k / 255.
        comparison: ``"exact"``, or ``"double"`` to truncate 255·s in double precision.

    Returns:
        (levels,) int64 in −1…255; −1 if a level passes none.

    >>> highest_threshold(256, Scale(0, 255))[[0, 128, 255]].tolist()
    [0, 128, 255]
    >>> highest_threshold(256, Scale(0, 255), strict=True)[[0, 128, 255]].tolist()
    [-1, 127, 254]
    """
    level = np.arange(levels, dtype=np.int64)
    if comparison == "double":
        top = levels - 1
        low, high = scale.offset / top, (scale.offset + scale.span) / top
        value = (level / top - low) / (high - low) * 255
        passed = (np.ceil(value) - 1 if strict else np.floor(value)).astype(np.int64)
    else:
        passed = (255 * (level - scale.offset) - strict) // scale.span
    return np.clip(passed, -1, 255)


def passing(histogram: Counts, highest: Counts) -> Counts:
    """Count the pixels that pass each threshold.

    Args:
        histogram: (2, L).
        highest: (L,), from `highest_threshold`.

    Returns:
        (2, 256) int64; column k contains the false and true positives at threshold k.
    """
    binned = [np.bincount(highest + 1, weights=row, minlength=THRESHOLDS + 1) for row in histogram]
    return np.cumsum(np.array(binned)[:, ::-1], axis=1)[:, -2::-1].astype(np.int64)


def rates(positive: Counts, annotated: int) -> tuple[Curve, Curve]:
    """Precision and recall.

    Args:
        positive: (2, …) false and true positives.
        annotated: number of foreground pixels.
    """
    true, selected = positive[1], positive.sum(axis=0)
    return true / np.maximum(selected, 1), true / max(annotated, 1)


def f_measure(precision: Curve, recall: Curve, beta2: float) -> Curve:
    """F from precision and recall, elementwise; 0 where either is 0.

    >>> f_measure(np.array([1.0, 0.0]), np.array([0.5, 0.0]), 1.0).tolist()
    [0.6666666666666666, 0.0]
    """
    above: NDArray[Any] = (1 + beta2) * precision * recall
    below = np.where(above == 0, 1.0, beta2 * precision + recall)
    return above / below


def adaptive(histogram: Counts, scale: Scale, *, strict: bool = False) -> Counts:
    """Count the pixels at or above the adaptive threshold; only those above it if strict.

    Returns:
        (2, 1) int64: false and true positives.
    """
    steps, counts = scale.steps(histogram), histogram.sum(axis=0)
    pixels, twice = int(counts.sum()), 2 * int(steps @ counts)
    selected = steps * pixels > twice if strict else steps * pixels >= min(twice, scale.span * pixels)
    positive: Counts = histogram[:, selected].sum(axis=1, keepdims=True)
    return positive
