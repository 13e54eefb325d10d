"""Closed curves from contour pieces: at a junction, a curve always turns and never continues straight.

Which pieces form a curve, the order of the curves and where each one starts depend on the order in which junctions
are visited. The authors' tool takes them from a hash table, so their order is that of the C++ library that it was
built with. libstdc++ lists the table from the largest number to the smallest. Before GCC 5, however, a table grew
when it was filled up to its number of buckets, a prime, which reversed its contents so far: n, 1, 2, …, n − 1.
"""

from typing import Literal

import numpy as np

from vosbench.errors import MeasureError
from vosbench.metrics.compiled import compiled
from vosbench.metrics.stability.contours import Indices, Pieces

JunctionOrder = Literal["gcc4", "gcc5"]

# The primes that libstdc++ uses as numbers of buckets.
_PRIMES = """
2 3 5 7 11 13 17 19 23 29 31 37 41 43 47 53 59 61 67 71 73 79 83 89 97 103 109 113 127 137 139 149 157 167 179 193 199
211 227 241 257 277 293 313 337 359 383 409 439 467 503 541 577 619 661 709 761 823 887 953 1031 1109 1193 1289 1381
1493 1613 1741 1879 2029 2179 2357 2549 2753 2971 3209 3469 3739 4027 4349 4703 5087 5503 5953 6427 6949 7517 8123 8783
9497 10273 11113 12011 12983 14033 15173 16411 17749 19183 20753 22447 24281 26267 28411 30727 33223 35933 38873 42043
45481 49201 53201 57557 62233 67307 72817 78779 85229 92203 99733 107897 116731 126271 136607 147793 159871 172933
187091 202409 218971 236897 256279 277261 299951 324503 351061 379787 410857
"""
BUCKETS = frozenset(int(prime) for prime in _PRIMES.split())


def order_junctions(count: int, order: JunctionOrder) -> Indices:
    """The order in which junctions are visited, 0-based.

    Args:
        count: the number of junctions.
        order: ``"gcc4"`` as in the official results, ``"gcc5"`` as in the authors' tool if built today.

    Raises:
        MeasureError: if the order does not exist.

    >>> order_junctions(4, "gcc4"), order_junctions(5, "gcc4"), order_junctions(5, "gcc5")
    (array([3, 2, 1, 0]), array([4, 0, 1, 2, 3]), array([4, 3, 2, 1, 0]))
    """
    if order not in {"gcc4", "gcc5"}:
        raise MeasureError(f'there is no junction order "{order}"; available: gcc4, gcc5')
    if order == "gcc4" and count in BUCKETS:
        return np.roll(np.arange(count), 1)
    return np.arange(count)[::-1].copy()


@compiled
def is_level(pieces: Pieces, piece: int, junction: int) -> bool:
    """Whether a piece's edge at a junction is horizontal; if it starts and ends there, the first edge decides."""
    path, offsets, ends = pieces
    first = offsets[piece] if ends[piece, 0] == junction else offsets[piece + 1] - 2
    return bool(abs(path[first + 1] - path[first]) == 1)


@compiled
def turn(pieces: Pieces, unused: Indices, junction: int, piece: int) -> int:
    """Choose the unused piece to follow next: the first, or the second if the first continues straight.

    Args:
        pieces: as `trace` returns them.
        unused: (junctions, 4) pieces of each junction, ascending, −1 if there is none or it has been used.
        junction: the junction to continue from.
        piece: the piece that led there, −1 to start with the first.

    Returns:
        The piece, or −1 if none is left.
    """
    chosen = -1
    for slot in range(4):
        candidate = unused[junction, slot]
        if candidate < 0:
            continue
        if chosen >= 0 or piece < 0:
            return int(candidate)
        chosen = candidate
        if is_level(pieces, candidate, junction) != is_level(pieces, piece, junction):
            break
    return int(chosen)


@compiled
def list_pieces(ends: Indices, junctions: int) -> Indices:
    """List the pieces of each junction.

    Args:
        ends: (pieces, 2) junctions of each piece.
        junctions: the number of junctions.

    Returns:
        (junctions, 4) pieces, ascending, padded with −1.
    """
    slots = np.full((junctions, 4), -1, np.int64)
    for piece in range(len(ends)):
        for side in range(2):
            slot = 0
            while slots[ends[piece, side], slot] >= 0 and slots[ends[piece, side], slot] != piece:
                slot += 1
            slots[ends[piece, side], slot] = piece
    return slots


@compiled
def use(unused: Indices, ends: Indices, piece: int) -> None:
    """Remove a piece from both of its junctions."""
    for side in range(2):
        for slot in range(4):
            if unused[ends[piece, side], slot] == piece:
                unused[ends[piece, side], slot] = -1


@compiled
def close(pieces: Pieces, trail: Indices, curves: Indices, filled: int) -> int:
    """Write a closed curve: the pieces of a trail, each starting at the junction where it was entered.

    Args:
        pieces: as `trace` returns them.
        trail: (k, 2) junctions, and the pieces that were followed from them.
        curves: receives the corners; the first and the last are equal.
        filled: the number of corners already in it.

    Returns:
        The number of corners now in it.
    """
    path, offsets, ends = pieces
    begin = filled
    for index in range(len(trail)):
        junction, piece = trail[index, 0], trail[index, 1]
        first, last = offsets[piece], offsets[piece + 1] - 1
        for step in range(last - first):
            curves[filled] = path[first + step] if ends[piece, 0] == junction else path[last - step]
            filled += 1
    curves[filled] = curves[begin]
    return int(filled + 1)


@compiled
def merge(pieces: Pieces, order: Indices) -> tuple[Indices, Indices]:
    """Join pieces to closed curves that do not cross themselves.

    From a junction, pieces are followed until one leads to a junction that was already passed. The pieces between
    form a curve, and the search continues from there.

    Args:
        pieces: as `trace` returns them.
        order: the junctions in the order in which they are visited.

    Returns:
        The corners of all curves, each with equal first and last corners; the offset of each curve, and of the end.
    """
    path, _, ends = pieces
    unused = list_pieces(ends, order.size)
    curves, begins = np.empty(path.size + 1, np.int64), np.zeros(len(ends) + 1, np.int64)
    trail, places = np.empty((order.size, 2), np.int64), np.full(order.size, -1, np.int64)
    count, depth, next_start = 0, 0, 0
    junction, piece = -1, -1
    while depth > 0 or next_start < order.size:
        if depth == 0:
            junction = order[next_start]
        piece = turn(pieces, unused, junction, piece if depth > 0 else -1)
        if piece < 0:
            next_start += 1
            continue
        use(unused, ends, piece)
        trail[depth, 0], trail[depth, 1], places[junction] = junction, piece, depth
        depth += 1
        junction = ends[piece, 1] if ends[piece, 0] == junction else ends[piece, 0]
        cut = places[junction]
        if cut >= 0:
            begins[count + 1] = close(pieces, trail[cut:depth], curves, begins[count])
            count += 1
            while depth > cut:
                depth -= 1
                places[trail[depth, 0]] = -1
            piece = trail[depth - 1, 1]
    return curves[: begins[count]], begins[: count + 1]
