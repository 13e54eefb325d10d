"""Structure measure S: object-aware and region-aware similarity of a soft map and a mask.

Conventions:
    S = max(0, (S_o + S_r) / 2). S_o is u·O(s | foreground) + (1 − u)·O(1 − s | background), with u the fraction of
    foreground, O = 2x / (x² + 1 + σ), x the mean and σ the sample standard deviation (0 for one pixel). For S_r the
    image is split after the row and the column of the annotation's centroid, and the similarities of the four blocks
    are weighted by area; empty blocks are ignored. Without foreground S = 1 − mean(s), without background
    S = mean(s). Range [0, 1], higher is better. Sums are integers and divided only once, so that the variance of a
    constant block is exactly 0.
    Source: Fan et al., "Structure-measure: A New Way to Evaluate Foreground Maps", ICCV 2017, equations 1–8, with
    α = 0.5; block bounds and ε as in the authors' Matlab code.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from vosbench.metrics.arrays import Mask
from vosbench.metrics.saliency.curves import EPSILON
from vosbench.metrics.saliency.histogram import Counts, Levels, Scale, joint_histogram


@dataclass(frozen=True, slots=True)
class Moments:
    """Integer sums over the pixels of a region: their number, their steps above the offset, and the steps squared."""

    pixels: int
    steps: int
    squares: int

    def mean(self, span: int) -> float:
        """The mean value, in [0, 1]."""
        return self.steps / (self.pixels * span)

    def variance(self, span: int) -> float:
        """The sample variance; 0 for one pixel."""
        spread = self.pixels * self.squares - self.steps**2
        return spread / (self.pixels * max(self.pixels - 1, 1) * span**2)


def moments(counts: Counts, scale: Scale) -> Moments:
    """Sum over one row, or both rows, of a histogram: (1, L) or (2, L)."""
    steps, row = scale.steps(counts), counts.sum(axis=0)
    weighted = steps * row
    return Moments(int(row.sum()), int(weighted.sum()), int(weighted @ steps))


def blocks(levels: Levels, annotation: Mask, rounding: str) -> list[Counts]:
    """The joint histograms of the four blocks around the annotation's centroid.

    Args:
        levels: (H, W) uint8 or uint16, in C order.
        annotation: (H, W) bool, in C order.
        rounding: of the centroid, ``"half-up"`` or ``"half-even"``.

    Returns:
        Up to four (2, L) int64, without empty blocks; the histogram of the whole image if it has no foreground.
    """
    row, column = (place + 1 for place in centroid(annotation, rounding))
    halves = [(slice(None, row), slice(row, None)), (slice(None, column), slice(column, None))]
    return [
        joint_histogram(levels[box].copy(), annotation[box].copy())
        for box in itertools.product(*halves)
        if levels[box].size
    ]


def centroid(annotation: Mask, rounding: str) -> tuple[int, int]:
    """Row and column of the foreground's centroid, 0-based and rounded; the last pixel if there is no foreground.

    >>> centroid(np.array([[True, True]]), "half-up"), centroid(np.array([[True, True]]), "half-even")
    ((0, 1), (0, 0))
    """
    import cv2

    pixels = annotation.view(np.uint8)
    by_row = cv2.reduce(pixels, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[:, 0]
    by_column = cv2.reduce(pixels, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0]
    count = int(by_row.sum(dtype=np.int64))
    if count == 0:
        return annotation.shape[0] - 1, annotation.shape[1] - 1
    sums = [int(np.arange(line.size, dtype=np.int64) @ line) for line in (by_row, by_column)]
    rounded = [(2 * total + count) // (2 * count) for total in sums]
    if rounding == "half-even":
        rounded = [
            place - (place % 2 if (2 * total + count) % (2 * count) == 0 else 0)
            for place, total in zip(rounded, sums, strict=True)
        ]
    return rounded[0], rounded[1]


def structure_measure(histograms: list[Counts], scale: Scale) -> float:
    """Measure S of one frame.

    Args:
        histograms: those of the blocks, from `blocks`.
        scale: the scale of the map.

    Returns:
        S in [0, 1].
    """
    whole = np.sum(histograms, axis=0)
    background, foreground = moments(whole[:1], scale), moments(whole[1:], scale)
    pixels = background.pixels + foreground.pixels
    if foreground.pixels == 0:
        return 1 - background.mean(scale.span)
    if background.pixels == 0:
        return foreground.mean(scale.span)
    inverted = Moments(background.pixels, background.pixels * scale.span - background.steps, 0)
    deviation = math.sqrt(background.variance(scale.span))
    share = foreground.pixels / pixels
    of_object = share * _object(foreground.mean(scale.span), math.sqrt(foreground.variance(scale.span)))
    of_object += (1 - share) * _object(inverted.mean(scale.span), deviation)
    of_region = math.fsum(similarity(block, scale) * int(block.sum()) for block in histograms) / pixels
    return max(0.0, (of_object + of_region) / 2)


def _object(mean: float, deviation: float) -> float:
    """O of a region: near 1 if its values are near 1."""
    return 2 * mean / (mean**2 + 1 + deviation)


def similarity(block: Counts, scale: Scale) -> float:
    """Structural similarity of map and annotation in a block, in [−1, 1]; 1 if both are constant."""
    whole, inside = moments(block, scale), moments(block[1:], scale)
    pixels, pairs = whole.pixels, whole.pixels * max(whole.pixels - 1, 1)
    mean, truth = whole.mean(scale.span), inside.pixels / pixels
    covariance = (pixels * inside.steps - whole.steps * inside.pixels) / (pairs * scale.span)
    variance = inside.pixels * (pixels - inside.pixels) / pairs
    above = 4 * mean * truth * covariance
    below = (mean**2 + truth**2) * (whole.variance(scale.span) + variance)
    if above == 0:
        return 1.0 if below == 0 else 0.0
    return above / (below + EPSILON)
