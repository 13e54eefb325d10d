"""Temporal stability T: how much a mask's contour changes its shape from frame to frame.

Conventions:
    A mask is described by one contour, the polygon with the most corners (the first on ties), whatever its length;
    so T jumps where another contour of the mask comes to have the most. Outside the image is background: a mask's
    contour runs along the image's border. The contour's points are at most 3 px apart; each is described by its
    shape context. The instability of a pair of masks is the mean χ² distance of matched points, in [0, 1], lower
    is better; that of a sequence, T, is 5 times the mean over its pairs. A mask that holds no polygon, such as an
    empty one or a square of 2×2, has no description, and its pairs have no value: None. A shift of both masks can
    change the value by some 0.01, as round-off decides between points that are equally far from a line.
    Source: Perazzi et al., CVPR 2016, section 5; contour extraction, simplification and alignment as in the
    authors' Matlab tool, davis-matlab, whose contours of masks with diagonally touching pixels depend on the
    C++ library that it was built with (`junction_order`).
"""

from dataclasses import dataclass

from vosbench.metrics.arrays import Mask, check_pair
from vosbench.metrics.stability.alignment import align
from vosbench.metrics.stability.curves import JunctionOrder
from vosbench.metrics.stability.extraction import Polygon, polygons
from vosbench.metrics.stability.shape_context import Floats, compare, count_neighbours, normalise, upsample

__all__ = ["FACTOR", "JunctionOrder", "Polygon", "Shape", "describe", "instability", "polygons", "temporal_stability"]

FACTOR = 5
"""What T is, as a multiple of the mean instability of a sequence's pairs."""
SPACING = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What is compared of a mask.

    Attributes:
        points: (n, 2) (row, column) of the contour's points in pixels, first and last the same.
        histograms: (60, n) shape context of each point, of sum 1.
    """

    points: Floats
    histograms: Floats


def describe(mask: Mask, junction_order: JunctionOrder = "gcc4") -> Shape | None:
    """Describe a mask for comparison with others.

    Args:
        mask: (H, W) bool.
        junction_order: how contours that touch diagonally are begun: ``"gcc4"`` as the official results were made,
            ``"gcc5"`` as the authors' tool is when built today.

    Returns:
        The description, or None where the mask holds no polygon.

    Raises:
        MeasureError: where the array is no mask, or there is no such order.
    """
    found = polygons(mask, junction_order=junction_order)
    if not found:
        return None
    kept = max(found, key=lambda polygon: len(polygon.corners))
    points = upsample(kept.corners, SPACING)
    return Shape(points, normalise(count_neighbours(points)))


def instability(previous: Shape, current: Shape) -> float:
    """Measure how much the shape changes from one mask to the next.

    Returns:
        The mean matching cost in [0, 1], 0 for equal shapes; not multiplied by 5.
    """
    return align(compare(previous.histograms, current.histograms))


def temporal_stability(previous: Mask, current: Mask, junction_order: JunctionOrder = "gcc4") -> float | None:
    """Measure T of one pair of masks; T of a sequence is the mean over its pairs.

    Args:
        previous: (H, W) bool.
        current: (H, W) bool.
        junction_order: as of `describe`.

    Returns:
        T in [0, 5], 5 times the mean matching cost (`instability`), 0 for equal shapes, lower is better; None if
        either mask holds no polygon.

    Raises:
        MeasureError: if the arrays are not a pair of masks, or there is no such order.

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
