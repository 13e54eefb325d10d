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
from vosbench.metrics.stability.shape_context import Flags, Floats, compare_row

Heap = tuple[Floats, Indices, NDArray[np.int32]]
"""Totals in the order of the heap, their nodes, and the place of each node in it; −1 before it has one."""

BLOCK = 16
"""Costs of one point with so many neighbouring others are computed together."""
_CHILDREN = 4


@compiled
def rise(heap: Heap, place: int) -> None:
    """Move a node up until its parent's total is not larger."""
    totals, nodes, places = heap
    total, node = totals[place], nodes[place]
    while place > 0:
        parent = (place - 1) // _CHILDREN
        if total >= totals[parent]:
            break
        totals[place], nodes[place] = totals[parent], nodes[parent]
        places[nodes[place]] = place
        place = parent
    totals[place], nodes[place] = total, node
    places[node] = place


@compiled
def sink(heap: Heap, size: int) -> None:
    """Move the top node down until no child's total is smaller; of equal children, the first moves up."""
    totals, nodes, places = heap
    total, node, place = totals[0], nodes[0], 0
    while _CHILDREN * place + 1 < size:
        least = _CHILDREN * place + 1
        for child in range(least + 1, min(least + _CHILDREN, size)):
            if totals[child] < totals[least]:
                least = child
        if totals[least] >= total:
            break
        totals[place], nodes[place] = totals[least], nodes[least]
        places[nodes[place]] = place
        place = least
    totals[place], nodes[place] = total, node
    places[node] = place


@compiled
def search(
    cost: Floats, shares: tuple[Floats, Floats, Flags], start: tuple[int, int], target: tuple[int, int]
) -> NDArray[np.int8]:
    """Search from the start until the target is settled.

    Args:
        cost: (n, m) cost of each pair; those of blocks that are not known are computed when they are needed.
        shares: (n, 60) and (60, m) histograms of both contours, and (n, ⌈m / 16⌉) which blocks of costs are known.
        start: the pair to start from; indices wrap around.
        target: the pair to reach, relative to the start.

    Returns:
        (n, m) the step that led to each pair, relative to the start: 1 on the first contour, 2 on the second, 3 on
        both; 0 for the start and for pairs that were not reached.
    """
    rows, columns = cost.shape
    ours, theirs, known = shares
    steps = np.zeros((rows, columns), np.int8)
    totals, nodes = np.empty(rows * columns), np.empty(rows * columns, np.int64)
    places = np.full(rows * columns, -1, np.int32)
    heap = (totals, nodes, places)
    totals[0], nodes[0], places[0], size = 0.0, 0, 0, 1
    while size > 0:
        node, before = nodes[0], totals[0]
        row = node // columns
        column = node - row * columns
        if row == target[0] and column == target[1]:
            break
        size -= 1
        totals[0], nodes[0] = totals[size], nodes[size]
        if size > 0:
            sink(heap, size)
        for step in (2, 1, 3):
            next_row, next_column = row + step % 2, column + step // 2
            if next_row == rows or next_column == columns:
                continue
            source = next_row + start[0] if next_row + start[0] < rows else next_row + start[0] - rows
            other = next_column + start[1] if next_column + start[1] < columns else next_column + start[1] - columns
            block = other // BLOCK
            if not known[source, block]:
                known[source, block] = True
                left, right = BLOCK * block, min(BLOCK * (block + 1), columns)
                compare_row(ours[source], theirs[:, left:right], cost[source, left:right])
            total = before + cost[source, other]
            neighbour = next_row * columns + next_column
            place = places[neighbour]
            if place < 0:
                place = size
                size += 1
            elif place >= size or nodes[place] != neighbour or total >= totals[place]:
                continue
            steps[next_row, next_column] = step
            totals[place], nodes[place] = total, neighbour
            rise(heap, place)
    return steps


@compiled
def resolve(
    cost: Floats, shares: tuple[Floats, Floats, Flags], start: tuple[int, int], path: Indices, tie: int
) -> Indices:
    """Replace the part of a path before its last tie.

    Args:
        cost: (n, m) cost of each pair, as for `search`.
        shares: as for `search`.
        start: the pair to start from; indices wrap around.
        path: (k, 2) pairs from the last one to the first, relative to the start.
        tie: the index of the last tie, which is the first one on the way back.

    Returns:
        (l, 2) pairs of the path that the search finds, in the same order.
    """
    row, column = path[tie, 0], path[tie, 1]
    steps = search(cost, shares, start, (row, column))
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
