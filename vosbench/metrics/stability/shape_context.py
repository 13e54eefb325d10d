"""Shape contexts: histograms of where the points of a contour lie, as seen from each of them.

The histogram of a point has 5 rings × 12 sectors. Distances are divided by their mean over all pairs, including each
point with itself; ring edges are 1/8, 1/4, 1/2, 1, 2, and points further away are not counted. Angles are measured
from down towards right, whatever the direction of the contour.
Source: Belongie, Malik and Puzicha, "Shape Matching and Object Recognition Using Shape Contexts", PAMI 2002.
"""

import math

import numpy as np
from numpy.typing import NDArray

from vosbench.metrics.compiled import compiled, compiled_or
from vosbench.metrics.stability.contours import Indices

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

EPSILON = 2.0**-52
SECTORS, RINGS = 12, 5
BINS = RINGS * SECTORS
UNDECIDED = BINS + SECTORS
NEAR = 1e-18
"""The square of how near a direction is to a sector boundary, in radians, if round-off might decide."""
_TURN, _SECTOR = 2 * math.pi, 2 * math.pi / 12
_COS30, _SIN30 = math.sqrt(0.75), 0.5


@compiled
def upsample(corners: Indices, spacing: float) -> Floats:
    """Add equally spaced points between corners that are further apart than the spacing.

    Args:
        corners: (n, 2) closed polygon.
        spacing: the largest distance between neighbours, in pixels.

    Returns:
        (m, 2) points; the first and the last are equal.
    """
    steps = np.ones(len(corners), np.int64)
    for index in range(len(corners) - 1):
        rows, columns = corners[index + 1, 0] - corners[index, 0], corners[index + 1, 1] - corners[index, 1]
        length = math.sqrt(rows * rows + columns * columns)
        if length > spacing:
            steps[index] = math.ceil(length / spacing)
    points = np.empty((steps.sum(), 2), np.float64)
    filled = 0
    for index in range(len(corners)):
        row, column = float(corners[index, 0]), float(corners[index, 1])
        following = min(index + 1, len(corners) - 1)
        down = (corners[following, 0] - corners[index, 0]) / steps[index]
        right = (corners[following, 1] - corners[index, 1]) / steps[index]
        for _ in range(steps[index]):
            points[filled, 0], points[filled, 1] = row, column
            filled += 1
            row += down
            column += right
    return points


@compiled
def remainder(value: float) -> float:
    """The remainder modulo a full turn, with the sign of the value; 0 within round-off of a multiple."""
    turns = value / _TURN
    whole = np.rint(turns)
    if abs(turns - whole) < EPSILON * abs(whole):
        return 0.0
    return float(value - _TURN * np.trunc(turns))


@compiled
def find_sector(down: float, right: float) -> int:
    """The 30° sector of a difference of points, as the rounding of its angle decides."""
    angle = remainder(remainder(math.atan2(right, down)) + _TURN)
    return math.floor(angle / _SECTOR) % 12


@compiled
def find_ring(distance: float) -> int:
    """The ring of a distance, given as a multiple of the mean: 5 is the innermost, 0 outside."""
    return int(distance < 2) + int(distance < 1) + int(distance < 0.5) + int(distance < 0.25) + int(distance < 0.125)


@compiled
def mean_distance(rows: Floats, columns: Floats) -> float:
    """The mean distance over all ordered pairs of points, including each point with itself."""
    size = len(rows)
    distances = np.empty(size, np.float64)
    total = 0.0
    for one in range(size):
        for other in range(one):
            down, right = rows[other] - rows[one], columns[other] - columns[one]
            distances[other] = math.sqrt(down * down + right * right)
        for other in range(one):
            total += distances[other]
    return float(2 * total / (size * size))


@compiled
def find_limits(mean: float) -> Floats:
    """The least squares of distances that are outside of each ring, (5,), the outermost ring first.

    Roots and quotients do not decrease when what they are taken of grows, so squares decide as `find_ring` does.
    """
    limits = np.empty(RINGS, np.float64)
    for ring in range(RINGS):
        edge = 2.0 ** (1 - ring)
        square = (edge * mean) * (edge * mean)
        while math.sqrt(square) / mean >= edge:
            square = float(np.nextafter(square, 0.0))
        while math.sqrt(square) / mean < edge:
            square = float(np.nextafter(square, np.inf))
        limits[ring] = square
    return limits


@compiled
def find_bins(rows: Floats, columns: Floats, one: int, limits: Floats, bins: Indices) -> None:
    """Find the bins in which one point sees the points before it, without computing distances and angles.

    The sector follows from the side of each sector boundary on which a point lies; within round-off of a boundary,
    the decision is left to `find_sector`.

    Args:
        rows: (n,) rows of the points.
        columns: (n,) columns of the points.
        one: the index of the point.
        limits: of the rings, as `find_limits` returns them.
        bins: receives 12 × ring + sector, with ring 0 outside and 5 innermost, or `UNDECIDED`.
    """
    outer, second, third, fourth, inner = limits[0], limits[1], limits[2], limits[3], limits[4]
    for other in range(one):
        down, right = rows[other] - rows[one], columns[other] - columns[one]
        square = down * down + right * right
        ring = int(square < outer) + int(square < second) + int(square < third) + int(square < fourth)
        side = -1.0 if right < 0 else 1.0
        x, y = down * side, right * side
        at30, at60 = _COS30 * y - 0.5 * x, 0.5 * y - _COS30 * x
        at120, at150 = -0.5 * y - _COS30 * x, -_COS30 * y - 0.5 * x
        sector = int(at30 > 0) + int(at60 > 0) + int(x < 0) + int(at120 > 0) + int(at150 > 0)
        nearest = min(abs(at30), abs(at60), abs(at120), abs(at150), abs(x), y)
        whole = 12 * (ring + int(square < inner)) + sector + (6 if right < 0 else 0)
        bins[other] = whole if nearest * nearest > NEAR * square else UNDECIDED


@compiled
def count_neighbours(points: Floats) -> NDArray[np.int32]:
    """Count the points in each bin around each point.

    Args:
        points: (n, 2).

    Returns:
        (n, 60) counts by ring, the outermost first, then by sector.
    """
    size = len(points)
    rows, columns = points[:, 0].copy(), points[:, 1].copy()
    mean = mean_distance(rows, columns)
    limits = find_limits(mean)
    counts = np.zeros((size, UNDECIDED), np.int32)
    opposite = np.empty(UNDECIDED, np.int64)  # the bin in which a point sees one that sees it in a bin
    for index in range(UNDECIDED):
        opposite[index] = index + 6 if index % SECTORS < 6 else index - 6
    own = np.zeros((2, UNDECIDED + 1), np.int32)  # two tables, so that no count waits for the previous one
    bins = np.empty(size, np.int64)
    for one in range(size):
        find_bins(rows, columns, one, limits, bins)
        for other in range(one):
            index = bins[other]
            own[other & 1, index] += 1
            if index < UNDECIDED:
                counts[other, opposite[index]] += 1
        if own[0, UNDECIDED] + own[1, UNDECIDED] > 0:
            for other in range(one):
                if bins[other] == UNDECIDED:
                    down, right = rows[other] - rows[one], columns[other] - columns[one]
                    ring = find_ring(math.sqrt(down * down + right * right) / mean)
                    own[0, SECTORS * ring + find_sector(down, right)] += 1
                    counts[other, SECTORS * ring + find_sector(0.0 - down, 0.0 - right)] += 1
        own[0, BINS] += 1  # itself
        for index in range(UNDECIDED):
            counts[one, index] += own[0, index] + own[1, index]
        own[:] = 0
    return counts[:, SECTORS:].copy()


@compiled
def normalise(counts: NDArray[np.int32]) -> Floats:
    """Divide the counts of each point, (n, 60), by their sum; the result is (60, n), a point's shares adjacent."""
    shares = np.empty(counts.shape, np.float64)
    for point in range(len(counts)):
        total = counts[point].sum() + EPSILON
        for index in range(BINS):
            shares[point, index] = counts[point, index] / total
    return shares.T


@compiled
def add_differences(share: float, values: Floats, sums: Floats) -> None:
    """Add (a − b)² / (a + b) to the sums, for the share a of one histogram and b of each other in the same bin."""
    for other in range(sums.size):
        difference = share - values[other]
        sums[other] += np.divide(difference * difference, share + values[other] + EPSILON)


@compiled
def compare_row(one: Floats, others: Floats, cost: Floats) -> None:
    """The distances of one histogram, (60,), to some others, (60, k), into (k,); bins are added in order."""
    cost[:] = 0.0
    for index in range(BINS):
        add_differences(one[index], others[index], cost)
    for other in range(cost.size):
        cost[other] *= 0.5


def compare_bins(first: Floats, second: Floats) -> Floats:
    """`compare` in NumPy, bin by bin."""
    cost = np.zeros((first.shape[1], second.shape[1]), np.float64)
    for one, other in zip(first[:, :, None], second, strict=True):
        cost += (one - other) ** 2 / (one + other + EPSILON)
    return cost * 0.5


@compiled_or(compare_bins)
def compare(first: Floats, second: Floats) -> Floats:
    """The χ² distances between the histograms of two contours.

    Args:
        first: (60, n) histograms, each with sum 1.
        second: (60, m) histograms, each with sum 1.

    Returns:
        (n, m) distances in [0, 1].
    """
    cost = np.empty((first.shape[1], second.shape[1]), np.float64)
    ours = np.ascontiguousarray(first.T)
    for one in range(len(cost)):
        compare_row(ours[one], second, cost[one])
    return cost


@compiled
def compare_pair(first: Floats, second: Floats, terms: Floats) -> float:
    """The distance of two histograms, each (60,), equal to that of `compare` to the bit.

    Args:
        first: of a point of the first contour.
        second: of one of the second.
        terms: (60,), overwritten; terms do not wait for each other, but their sum is taken in order.
    """
    for index in range(BINS):
        difference = first[index] - second[index]
        terms[index] = np.divide(difference * difference, first[index] + second[index] + EPSILON)
    total = 0.0
    for index in range(BINS):
        total += terms[index]
    return total * 0.5
