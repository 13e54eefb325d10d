"""Edges of maps are drawn to those of the frame: the guided filter.

In the window around each pixel, the map is modelled as a linear function of the frame's channels, fitted by ridge
regression; the models of all windows that hold a pixel are averaged, and applied to its colour (He, Sun and Tang,
Guided Image Filtering, ECCV 2010, section 3, with colours). Models are fitted at a small size and applied at the
frame's (He and Sun, Fast Guided Filter, arXiv:1505.00996), so that the time depends little on the frame's size.
The mean of models is less sure than each: its log odds are doubled, which changes nothing at 0.5.

Networks segment at a quarter of their input's sides or less, so the outline of a good map is off by some pixels.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vosbench.method.method import FloatMap

Frame = NDArray[np.uint8]

CELLS = 427 * 240
"""Pixels of the size at which models are fitted; smaller frames keep theirs."""
RADIUS = 6
"""Of windows, in cells; of smaller frames in proportion to their sides."""
SMOOTH = 3e-3
"""The variance of brightness, of channels in [0, 1], from which on an edge of the frame is one of the map."""


def refined(values: FloatMap, frame: Frame) -> FloatMap:
    """Draw the edges of a map to those of its frame.

    Args:
        values: (H, W) float32 in [0, 1].
        frame: (H, W, 3) uint8.

    Returns:
        (H, W) float32 in [0, 1].
    """
    height, width = values.shape
    scale = (CELLS / (height * width)) ** 0.5
    size = (width, height) if scale >= 1 else (max(round(width * scale), 1), max(round(height * scale), 1))
    planes = cv2.split(frame)
    small = [_small(plane, size) / np.float32(255) for plane in planes]
    slopes, offset = fitted(_small(values, size), small, max(round(RADIUS / max(scale, 1)), 1), SMOOTH)
    result = _large(offset, (width, height))
    for slope, plane in zip(slopes, planes, strict=True):
        result += _large(slope / np.float32(255), (width, height)) * plane
    np.clip(result, 0, 1, out=result)
    against = (1 - result) ** 2
    result *= result
    against += result
    result /= against
    return result


def guided(values: FloatMap, guide: FloatMap, radius: int, smooth: float) -> FloatMap:
    """The filter at one size, by one channel.

    Args:
        values: (H, W) float32.
        guide: (H, W) float32 in [0, 1].
        radius: of windows, in pixels.
        smooth: the variance of the guide from which on its edges are those of the values.
    """
    (slope,), offset = fitted(values, [guide], radius, smooth)
    return slope * guide + offset


def fitted(values: FloatMap, guide: Sequence[FloatMap], radius: int, smooth: float) -> tuple[list[FloatMap], FloatMap]:
    """The models of a map, averaged over windows.

    Args:
        values: (H, W) float32.
        guide: the channels, (H, W) float32 in [0, 1].
        radius: of windows, in pixels.
        smooth: the weight of the penalty on slopes.

    Returns:
        the slope of each channel and the offset, (H, W) float32 each.
    """

    def mean(plane: FloatMap) -> FloatMap:
        return np.asarray(cv2.boxFilter(plane, -1, (2 * radius + 1, 2 * radius + 1)), np.float32)

    count = len(guide)
    means, of_values = [mean(plane) for plane in guide], mean(values)
    matrix = {
        (i, j): mean(guide[i] * guide[j]) - means[i] * means[j] + np.float32(smooth if i == j else 0)
        for i in range(count)
        for j in range(i, count)
    }
    slopes = [mean(plane * values) - its * of_values for plane, its in zip(guide, means, strict=True)]
    # Gauss's elimination in all windows at once; the matrices are symmetric and, by the penalty, positive definite.
    for k in range(count):
        for i in range(k + 1, count):
            factor = matrix[k, i] / matrix[k, k]
            for j in range(i, count):
                matrix[i, j] -= factor * matrix[k, j]
            slopes[i] -= factor * slopes[k]
    for k in reversed(range(count)):
        for j in range(k + 1, count):
            slopes[k] -= matrix[k, j] * slopes[j]
        slopes[k] /= matrix[k, k]
    offset = of_values.copy()
    for slope, its in zip(slopes, means, strict=True):
        offset -= slope * its
    return [mean(slope) for slope in slopes], mean(offset)


def _small(plane: NDArray[np.integer | np.floating], size: tuple[int, int]) -> FloatMap:
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def _large(plane: FloatMap, size: tuple[int, int]) -> FloatMap:
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR), np.float32)
