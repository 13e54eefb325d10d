"""Costs of two contours, and the least totals of paths, in single precision: a filter for `corridor`."""

import numpy as np
from numpy.typing import NDArray

from vosbench.metrics.compiled import compiled
from vosbench.metrics.stability.shape_context import BINS, Floats

Singles = NDArray[np.float32]

ERROR = 2.0**-17
UNIT = 2.0**-24
ONE, TWO, NOTHING = np.float32(1), np.float32(2), np.float32(0)


@compiled
def add_pair(one: Singles, first: Singles, second: Singles, sums: Singles) -> None:
    """Add ab / (a + b) of two bins to the sums, with one division for both.

    Args:
        one: the two shares a of one histogram.
        first: the shares b of others in the first of the bins.
        second: those in the second.
        sums: changed in place.
    """
    a, c = one[0], one[1]
    for other in range(sums.size):
        b, d = first[other], second[other]
        left, right = a + b, c + d
        sums[other] += np.divide(a * b * right + c * d * left, left * right)


@compiled
def compare_single(first: Floats, second: Floats) -> Singles:
    """The χ² distances between the histograms of two contours in single precision, within `ERROR`.

    Args:
        first: (n, 60) histograms, each with sum 1.
        second: (60, m) histograms, each with sum 1.

    Returns:
        (n, m) distances in [0, 1].
    """
    ours = first.astype(np.float32)
    theirs = second.astype(np.float32)
    filled = np.zeros(BINS, np.bool_)
    for index in range(BINS):
        filled[index] = theirs[index].max() > 0
    nowhere = np.zeros(second.shape[1], np.float32)
    cost = np.zeros((len(first), second.shape[1]), np.float32)
    shares = np.ones(2, np.float32)
    for one in range(len(first)):
        waiting = -1
        for index in range(BINS):
            if ours[one, index] > 0 and filled[index]:
                if waiting < 0:
                    waiting = index
                else:
                    shares[0], shares[1] = ours[one, waiting], ours[one, index]
                    add_pair(shares, theirs[waiting], theirs[index], cost[one])
                    waiting = -1
        if waiting >= 0:
            shares[0], shares[1] = ours[one, waiting], ONE
            add_pair(shares, theirs[waiting], nowhere, cost[one])
        for other in range(second.shape[1]):
            cost[one, other] = max(NOTHING, ONE - TWO * cost[one, other])
    return cost


@compiled
def shift(cost: Singles, top: int, left: int, shifted: Singles) -> None:
    """Copy rows from a point on, indices wrapping around, row k with k columns in front of it."""
    rows, columns = cost.shape
    for row in range(len(shifted)):
        source = (top + row) % rows
        for column in range(columns - left):
            shifted[row, row + column] = cost[source, column + left]
        for column in range(left):
            shifted[row, row + columns - left + column] = cost[source, column]


@compiled
def sweep(shifted: Singles, entry: Singles, total: Singles) -> None:
    """Compute the least totals of four rows, each a column behind the one above it.

    A total waits for the one to its left; those of four rows need not wait for each other.

    Args:
        shifted: (4, m + 3) costs, as `shift` copies them; ∞ where there are none, so that no total is there either.
        entry: (m + 4,) totals of the row above, behind one of a pair that does not exist; then ∞.
        total: (4, m + 6), filled; three columns on either side are not of pairs.
    """
    a = b = c = d = np.float32(np.inf)  # the last totals of the four rows
    before_a = before_b = before_c = a  # and those before them
    for time in range(shifted.shape[1]):
        d = min(before_c, c, d) + shifted[3, time]
        before_c = c
        c = min(before_b, b, c) + shifted[2, time]
        before_b = b
        b = min(before_a, a, b) + shifted[1, time]
        before_a = a
        a = min(entry[time], entry[time + 1], a) + shifted[0, time]
        total[0, time + 3], total[1, time + 2], total[2, time + 1], total[3, time] = a, b, c, d


@compiled
def accumulate_single(cost: Singles, above: int, left: int) -> Singles:
    """`alignment.accumulate` in single precision, from the pair (above, left)."""
    rows, columns = cost.shape
    total = np.empty((rows + -rows % 4, columns + 6), np.float32)
    shifted = np.full((4, columns + 3), np.float32(np.inf))
    entry = np.full(columns + 4, np.float32(np.inf))
    for top in range(0, rows, 4):
        shift(cost, top + above, left, shifted)
        if top == 0:  # the start costs nothing, and is reached from nowhere
            shifted[0, 0] = entry[0] = NOTHING
        sweep(shifted, entry, total[top : top + 4])
        entry[0] = np.inf
        for column in range(columns):
            entry[column + 1] = total[top + 3, column + 3]
    return total[:rows, 3 : columns + 3]
