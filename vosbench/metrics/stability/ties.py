"""Among paths of equal cost, the one that Dijkstra's algorithm with a heap of four children per node finds.

A closed contour's first and last point are the same, so equal costs stand side by side, and equal totals are not
rare. The authors' tool then keeps whichever way its search (that of the Boost Graph Library) came to first, which
depends on how its heap orders equal totals. The search is done over again here, and only where a tie lies on the
path; it ends at the last tie.
"""

import numpy as np
from numpy.typing import NDArray

from vosbench.metrics.compiled import compiled
from vosbench.metrics.stability.contours import Indices
from vosbench.metrics.stability.shape_context import Floats

Heap = NDArray[np.int32]

_CHILDREN = 4


@compiled
def rise(heap: Heap, places: Heap, totals: Floats, place: int) -> None:
    """Move a node up to where its parent's total is no larger."""
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
    """Move the top node down to where no child's total is smaller; of equal children the first moves up."""
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
def search(cost: Floats, start: tuple[int, int], target: tuple[int, int]) -> NDArray[np.int8]:
    """Search from the start until a pair is settled.

    Args:
        cost: (n, m) of each pair.
        start: the pair to begin with; indices go on cyclically from there.
        target: the pair to reach, counted from the start.

    Returns:
        (n, m) the step that led to each pair, counted from the start: 1 on the first contour, 2 on the second, 3 on
        both; 0 for the start and what was not seen.
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
            below, beside = row + step % 2, column + step // 2
            if below == rows or beside == columns:
                continue
            total = totals[node] + cost[(below + start[0]) % rows, (beside + start[1]) % columns]
            reached = below * columns + beside
            if total < totals[reached]:
                totals[reached] = total
                steps[below, beside] = step
                if places[reached] < 0:
                    heap[size] = reached
                    places[reached] = size
                    size += 1
                rise(heap, places, totals, places[reached])
    return steps


@compiled
def resolve(cost: Floats, start: tuple[int, int], path: Indices, tie: int) -> Indices:
    """Replace what lies before the last tie of a path.

    Args:
        cost: (n, m) of each pair.
        start: the pair to begin with; indices go on cyclically from there.
        path: (k, 2) pairs from the last one to the first, counted from the start.
        tie: where in the path the last tie is, the one met first on the way back.

    Returns:
        (l, 2) the path that the search finds.
    """
    row, column = path[tie, 0], path[tie, 1]
    steps = search(cost, start, (row, column))
    found = np.empty((tie + row + column + 1, 2), np.int64)
    for index in range(tie):
        found[index, 0], found[index, 1] = path[index, 0], path[index, 1]
    length = tie
    while True:
        found[length, 0], found[length, 1] = row, column
        length += 1
        step = steps[row, column]
        if step == 0:
            return found[:length]
        row -= step % 2
        column -= step // 2
