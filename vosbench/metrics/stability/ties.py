"""The one of several paths of equal cost that Dijkstra's algorithm finds with a heap of four children per node.

The first and the last point of a closed contour are equal, so equal costs are adjacent and equal totals are common.
The authors' tool then keeps the path that its search (from the Boost Graph Library) reaches first, which depends on
how its heap orders equal totals. That search is repeated here, but only if there is a tie on the path, and only up
to the last tie.
"""

import numpy as np
from numpy.typing import NDArray

from vosbench.metrics.compiled import compiled
from vosbench.metrics.stability.contours import Indices
from vosbench.metrics.stability.shape_context import UNKNOWN, Floats, compare_pair

Heap = NDArray[np.int32]

_CHILDREN = 4


@compiled
def rise(heap: Heap, places: Heap, totals: Floats, place: int) -> None:
    """Move a node up until its parent's total is not larger."""
    node = heap[place]
    while place > 0:
        parent = (place - 1) // _CHILDREN
        if totals[node] >= totals[heap[parent]]:
            break
        heap[place] = heap[parent]
        places[heap[place]] = place
        place = parent
    heap[place] = node
    places[node] = place


@compiled
def sink(heap: Heap, places: Heap, totals: Floats, size: int) -> None:
    """Move the top node down until no child's total is smaller; of equal children, the first moves up."""
    node, place = heap[0], 0
    while _CHILDREN * place + 1 < size:
        least = _CHILDREN * place + 1
        for child in range(least + 1, min(least + _CHILDREN, size)):
            if totals[heap[child]] < totals[heap[least]]:
                least = child
        if totals[heap[least]] >= totals[node]:
            break
        heap[place] = heap[least]
        places[heap[place]] = place
        place = least
    heap[place] = node
    places[node] = place


@compiled
def search(
    cost: Floats, histograms: tuple[Floats, Floats], start: tuple[int, int], target: tuple[int, int]
) -> NDArray[np.int8]:
    """Search from the start until the target is settled.

    Args:
        cost: (n, m) cost of each pair; those that are `UNKNOWN` are computed when they are needed.
        histograms: of both contours, (n, 60) and (m, 60).
        start: the pair to start from; indices wrap around.
        target: the pair to reach, relative to the start.

    Returns:
        (n, m) the step that led to each pair, relative to the start: 1 on the first contour, 2 on the second, 3 on
        both; 0 for the start and for pairs that were not reached.
    """
    rows, columns = cost.shape
    steps = np.zeros((rows, columns), np.int8)
    totals = np.full(rows * columns, np.inf, np.float64)
    heap, places = np.empty(rows * columns, np.int32), np.full(rows * columns, -1, np.int32)
    totals[0], heap[0], size = 0.0, 0, 1
    while size > 0:
        node = heap[0]
        row, column = node // columns, node % columns
        if row == target[0] and column == target[1]:
            break
        size -= 1
        heap[0] = heap[size]
        if size > 0:
            sink(heap, places, totals, size)
        for step in (2, 1, 3):
            next_row, next_column = row + step % 2, column + step // 2
            if next_row == rows or next_column == columns:
                continue
            source, other = (next_row + start[0]) % rows, (next_column + start[1]) % columns
            if cost[source, other] == UNKNOWN:
                cost[source, other] = compare_pair(histograms, source, other)
            total = totals[node] + cost[source, other]
            neighbour = next_row * columns + next_column
            if total < totals[neighbour]:
                totals[neighbour] = total
                steps[next_row, next_column] = step
                if places[neighbour] < 0:
                    heap[size] = neighbour
                    places[neighbour] = size
                    size += 1
                rise(heap, places, totals, places[neighbour])
    return steps


@compiled
def resolve(
    cost: Floats, histograms: tuple[Floats, Floats], start: tuple[int, int], path: Indices, tie: int
) -> Indices:
    """Replace the part of a path before its last tie.

    Args:
        cost: (n, m) cost of each pair, as for `search`.
        histograms: as for `search`.
        start: the pair to start from; indices wrap around.
        path: (k, 2) pairs from the last one to the first, relative to the start.
        tie: the index of the last tie, which is the first one on the way back.

    Returns:
        (l, 2) pairs of the path that the search finds, in the same order.
    """
    row, column = path[tie, 0], path[tie, 1]
    steps = search(cost, histograms, start, (row, column))
    resolved = np.empty((tie + row + column + 1, 2), np.int64)
    for index in range(tie):
        resolved[index, 0], resolved[index, 1] = path[index, 0], path[index, 1]
    length = tie
    while True:
        resolved[length, 0], resolved[length, 1] = row, column
        length += 1
        step = steps[row, column]
        if step == 0:
            return resolved[:length]
        row -= step % 2
        column -= step // 2
