"""Temporal stability T: how much the shape of a mask's contour changes from frame to frame.

Conventions:
    A mask is described by one contour, the polygon with the most corners (the first on ties), whatever its length.
    T therefore jumps when another contour of the mask gets the most corners. Everything outside the image is
    background, so contours can run along the image border. Points on the contour are at most 3 px apart; each is
    described by its shape context. The instability of a pair of masks is the mean χ² distance of matched points, in
    [0, 1]; T of a sequence is 5 times the mean instability of its pairs. Lower is better. A mask without a polygon,
    such as an empty mask or a square of 2×2, has no description, and its pairs have the value None. Shifting both
    masks can change the value by about 0.01, since round-off decides between points equally far from a line.
    Source: Perazzi et al., CVPR 2016, section 5; contour extraction, simplification and alignment as in the
    authors' Matlab tool, davis-matlab, whose contours of masks with diagonally touching pixels depend on the
    C++ library that it was built with (`junction_order`).
"""

from dataclasses import dataclass

from vosbench.metrics.arrays import Mask, check_pair
from vosbench.metrics.compiled import COMPILING
from vosbench.metrics.packed import Packed
from vosbench.metrics.stability.alignment import align
from vosbench.metrics.stability.corridor import align_contours
from vosbench.metrics.stability.curves import JunctionOrder
from vosbench.metrics.stability.extraction import Polygon, polygons
from vosbench.metrics.stability.shape_context import Floats, compare, count_neighbours, normalise, upsample

__all__ = ["FACTOR", "JunctionOrder", "Polygon", "Shape", "describe", "instability", "polygons", "temporal_stability"]

FACTOR = 5
"""T as a multiple of the mean instability of a sequence's pairs."""
SPACING = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """The description of a mask's contour.

    Attributes:
        points: (n, 2) (row, column) of points on the contour in pixels; the first and the last are equal.
        histograms: (60, n) shape context of each point, with sum 1.
    """

    points: Floats
    histograms: Floats


def describe(mask: Mask | Packed, junction_order: JunctionOrder = "gcc4") -> Shape | None:
    """Describe a mask for comparison with others.

    Args:
        mask: (H, W) bool, or packed.
        junction_order: where to start contours that touch diagonally: ``"gcc4"`` as in the official results,
            ``"gcc5"`` as in the authors' tool if built today.

    Returns:
        The description, or None if the mask has no polygon.

    Raises:
        MeasureError: if the array is not a mask, or the order does not exist.
    """
    candidates = polygons(mask, junction_order=junction_order)
    if not candidates:
        return None
    longest = max(candidates, key=lambda polygon: len(polygon.corners))
    points = upsample(longest.corners, SPACING)
    return Shape(points, normalise(count_neighbours(points)))


def instability(previous: Shape, current: Shape) -> float:
    """Measure how much the shape changes from one mask to the next.

    Returns:
        The mean matching cost in [0, 1], 0 for equal shapes; not multiplied by 5.
    """
    if COMPILING:
        return align_contours(previous.histograms, current.histograms)
    return align(compare(previous.histograms, current.histograms))


def temporal_stability(previous: Mask, current: Mask, junction_order: JunctionOrder = "gcc4") -> float | None:
    """Measure T of one pair of masks; T of a sequence is the mean over its pairs.

    Args:
        previous: (H, W) bool.
        current: (H, W) bool.
        junction_order: as for `describe`.

    Returns:
        T in [0, 5], 5 times the mean matching cost (`instability`), 0 for equal shapes, lower is better; None if
        either mask has no polygon.

    Raises:
        MeasureError: if the arrays are not masks of the same size, or the order does not exist.

    >>> import numpy as np
    >>> square = np.pad(np.ones((20, 20), bool), 10)
    >>> temporal_stability(square, np.roll(square, 5)), temporal_stability(square, ~square & False)
    (0.0, None)
    """
    check_pair(previous, current)
    shapes = describe(previous, junction_order), describe(current, junction_order)
    if shapes[0] is None or shapes[1] is None:
        return None
    return FACTOR * instability(shapes[0], shapes[1])
