"""Enhanced-alignment measure E of a thresholded map, computed from region counts alone.

Conventions:
    dF and dG are a binary map F and an annotation G minus their means. The alignment is A = 2·dG·dF / (dG² + dF² + ε)
    with ε = 2⁻⁵², and E = Σ (1 + A)² / 4 / (N − 1). dF and dG have two values each, so four counts give E exactly.
    Without foreground, E is the number of pixels that are not selected over N − 1; without background, the number of
    those that are. As in the authors' code, the divisor is N − 1, not N, so that the range is [0, N / (N − 1)] and a
    perfect map scores N / (N − 1). For an image of one pixel the divisor is 1. Higher is better.
    Source: Fan et al., "Enhanced-alignment Measure for Binary Foreground Map Evaluation", IJCAI 2018, equations 1–4.
"""

import numpy as np

from vosbench.metrics.saliency.curves import Curve
from vosbench.metrics.saliency.histogram import Counts

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
