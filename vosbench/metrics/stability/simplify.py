"""Simplification of closed contours by a radial filter, then Douglas–Peucker, as in the psimpl library.

As in psimpl, a point is projected onto a segment with a fraction in single precision. This rounding decides between
points whose distances are equal in exact arithmetic, so it is part of the measure.
"""

import numpy as np
from numpy.typing import NDArray

from vosbench.metrics.compiled import compiled
from vosbench.metrics.stability.contours import Indices


@compiled
def distance_to_segment(points: Indices, point: int, first: int, last: int) -> float:
    """The squared distance of a point to the segment between two others, all given as rows of ``points``."""
    x, y = points[first, 0], points[first, 1]
    vx, vy = points[last, 0] - x, points[last, 1] - y
    wx, wy = points[point, 0] - x, points[point, 1] - y
    along, length = wx * vx + wy * vy, vx * vx + vy * vy
    if along <= 0:
        return float(wx * wx + wy * wy)
    if length <= along:
        return float((wx - vx) * (wx - vx) + (wy - vy) * (wy - vy))
    fraction = np.float64(np.float32(along) / np.float32(length))
    dx, dy = points[point, 0] - (x + fraction * vx), points[point, 1] - (y + fraction * vy)
    return float(dx * dx + dy * dy)


@compiled
def select(points: Indices, keep: NDArray[np.bool_]) -> Indices:
    """The rows of ``points`` to keep."""
    selection = np.empty((keep.sum(), 2), np.int64)
    count = 0
    for index in range(keep.size):
        if keep[index]:
            selection[count, 0], selection[count, 1] = points[index, 0], points[index, 1]
            count += 1
    return selection


@compiled
def filter_radially(points: Indices, tolerance: float) -> Indices:
    """Remove points closer than the tolerance to the last one kept; both ends stay."""
    keep = np.zeros(len(points), np.bool_)
    keep[0] = keep[len(points) - 1] = True
    last = 0
    for index in range(1, len(points) - 1):
        dx, dy = points[index, 0] - points[last, 0], points[index, 1] - points[last, 1]
        if dx * dx + dy * dy >= tolerance * tolerance:
            keep[index] = True
            last = index
    return select(points, keep)


@compiled
def split(points: Indices, tolerance: float) -> Indices:
    """Keep both ends and, recursively, the point farthest from the segment if it is beyond the tolerance."""
    keep = np.zeros(len(points), np.bool_)
    keep[0] = keep[len(points) - 1] = True
    stack = np.empty((len(points), 2), np.int64)
    stack[0, 0], stack[0, 1] = 0, len(points) - 1
    depth = 1
    while depth > 0:
        depth -= 1
        first, last = stack[depth, 0], stack[depth, 1]
        farthest, largest = -1, 0.0
        for index in range(first + 1, last):
            distance = distance_to_segment(points, index, first, last)
            if distance >= largest:
                largest, farthest = distance, index
        if largest > tolerance * tolerance:
            keep[farthest] = True
            stack[depth, 0], stack[depth, 1] = first, farthest
            stack[depth + 1, 0], stack[depth + 1, 1] = farthest, last
            depth += 2
    return select(points, keep)


@compiled
def simplify(points: Indices, tolerance: float) -> Indices:
    """Simplify a closed contour.

    Args:
        points: (n, 2) corners in pixels; the first and the last are equal.
        tolerance: in pixels.

    Returns:
        (m, 2), a subset in the same order; the first and the last are equal.
    """
    return split(filter_radially(points, tolerance), tolerance)
