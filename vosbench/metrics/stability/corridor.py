"""The alignment of two closed contours without most of their costs: equal to `alignment.align`, bit for bit.

All costs are first computed in single precision (`compare_single`), and so are the least totals. These tell which
pairs no path of least total can contain. What is left is a corridor of about 1 % of the pairs; only there costs are
computed in double precision, and totals, paths and ties from them.

Why nothing is lost:
    Let c be the costs of `shape_context.compare`, ĉ those in single precision, u = 2⁻²⁴, and |ĉ − c| ≤ ε for each pair.
    Both are at most 1, and χ² = 1 − 2 Σ ab / (a + b) for histograms of sum 1. A term computed from two bins has a
    relative error of at most 8 u, 30 sums of terms, all positive, add 30 u, and Σ ab / (a + b) ≤ ½; with the last
    subtraction that is 39 u. What c rounds, the 2⁻⁵² in its denominators and sums that are not quite 1 are below
    10⁻¹¹. `ERROR` is 128 u.

    A path has at most k = n + m − 1 pairs. Let P be a path whose total, as `accumulate` rounds it, is the least one, Q
    one whose total in single precision, T̂, is the least one, and S and Ŝ sums without rounding. Then Ŝ(P) ≤ S(P) + kε;
    S(P) ≤ S(Q) up to rounding in double precision; S(Q) ≤ Ŝ(Q) + kε; and Ŝ(Q) ≤ T̂ + kuT̂, since each addition rounds by
    at most u times a total that is not larger than the last.

    The excess of a step is how much larger the total of the pair that it comes from is than the least one that it could
    come from. Along P the excesses add up to Ŝ(P) − T̂, up to another kuT̂ for what the totals round. So a pair can be
    left out if each path through it has an excess of more than 2k(ε + u(1.01 T̂ + 1)), where 1.01 and 1 also cover that
    totals along P can be larger than T̂ by the excess, and rounding in double precision.

    Every pair on a path of least total is therefore in the corridor, with all its best predecessors, which are on such
    paths too. Totals there are those of `accumulate`, and others have larger ones, so that walking back and ties are
    the same. The search that decides ties needs costs outside, too; it computes them.
"""

import numpy as np

from vosbench.metrics.compiled import compiled
from vosbench.metrics.stability import ties
from vosbench.metrics.stability.alignment import match
from vosbench.metrics.stability.contours import Indices
from vosbench.metrics.stability.shape_context import BINS, Flags, Floats, compare_pair
from vosbench.metrics.stability.single import ERROR, UNIT, Singles, accumulate_single, compare_single

MOST = 1e300


@compiled
def predecessors(total: Singles, row: int, column: int) -> tuple[float, float, float]:
    """The totals of the pairs before a pair: on both contours, the first, and the second; ∞ if there is none."""
    both = first = second = np.inf
    if row > 0:
        first = np.float64(total[row - 1, column])
    if column > 0:
        second = np.float64(total[row, column - 1])
    if row > 0 and column > 0:
        both = np.float64(total[row - 1, column - 1])
    return both, first, second


@compiled
def doubled(pairs: Indices) -> Indices:
    """An array of twice the length that begins with the pairs."""
    longer = np.empty((2 * len(pairs), 2), np.int64)
    for index in range(len(pairs)):
        longer[index, 0], longer[index, 1] = pairs[index, 0], pairs[index, 1]
    return longer


@compiled
def find_corridor(total: Singles) -> Indices:
    """The pairs that a path of least total can contain.

    Args:
        total: (n, m) totals of `accumulate_single`.

    Returns:
        (k, 2) pairs, relative to the start, from the last row to the first and in a row from right to left.
    """
    rows, columns = total.shape
    most = 2 * (rows + columns) * (ERROR + UNIT * (1.01 * np.float64(total[rows - 1, columns - 1]) + 1))
    pairs = np.empty((4 * (rows + columns), 2), np.int64)
    found = 0
    here, above = np.full(columns, np.inf), np.full(columns, np.inf)  # the least excess of a path on to the last pair
    here[columns - 1] = 0.0
    low = high = columns - 1
    for row in range(rows - 1, -1, -1):
        next_low, next_high = columns, -1
        column = high
        while column >= low:
            excess = here[column]
            here[column] = np.inf
            if excess <= most:
                if found == len(pairs):
                    pairs = doubled(pairs)
                pairs[found, 0], pairs[found, 1] = row, column
                found += 1
                both, first, second = predecessors(total, row, column)
                least = min(both, first, second, MOST)  # not ∞ at the start
                if excess + (second - least) <= most:
                    here[column - 1] = min(here[column - 1], excess + (second - least))
                    low = min(low, column - 1)
                if excess + (first - least) <= most:
                    above[column] = min(above[column], excess + (first - least))
                    next_low, next_high = min(next_low, column), max(next_high, column)
                if excess + (both - least) <= most:
                    above[column - 1] = min(above[column - 1], excess + (both - least))
                    next_low, next_high = min(next_low, column - 1), max(next_high, column - 1)
            column -= 1
        here, above = above, here
        low, high = next_low, next_high
    return pairs[:found]


@compiled
def totals_before(corridor: Indices, total: Floats, index: int, beginning: int, behind: int) -> tuple[float, int, bool]:
    """The least total of the pairs that a pair of the corridor can come from.

    Args:
        corridor: as `find_corridor` returns it.
        total: (k,) totals of its pairs.
        index: of the pair.
        beginning: the first pair of its row.
        behind: the first pair of the row above that is not more than a column to the left; in the first row, any.

    Returns:
        the total, the pair that comes first among those of this total, on both contours, the first, and the second; and
        whether there are several.
    """
    row, column = corridor[index, 0], corridor[index, 1]
    both = first = second = np.inf
    above = behind
    if row > 0 and corridor[behind, 1] == column - 1:
        both = total[behind]
        above = behind - 1
    if row > 0 and above > beginning and corridor[above, 1] == column:
        first = total[above]
    if corridor[index + 1, 0] == row and corridor[index + 1, 1] == column - 1:
        second = total[index + 1]
    least = min(both, first, second)
    several = int(both == least) + int(first == least) + int(second == least) > 1
    return least, behind if both == least else above if first == least else index + 1, several


@compiled
def walk_exactly(
    histograms: tuple[Floats, Floats], costs: tuple[Floats, Flags], corridor: Indices, start: tuple[int, int]
) -> tuple[Indices, int]:
    """`alignment.accumulate` in a corridor, where totals outside are infinite, and `alignment.walk_back`.

    Args:
        histograms: of both contours, (n, 60) and (m, 60).
        costs: (n, m) cost of each pair, and which of them are known; others are computed when they are needed.
        corridor: as `find_corridor` returns it.
        start: the pair to start from; indices wrap around.

    Returns:
        (k, 2) pairs, the last one first, including the start; and the index of the first tie, −1 if there is none.
    """
    cost, known = costs
    rows, columns = cost.shape
    size = len(corridor)
    total, back, tied = np.zeros(size), np.empty(size, np.int64), np.zeros(size, np.bool_)
    terms = np.empty(BINS, np.float64)
    beginning = behind = size - 1  # the first pairs of the row, and where to look for the pairs of the row above
    for index in range(size - 1, -1, -1):
        row, column = corridor[index, 0], corridor[index, 1]
        source, other = (row + start[0]) % rows, (column + start[1]) % columns
        if not known[source, other]:
            known[source, other] = True
            cost[source, other] = compare_pair(histograms[0][source], histograms[1][other], terms)
        if index == size - 1:
            continue
        if row != corridor[beginning, 0]:
            beginning, behind = index, beginning
        while behind > beginning + 1 and corridor[behind, 1] < column - 1:
            behind -= 1
        least, back[index], tied[index] = totals_before(corridor, total, index, beginning, behind)
        total[index] = least + cost[source, other]
    path = np.empty((rows + columns, 2), np.int64)
    length, tie, index = 0, -1, 0
    while True:
        path[length, 0], path[length, 1] = corridor[index, 0], corridor[index, 1]
        if tie < 0 and tied[index]:
            tie = length
        length += 1
        if index == size - 1:
            return path[:length], tie
        index = back[index]


def find_path(
    cost: tuple[Floats, Flags], single: Singles, histograms: tuple[Floats, Floats, Floats], start: tuple[int, int]
) -> Indices:
    """`alignment.find_path`, computing the costs that it needs, among them those of the path.

    Not compiled: one function of all of its parts takes longer to compile than all of them.

    Args:
        cost: (n, m) cost of each pair, and which of them are known; changed in place.
        single: (n, m) costs in single precision.
        histograms: of both contours, (n, 60) and (m, 60), and of the second (60, m).
        start: the pair to start from; indices wrap around.
    """
    first, second, across = histograms
    corridor = find_corridor(accumulate_single(single, *start))
    path, tie = walk_exactly((first, second), cost, corridor, start)
    if tie >= 0:
        known = np.zeros((cost[0].shape[0], -(-cost[0].shape[1] // ties.BLOCK)), np.bool_)
        path = ties.resolve(cost[0], (first, across, known), start, path, tie)
    return (path + start) % cost[0].shape


def align_contours(first: Floats, second: Floats) -> float:
    """`alignment.align` of the costs of `shape_context.compare`.

    Args:
        first: (60, n) histograms of a closed contour, each with sum 1.
        second: (60, m) histograms of the other one.

    Returns:
        the mean matching cost, in [0, 1].
    """
    histograms = (np.ascontiguousarray(first.T), np.ascontiguousarray(second.T), np.ascontiguousarray(second))
    single = compare_single(histograms[0], histograms[2])
    cost, known = np.empty(single.shape), np.zeros(single.shape, np.bool_)
    path = find_path((cost, known), single, histograms, (0, 0))
    best = path[cost[path[:-1, 0], path[:-1, 1]].argmin()] if len(path) > 1 else path[0]
    start = (int(best[0] + 1) % cost.shape[0], int(best[1] + 1) % cost.shape[1])
    return match(cost, find_path((cost, known), single, histograms, start))
