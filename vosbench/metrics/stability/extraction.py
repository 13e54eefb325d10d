"""Polygons of a mask: the closed curves of its contours, simplified and oriented.

Contours are simplified by a radial filter, then Douglas–Peucker, as in the psimpl library. As there, a point is
projected onto a segment with a fraction in single precision. This rounding decides between points whose distances are
equal in exact arithmetic, so it is part of the measure.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vosbench.metrics.arrays import Mask, check_pair
from vosbench.metrics.compiled import compiled
from vosbench.metrics.packed import Packed, pack
from vosbench.metrics.stability.contours import Bytes, Indices, find_edges, trace
from vosbench.metrics.stability.curves import JunctionOrder, merge, order_junctions


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
    count = 0
    for kept in keep:
        count += int(kept)
    selection = np.empty((count, 2), np.int64)
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


# Half the values of the authors' tool, whose coordinates are twice ours: first 0.1, which removes points on straight
# lines, then 3.
COLLINEAR, TOLERANCE = 0.05, 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Polygon:
    """One closed contour, simplified.

    Attributes:
        corners: (n, 2) int (row, column); pixel (r, c) lies between (r, c) and (r + 1, c + 1). The first and the last
            are equal; the order is clockwise on the screen, counter-clockwise for a hole.
        is_hole: whether it is surrounded by the object.
    """

    corners: Indices
    is_hole: bool


@compiled
def area(points: Indices) -> int:
    """Twice the signed area of a closed polygon, positive if it is clockwise on the screen."""
    total = 0
    for index in range(len(points) - 1):
        rows = points[index + 1, 0] - points[index, 0]
        total += rows * (points[index + 1, 1] + points[index, 1])
    return int(total)


@compiled
def is_object(pixels: Bytes, points: Indices, on_the_right: bool) -> bool:  # noqa: FBT001
    """Whether the pixel to the right, or left, of a curve's first step belongs to the object."""
    row, column = points[0, 0], points[0, 1]
    down, right = points[1, 0] - row, points[1, 1] - column
    toward = 1 if on_the_right else -1
    row += -1 if down < 0 or (down == 0 and right * toward < 0) else 0
    column += -1 if right < 0 or (right == 0 and down * toward > 0) else 0
    inside = 0 <= row < pixels.shape[0] and 0 <= column < 8 * pixels.shape[1]
    return bool(inside and np.int64(pixels[row, column // 8]) >> column % 8 & 1)


@compiled
def simplify_curves(
    pixels: Bytes, curves: tuple[Indices, Indices], origin: tuple[int, int], tolerances: tuple[float, float]
) -> tuple[Indices, Indices, NDArray[np.bool_]]:
    """Simplify closed curves twice, orient them, and find the holes.

    Args:
        pixels: the box in which the curves were found, as for `find_edges`.
        curves: corners of all curves as flat indices, and the offset of each and of the end.
        origin: (row, column) of the box in the image.
        tolerances: of the two simplifications, in pixels.

    Returns:
        (n, 2) corners of all polygons in the image, the offset of each and of the end, and whether each is a hole,
        that is, has background on its inner side.
    """
    corners, begins = curves
    across = 8 * pixels.shape[1] + 1
    points = np.empty((corners.size, 2), np.int64)
    offsets = np.zeros(begins.size, np.int64)
    holes = np.zeros(begins.size - 1, np.bool_)
    for curve in range(holes.size):
        flat = corners[begins[curve] : begins[curve + 1]]
        whole = np.empty((flat.size, 2), np.int64)
        for index in range(flat.size):
            whole[index, 0], whole[index, 1] = flat[index] // across, flat[index] % across
        holes[curve] = not is_object(pixels, whole, area(whole) > 0)
        for index in range(flat.size):
            whole[index, 0] += origin[0]
            whole[index, 1] += origin[1]
        simple = whole
        for tolerance in tolerances:
            simple = simplify(simple, tolerance)
        reverse = (area(simple) > 0) == holes[curve]
        for index in range(len(simple)):
            source = len(simple) - 1 - index if reverse else index
            for axis in range(2):
                points[offsets[curve] + index, axis] = simple[source, axis]
        offsets[curve + 1] = offsets[curve] + len(simple)
    return points[: offsets[-1]], offsets, holes


def polygons(
    mask: Mask | Packed, tolerance: float = TOLERANCE, junction_order: JunctionOrder = "gcc4"
) -> list[Polygon]:
    """Find the polygons of a mask.

    Args:
        mask: (H, W) bool, or packed.
        tolerance: of the simplification, in pixels.
        junction_order: see `vosbench.metrics.stability.curves`.

    Returns:
        The polygons of more than three points; a triangle has four, since the first is repeated.

    Raises:
        MeasureError: if the array is not a mask, or the order does not exist.

    >>> (square,) = polygons(np.pad(np.ones((3, 4), bool), 1))
    >>> square.corners.tolist(), square.is_hole
    ([[1, 1], [1, 5], [4, 5], [4, 1], [1, 1]], False)
    """
    order_junctions(0, junction_order)
    if not isinstance(mask, Packed):
        check_pair(mask, mask)
    words = (mask if isinstance(mask, Packed) else pack(mask)).words
    rows = np.flatnonzero(words.any(axis=1))
    if rows.size == 0:
        return []
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    across = np.flatnonzero(np.bitwise_or.reduce(words[top:bottom], axis=0).view(np.uint8))
    left = int(across[0])
    box = np.ascontiguousarray(words.view(np.uint8)[top:bottom, left : int(across[-1]) + 1])
    edges, count = find_edges(box)
    pieces, junctions = trace(edges, edges.view(np.uint64), count, 8 * box.shape[1] + 1)
    curves = merge(pieces, order_junctions(junctions, junction_order))
    points, begins, holes = simplify_curves(box, curves, (top, 8 * left), (COLLINEAR, tolerance))
    spans = zip(begins[:-1], begins[1:], holes, strict=True)
    return [Polygon(points[first:end], bool(hole)) for first, end, hole in spans if end - first > 3]
