"""Contour pieces of a mask: walks along pixel edges between points where four edges meet.

A *corner* is where four pixels meet. An *edge* is a unit step between two corners that separates an object pixel
from a background pixel; everything outside the image is background. A *junction* is a corner with four edges, where
object pixels touch diagonally; junctions are numbered from 1 in row-major order. A contour without junctions gets
one at its top left corner; these are numbered after the real ones, in scan order.
"""

import numpy as np
from numpy.typing import NDArray

from vosbench.metrics.compiled import compiled

Bytes = NDArray[np.uint8]
Indices = NDArray[np.int64]

# The corners of all pieces as flat indices, one piece after the other, each including both of its ends; the offset of
# each piece, and of the end; (pieces, 2) 0-based junctions at which each piece starts and ends.
Pieces = tuple[Indices, Indices, Indices]

# The remaining direction at a corner, by the bits of its unused edges: right 1, down 2, left 4, up 8.
_ONLY = (0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3)


@compiled
def find_edges(pixels: Bytes) -> tuple[NDArray[np.int8], int]:
    """Find the edges at each corner, eight pixels at a time, most of which have none.

    Args:
        pixels: (h, k) bytes of eight pixels each, the first in the lowest bit.

    Returns:
        the bits of the edges at each of the (h + 1)(8k + 1) corners in row-major order (right 1, down 2, left 4, up 8),
        behind which are zeros up to a multiple of 8; and the number of edges.
    """
    height, size = pixels.shape
    across = 8 * size + 1
    edges = np.zeros(8 * (((height + 1) * across + 7) // 8), np.int8)
    count = 0
    for row in range(height + 1):
        before = 0
        for place in range(size + 1):
            here = int(pixels[row, place]) if row < height and place < size else 0
            above = int(pixels[row - 1, place]) if row > 0 and place < size else 0
            level, upright = here ^ above, (here ^ (here << 1 | before)) & 255
            before = here >> 7
            for bit in range(8 if level | upright else 0):
                corner = row * across + 8 * place + bit
                if level >> bit & 1:
                    edges[corner] += 1
                    edges[corner + 1] += 4
                    count += 1
                if upright >> bit & 1:
                    edges[corner] += 2
                    edges[corner + across] += 8
                    count += 1
    return edges, count


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
        edges: bits of the unused edges at each corner, changed in place.
        junctions: number of the junction at each corner, 0 if there is none.
        across: corners per row.
        start: the corner, and the direction in which to leave it (right 0, down 1, left 2, up 3).
        path: receives the corners, including the first one.
        filled: the number of corners already in the path.

    Returns:
        The number of corners now in the path.
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
def find_corners(edges: NDArray[np.int8], eights: NDArray[np.uint64], bits: int) -> Indices:
    """The corners that have all of some edges, in order; eight without any are passed over together."""
    count = 0
    for eight in range(eights.size):
        count += int(eights[eight] != 0)
    corners = np.empty(8 * count, np.int64)
    count = 0
    for eight in range(eights.size):
        if eights[eight] != 0:
            for corner in range(8 * eight, 8 * eight + 8):
                if edges[corner] & bits == bits:
                    corners[count] = corner
                    count += 1
    return corners[:count]


@compiled
def trace(edges: NDArray[np.int8], eights: NDArray[np.uint64], count: int, across: int) -> tuple[Pieces, int]:
    """Cut all contours of a mask into pieces from junction to junction.

    Junctions are visited from the last to the first; at each, unused edges are followed in the order up, left, down,
    right. Contours without junctions come last; each is followed downwards from its top left corner.

    Args:
        edges: as `find_edges` returns them; used up.
        eights: the same bytes, eight together.
        count: the number of edges.
        across: corners per row.

    Returns:
        The pieces, and the number of junctions.
    """
    junctions = np.zeros(edges.size, np.int32)
    places = np.empty(count // 2 + 1, np.int64)
    number = 0
    for corner in find_corners(edges, eights, 15):
        places[number] = corner
        number += 1
        junctions[corner] = number
    path = np.empty(2 * count, np.int64)
    offsets = np.zeros(count + 1, np.int64)
    pieces, at_junctions = 0, 4 * number
    corners = find_corners(edges, eights, 2)
    for start in range(at_junctions + corners.size):
        if start < at_junctions:
            corner, direction = places[(at_junctions - 1 - start) // 4], 3 - start % 4
        else:
            corner, direction = corners[start - at_junctions], 1
        if edges[corner] >> direction & 1:  # not yet used
            if start >= at_junctions:
                number += 1
                junctions[corner] = number
            offsets[pieces + 1] = walk(edges, junctions, across, (corner, direction), path, offsets[pieces])
            pieces += 1
    ends = np.empty((pieces, 2), np.int64)
    for piece in range(pieces):
        ends[piece, 0] = junctions[path[offsets[piece]]] - 1
        ends[piece, 1] = junctions[path[offsets[piece + 1] - 1]] - 1
    return (path[: offsets[pieces]], offsets[: pieces + 1], ends), number
