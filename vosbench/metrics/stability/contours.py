"""Contour pieces of a mask: walks along pixel edges between points where four edges meet.

A *corner* is where four pixels meet, an *edge* the unit step between two corners that separates an object pixel
from a background one; what lies outside the image is background. A *junction* is a corner with four edges, where
object pixels touch diagonally; its id counts from 1 in row-major order. A contour without any is given one of its
own at its top left corner, in scan order, after the real ones.
"""

import numpy as np
from numpy.typing import NDArray

from vosbench.metrics.compiled import compiled

Indices = NDArray[np.int64]

# The corners of all pieces as flat indices, one piece after the other, each with both of its ends; the offset of each
# piece, and of the end; (pieces, 2) 0-based junctions that each begins and ends at.
Pieces = tuple[Indices, Indices, Indices]

# The direction that is left at a corner, from the bits of its unused edges: right 1, down 2, left 4, up 8.
_ONLY = (0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3)


@compiled
def find_edges(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int8], int]:
    """Find the edges at each corner.

    Args:
        mask: (h, w) bool.

    Returns:
        ((h + 1)(w + 1),) bits of the edges at each corner in row-major order (right 1, down 2, left 4, up 8),
        and the number of edges.
    """
    height, width = mask.shape
    across = width + 1
    found = np.zeros((height + 1) * across, np.int8)
    count = 0
    for row in range(height + 1):
        for column in range(across):
            corner = row * across + column
            inside = row < height and column < width and mask[row, column]
            above = row > 0 and column < width and mask[row - 1, column]
            before = row < height and column > 0 and mask[row, column - 1]
            if inside != above:
                found[corner] += 1
                found[corner + 1] += 4
                count += 1
            if inside != before:
                found[corner] += 2
                found[corner + across] += 8
                count += 1
    return found, count


@compiled
def walk(
    edges: NDArray[np.int8],
    junctions: NDArray[np.int32],
    across: int,
    start: tuple[int, int],
    path: Indices,
    filled: int,
) -> int:
    """Walk from a junction to the next one, using up the edges on the way.

    Args:
        edges: unused edges at each corner, changed in place.
        junctions: id of the junction at each corner, 0 where there is none.
        across: corners per row.
        start: the corner, and the direction to leave it in (right 0, down 1, left 2, up 3).
        path: receives the corners, the first one included.
        filled: how many corners the path holds already.

    Returns:
        how many corners the path holds now.
    """
    steps = (1, across, -1, -across)
    corner, direction = start
    path[filled] = corner
    filled += 1
    while True:
        edges[corner] ^= 1 << direction
        corner += steps[direction]
        edges[corner] ^= 1 << ((direction + 2) % 4)
        path[filled] = corner
        filled += 1
        if junctions[corner] > 0:
            return filled
        direction = _ONLY[edges[corner]]


@compiled
def trace(edges: NDArray[np.int8], count: int, across: int) -> tuple[Pieces, int]:
    """Cut all contours of a mask into pieces from junction to junction.

    From the last junction to the first one, unused edges are followed upwards, to the left, down, to the right;
    then the contours without junction, downwards from the top left corner of each.

    Args:
        edges: as `find_edges` returns them; used up.
        count: the number of edges.
        across: corners per row.

    Returns:
        the pieces, and the number of junctions.
    """
    junctions = np.zeros(edges.size, np.int32)
    places = np.empty(count // 2 + 1, np.int64)
    met = 0
    for corner in range(edges.size):
        if edges[corner] == 15:
            places[met] = corner
            met += 1
            junctions[corner] = met
    path = np.empty(2 * count, np.int64)
    offsets = np.zeros(count + 1, np.int64)
    pieces = 0
    for junction in range(met - 1, -1, -1):
        corner = places[junction]
        for direction in (3, 2, 1, 0):
            if (edges[corner] >> direction) & 1:
                offsets[pieces + 1] = walk(edges, junctions, across, (corner, direction), path, offsets[pieces])
                pieces += 1
    for corner in range(edges.size):
        if edges[corner] & 2:
            met += 1
            junctions[corner] = met
            offsets[pieces + 1] = walk(edges, junctions, across, (corner, 1), path, offsets[pieces])
            pieces += 1
    ends = np.empty((pieces, 2), np.int64)
    for piece in range(pieces):
        ends[piece, 0] = junctions[path[offsets[piece]]] - 1
        ends[piece, 1] = junctions[path[offsets[piece + 1] - 1]] - 1
    return (path[: offsets[pieces]], offsets[: pieces + 1], ends), met
