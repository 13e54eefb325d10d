"""Weighted F: errors have more weight far from the object, and less within correct surroundings.

Conventions:
    The error is |s − g|. On the foreground, it is replaced by its Gaussian mean (7×7, σ = 5, zero outside the image)
    if that is smaller; for this mean, background pixels get the error of the nearest foreground pixel, on ties that
    of the leftmost, then the topmost one. On the background, it is weighted by 2 − 0.5^(d / 5), with d the distance
    to the foreground in pixels. TP is the foreground minus its errors, FP the sum of the background's errors,
    R = 1 − the mean error of the foreground, P = TP / (TP + FP), and β² = 1. Without foreground, weighted F is 0.
    Range [0, 1], higher is better. The Matlab code resolves ties differently; its values agree to 1e-4.
    Source: Margolin et al., "How to Evaluate Foreground Maps?", CVPR 2014, section 4.
"""

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vosbench.metrics.arrays import Mask
from vosbench.metrics.boundary import enclosing_box, harmonic_mean
from vosbench.metrics.compiled import compiled, compiled_or
from vosbench.metrics.saliency.histogram import Levels, Scale

Errors = NDArray[np.float64]

REACH = 3
SIGMA = 5.0
HALVED_AT = 5.0
FARTHEST = 270**2  # a squared distance beyond which the weight no longer changes


def weighted_f_measure(levels: Levels, annotation: Mask, scale: Scale) -> float:
    """Measure weighted F of one frame.

    Args:
        levels: (H, W) uint8 or uint16, in C order.
        annotation: (H, W) bool, in C order.
        scale: the scale of the map.

    Returns:
        Weighted F in [0, 1].
    """
    import cv2

    box = enclosing_box(annotation, REACH)
    inside = np.ascontiguousarray(annotation[box])
    annotated = int(np.count_nonzero(inside))
    if annotated == 0:
        return 0.0
    values = (levels[box].astype(np.int64) - scale.offset) / scale.span
    missed = np.where(inside, 1 - values, 0.0)
    spread = _spread(missed, inside, _reached(inside), nearest_first())
    around = cv2.sepFilter2D(spread, -1, gaussian(), gaussian(), borderType=cv2.BORDER_CONSTANT)
    misses = float(np.minimum(missed, around)[inside].sum())
    recall = 1 - misses / annotated
    true = annotated - misses
    precision = true / (true + false_alarms(levels, annotation, scale)) if true > 0 else 0.0
    return harmonic_mean(precision, recall)


def false_alarms(levels: Levels, annotation: Mask, scale: Scale) -> float:
    """Sum the background's errors, weighted by their distance to the foreground, which must not be empty."""
    import cv2

    away = cv2.distanceTransform((~annotation).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    steps = _by_distance(levels, annotation, away.astype(np.float32, copy=False), scale.offset)
    used = np.flatnonzero(steps)
    return float((steps[used] * importance()[used]).sum()) / scale.span


def _count_by_distance(
    levels: NDArray[Any], annotation: Mask, away: NDArray[np.float32], offset: int
) -> NDArray[np.int64]:
    """`_by_distance` in NumPy; the sums are integers below 2⁵³, so that double precision holds them."""
    wrong = ~annotation & (levels > offset)
    squares = np.minimum((away[wrong].astype(np.float64) ** 2 + 0.5).astype(np.int64), FARTHEST)
    return np.bincount(squares, levels[wrong].astype(np.float64) - offset, FARTHEST + 1).astype(np.int64)


@compiled_or(_count_by_distance)
def _by_distance(levels: NDArray[Any], annotation: Mask, away: NDArray[np.float32], offset: int) -> NDArray[np.int64]:
    """Sum the background's steps above the offset by squared distance; the last sum is for all larger distances."""
    sums = np.zeros(FARTHEST + 1, np.int64)
    for row in range(levels.shape[0]):
        for column in range(levels.shape[1]):
            steps = np.int64(levels[row, column]) - offset
            if steps > 0 and not annotation[row, column]:
                distance = np.float64(away[row, column])  # from single precision; its square is an integer
                sums[min(int(distance * distance + 0.5), FARTHEST)] += steps
    return sums


@functools.cache
def importance() -> Errors:
    """The weight of a background error by squared distance; beyond 270 pixels it is 2 in double precision."""
    return np.asarray(2 - np.exp(np.log(0.5) / HALVED_AT * np.sqrt(np.arange(FARTHEST + 1.0))), dtype=np.float64)


def _reached(foreground: Mask) -> Mask:
    """The background pixels within reach of the Gaussian from the foreground."""
    import cv2

    window = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)
    reached: Mask = cv2.dilate(foreground.view(np.uint8), window).view(np.bool_) & ~foreground
    return reached


@compiled
def _spread(errors: Errors, foreground: Mask, reached: Mask, offsets: NDArray[np.int64]) -> Errors:
    """Give each reached pixel the error of the nearest foreground pixel."""
    spread = errors.copy()
    height, width = errors.shape
    for row in range(height):
        for column in range(width):
            if not reached[row, column]:
                continue
            for index in range(offsets.shape[0]):
                y, x = row + offsets[index, 0], column + offsets[index, 1]
                if 0 <= y < height and 0 <= x < width and foreground[y, x]:
                    spread[row, column] = errors[y, x]
                    break
    return spread


@functools.cache
def nearest_first() -> NDArray[np.int64]:
    """The (row, column) offsets from a reached pixel to its nearest foreground pixel, in the order of search.

    >>> nearest_first()[:5].tolist()
    [[0, -1], [-1, 0], [1, 0], [0, 1], [-1, -1]]
    """
    farthest = 2 * REACH**2
    across = range(-2 * REACH, 2 * REACH + 1)
    offsets = [(y, x) for y in across for x in across if 0 < y * y + x * x <= farthest]
    return np.array(sorted(offsets, key=lambda offset: (offset[0] ** 2 + offset[1] ** 2, offset[1], offset[0])))


@functools.cache
def gaussian() -> Errors:
    """The (7,) window; its outer product with itself is the 7×7 one."""
    window = np.exp(-np.square(np.arange(-REACH, REACH + 1.0)) / (2 * SIGMA**2))
    return np.asarray(window / window.sum(), dtype=np.float64)
