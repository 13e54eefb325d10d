"""Measures over 256 thresholds, and at the adaptive threshold: precision, recall, F, and enhanced alignment E.

Conventions:
    Threshold k in 0…255 selects the pixels with s ≥ k / 255. P = TP / (TP + FP), R = TP / (TP + FN),
    F = (1 + β²)PR / (β²P + R); without true positives P = R = F = 0, even if the annotation is empty. The adaptive
    threshold is twice the mean of the map, at most 1. Range [0, 1], higher is better.
    Source: Achanta et al., "Frequency-tuned Salient Region Detection", CVPR 2009, section 4.
    E follows from region counts alone. dF and dG are a binary map F and an annotation G minus their means. The
    alignment is A = 2·dG·dF / (dG² + dF² + ε) with ε = 2⁻⁵², and E = Σ (1 + A)² / 4 / (N − 1). dF and dG have two
    values each, so four counts give E exactly. Without foreground, E is the number of pixels that are not selected over
    N − 1; without background, the number of those that are. As in the authors' code, the divisor is N − 1, not N, so
    that the range is [0, N / (N − 1)] and a perfect map scores N / (N − 1). For an image of one pixel it is 1.
    Source: Fan et al., "Enhanced-alignment Measure for Binary Foreground Map Evaluation", IJCAI 2018, equations 1–4.
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


def overlaps(positive: Counts, annotated: int) -> tuple[Curve, Curve]:
    """Dice, 2·TP / (2·TP + FP + FN), and IoU, TP / (TP + FP + FN), elementwise; 0 without true positives.

    Args:
        positive: (2, …) false and true positives.
        annotated: number of foreground pixels.

    >>> [curve.tolist() for curve in overlaps(np.array([[1, 0], [2, 0]]), 3)]
    [[0.6666666666666666, 0.0], [0.5, 0.0]]
    """
    false, true = positive
    return 2 * true / np.maximum(annotated + true + false, 1), true / np.maximum(annotated + false, 1)


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


EPSILON = 2.0**-52


def enhanced_alignment(positive: Counts, annotated: int, pixels: int) -> Curve:
    """Measure E at each threshold.

    Args:
        positive: (2, …) false and true positives.
        annotated: number of foreground pixels.
        pixels: number of pixels in the image.

    Returns:
        E for each threshold.

    >>> enhanced_alignment(np.array([[0], [2]]), 2, 5)
    array([1.25])
    """
    selected = positive.sum(axis=0)
    if annotated in {0, pixels}:
        agreement: Curve = (pixels - selected if annotated == 0 else selected) / max(pixels - 1, 1)
        return agreement
    false, true = positive
    missed = annotated - true
    regions = np.stack([true, false, missed, pixels - annotated - false])
    mean, mean_annotation = selected / pixels, annotated / pixels
    prediction = np.stack([1 - mean, 1 - mean, -mean, -mean])
    truth = np.array([1 - mean_annotation, -mean_annotation] * 2).reshape(4, *[1] * mean.ndim)
    alignment = 2 * truth * prediction / (truth**2 + prediction**2 + EPSILON)
    total: Curve = ((1 + alignment) ** 2 / 4 * regions).sum(axis=0)
    return total / (pixels - 1)
