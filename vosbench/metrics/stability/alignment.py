"""Alignment of two closed contours by their matching costs, and the mean cost of the matched points.

The path of least total cost leads from the pair of first points to the pair of last points; each step advances by
one point on either contour or on both. It is found twice, the second time starting from the best pair on the first
path, because the point at which a closed contour starts is arbitrary.
"""

import numpy as np

from vosbench.metrics.compiled import compiled
from vosbench.metrics.stability.contours import Indices
from vosbench.metrics.stability.shape_context import BINS, Floats
from vosbench.metrics.stability.ties import resolve


@compiled
def accumulate(cost: Floats, start: tuple[int, int]) -> Floats:
    """The least total cost of a path to each pair, without the cost of its start.

    Args:
        cost: (n, m) cost of each pair.
        start: the pair to start from; indices wrap around.

    Returns:
        (n, m) totals, in path order: the start is at (0, 0).
    """
    rows, columns = cost.shape
    total = np.empty((rows, columns), np.float64)
    entry, shifted = np.empty(columns, np.float64), np.empty(columns, np.float64)
    for row in range(rows):
        source = (row + start[0]) % rows
        for column in range(columns - start[1]):
            shifted[column] = cost[source, column + start[1]]
        for column in range(start[1]):
            shifted[columns - start[1] + column] = cost[source, column]
        for column in range(1, columns):
            entry[column] = np.inf if row == 0 else min(total[row - 1, column - 1], total[row - 1, column])
        last = 0.0 if row == 0 else total[row - 1, 0] + shifted[0]
        total[row, 0] = last
        for column in range(1, columns):
            last = min(entry[column], last) + shifted[column]
            total[row, column] = last
    return total


@compiled
def walk_back(total: Floats) -> tuple[Indices, int]:
    """Walk back from the last pair to the first along the least totals.

    Returns:
        (k, 2) pairs, the last one first, including the start; and the index of the first tie, −1 if there is none.
    """
    row, column = total.shape[0] - 1, total.shape[1] - 1
    path = np.empty((row + column + 1, 2), np.int64)
    length, tie = 0, -1
    while True:
        path[length, 0], path[length, 1] = row, column
        length += 1
        if row == 0 and column == 0:
            return path[:length], tie
        if row == 0:
            column -= 1
        elif column == 0:
            row -= 1
        else:
            both, first, second = total[row - 1, column - 1], total[row - 1, column], total[row, column - 1]
            least = min(both, first, second)
            if tie < 0 and int(both == least) + int(first == least) + int(second == least) > 1:
                tie = length - 1
            if both == least:
                row, column = row - 1, column - 1
            elif first == least:
                row -= 1
            else:
                column -= 1


@compiled
def find_path(cost: Floats, start: tuple[int, int]) -> Indices:
    """Find the path of least total cost.

    Args:
        cost: (n, m) cost of each pair.
        start: the pair to start from; indices wrap around.

    Returns:
        (k, 2) pairs, the last one first, including the start.
    """
    path, tie = walk_back(accumulate(cost, start))
    if tie >= 0:
        unused, known = np.empty((0, BINS), np.float64), np.ones(cost.shape, np.bool_)
        path = resolve(cost, (unused, unused, known), start, path, tie)
    for index in range(len(path)):
        path[index, 0] = (path[index, 0] + start[0]) % cost.shape[0]
        path[index, 1] = (path[index, 1] + start[1]) % cost.shape[1]
    return path


@compiled
def match(cost: Floats, path: Indices) -> float:
    """The mean cost of a one-to-one part of a path.

    Each point of the first contour keeps its cheapest pair, then each point of the second the cheapest of these.

    Args:
        cost: (n, m) cost of each pair.
        path: (k, 2) pairs; on ties, the earlier one is kept.
    """
    partner = np.full(cost.shape[0], -1, np.int64)
    for index in range(len(path)):
        row, column = path[index, 0], path[index, 1]
        if partner[row] < 0 or cost[row, column] < cost[row, partner[row]]:
            partner[row] = column
    least = np.full(cost.shape[1], np.inf, np.float64)
    for row in range(cost.shape[0]):
        least[partner[row]] = min(least[partner[row]], cost[row, partner[row]])
    total, count = 0.0, 0
    for value in least:
        if value < np.inf:
            total += value
            count += 1
    return float(total / count)


@compiled
def align(cost: Floats) -> float:
    """Align two closed contours and compute the mean matching cost.

    Args:
        cost: (n, m) cost of each pair of points.

    Returns:
        the mean, in [0, 1].
    """
    path = find_path(cost, (0, 0))
    best = 0
    for index in range(1, len(path) - 1):
        if cost[path[index, 0], path[index, 1]] < cost[path[best, 0], path[best, 1]]:
            best = index
    start = ((path[best, 0] + 1) % cost.shape[0], (path[best, 1] + 1) % cost.shape[1])
    return match(cost, find_path(cost, start))
