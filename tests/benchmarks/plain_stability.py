"""Temporal stability in plain Python and NumPy, following the specification step by step.

An independent form to check the compiled one against and to compare its speed with. Coordinates are doubled: corners
have even ones, midpoints of pixel edges one odd and one even.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Corner = tuple[int, int]
Floats = NDArray[np.float64]
PRIMES = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 103, 109}
PRIMES |= {113, 127, 137, 139, 149, 157, 167, 179, 193, 199, 211, 227, 241, 257, 277, 293, 313, 337, 359, 383, 409}
EPSILON = np.finfo(float).eps


def edge_midpoints(mask: NDArray[np.bool_]) -> set[Corner]:
    padded = np.pad(mask, 1)
    upright = np.argwhere(padded[1:-1, :-1] != padded[1:-1, 1:])
    level = np.argwhere(padded[:-1, 1:-1] != padded[1:, 1:-1])
    return {(2 * r + 1, 2 * c) for r, c in upright.tolist()} | {(2 * r, 2 * c + 1) for r, c in level.tolist()}


def beyond(corner: Corner, edge: Corner) -> Corner:
    return 2 * edge[0] - corner[0], 2 * edge[1] - corner[1]


def around(corner: Corner, order: str) -> list[Corner]:
    steps = {"r": (0, 1), "d": (1, 0), "l": (0, -1), "u": (-1, 0)}
    return [(corner[0] + steps[way][0], corner[1] + steps[way][1]) for way in order]


class Pieces:
    def __init__(self, mask: NDArray[np.bool_]) -> None:
        edges = edge_midpoints(mask)
        self.unused = set(edges)
        self.ids: dict[Corner, int] = {}
        self.pieces: list[tuple[Corner, list[Corner], Corner]] = []
        corners = sorted({(r - r % 2, c - c % 2) for r, c in edges})
        stack = []
        for corner in corners:
            if edges.issuperset(around(corner, "rdlu")):
                self.ids[corner] = len(self.ids) + 1
                stack += [(corner, edge) for edge in around(corner, "rdlu")]
        while stack:
            corner, edge = stack.pop()
            if edge in self.unused:
                self.follow(corner, edge)
        for edge in sorted(edge for edge in edges if edge[0] % 2):
            if edge in self.unused:
                corner = (edge[0] - 1, edge[1])
                self.ids[corner] = len(self.ids) + 1
                self.follow(corner, edge)

    def follow(self, start: Corner, edge: Corner) -> None:
        corner, walked = start, []
        while True:
            self.unused.remove(edge)
            walked.append(edge)
            corner = beyond(corner, edge)
            if corner in self.ids:
                self.pieces.append((start, walked, corner))
                return
            edge = next(other for other in around(corner, "durl") if other in self.unused)


def jordan_curves(mask: NDArray[np.bool_], order: str) -> list[tuple[Corner, list[Corner]]]:
    found = Pieces(mask)
    pieces = found.pieces
    numbers = list(range(1, len(found.ids) + 1))
    if order == "gcc5" or len(numbers) not in PRIMES:
        numbers.reverse()
    else:
        numbers = [numbers[-1], *numbers[:-1]]
    corners = {number: corner for corner, number in found.ids.items()}
    at = {corners[number]: {k for k, (a, _, b) in enumerate(pieces) if corners[number] in (a, b)} for number in numbers}

    def leave(corner: Corner, k: int) -> Corner:
        at[pieces[k][0]].discard(k)
        at[pieces[k][2]].discard(k)
        return pieces[k][2] if pieces[k][0] == corner else pieces[k][0]

    def near(corner: Corner, k: int) -> Corner:
        return pieces[k][1][0] if pieces[k][0] == corner else pieces[k][1][-1]

    curves = []
    while any(at.values()):
        corner = next(key for key, left in at.items() if left)
        k = min(at[corner])
        trail = [(corner, k)]
        corner = leave(corner, k)
        while trail:
            met = [junction for junction, _ in trail]
            if corner in met:
                cut = met.index(corner)
                steps = [pieces[k][1] if pieces[k][0] == j else pieces[k][1][::-1] for j, k in trail[cut:]]
                curves.append((corner, [edge for part in steps for edge in part]))
                trail = trail[:cut]
                continue
            before = near(corner, trail[-1][1])
            choice = sorted(at[corner])
            after = near(corner, choice[0])
            k = choice[1] if before[0] == after[0] or before[1] == after[1] else choice[0]
            trail.append((corner, k))
            corner = leave(corner, k)
    return curves


def surrounds(curve: Floats, point: Corner) -> bool:
    """The even–odd rule, with a ray to the right; the ray is shifted off the grid."""
    rows, columns = curve[:, 0], curve[:, 1]
    after, beside = np.roll(rows, -1), np.roll(columns, -1)
    row, column = point[0] + 1e-3, point[1] + 1e-4
    crosses = (rows > row) != (after > row)
    with np.errstate(divide="ignore", invalid="ignore"):
        where = columns + (row - rows) * (beside - columns) / (after - rows)
    return bool(np.count_nonzero(crosses & (where > column)) % 2)


def polygons(mask: NDArray[np.bool_], tolerance: float = 3, order: str = "gcc4") -> list[tuple[list[Corner], bool]]:
    curves = jordan_curves(mask, order)
    outlines = [np.array(edges, float) for _, edges in curves]
    result = []
    for number, (corner, edges) in enumerate(curves):
        others = (outline for index, outline in enumerate(outlines) if index != number)
        hole = sum(surrounds(other, edges[0]) for other in others) % 2 == 1
        points = [corner]
        for edge in edges:
            points.append(beyond(points[-1], edge))
        points = douglas_peucker(douglas_peucker(points, 0.1), tolerance)
        total = sum((b[0] - a[0]) * (b[1] + a[1]) for a, b in pairwise(points))
        if (total > 0) == hole:
            points.reverse()
        if len(points) > 3:
            result.append(([(r // 2, c // 2) for r, c in points], hole))
    return result


def douglas_peucker(points: Sequence[Corner], tolerance: float) -> list[Corner]:
    kept = [points[0]]
    for point in points[1:-1]:
        if (point[0] - kept[-1][0]) ** 2 + (point[1] - kept[-1][1]) ** 2 >= tolerance**2:
            kept.append(point)
    kept.append(points[-1])
    whole = np.array(kept, float)
    keep, stack = {0, len(kept) - 1}, [(0, len(kept) - 1)]
    while stack:
        first, last = stack.pop()
        if last - first < 2:
            continue
        distances = to_segment(whole[first + 1 : last], whole[first], whole[last])
        key = len(distances) - 1 - int(np.argmax(distances[::-1]))
        if distances[key] > tolerance**2:
            keep.add(first + 1 + key)
            stack += [(first, first + 1 + key), (first + 1 + key, last)]
    return [kept[index] for index in sorted(keep)]


def to_segment(points: Floats, first: Floats, last: Floats) -> Floats:
    v, w = last - first, points - first
    along, length = w @ v, v @ v
    with np.errstate(divide="ignore", invalid="ignore"):
        fraction = (along.astype(np.float32) / np.float32(length)).astype(float)
        inner = ((points - (first + fraction[:, None] * v)) ** 2).sum(1)
    result = np.where(length <= along, ((points - last) ** 2).sum(1), inner)
    return np.where(along <= 0, (w**2).sum(1), result)


def upsample(polygon: Sequence[Corner]) -> Floats:
    points = []
    closed = np.array(polygon, float)
    for here, there in zip(closed, [*closed[1:], closed[-1]], strict=True):
        count = max(1, int(np.ceil(np.linalg.norm(there - here) / 3)))
        point = here
        for _ in range(count):
            points.append(point)
            point = point + (there - here) / count
    return np.array(points)


def remainder(values: Floats) -> Floats:
    turn = 2 * np.pi
    turns = values / turn
    with np.errstate(divide="ignore", invalid="ignore"):
        snapped = np.abs((turns - np.rint(turns)) / np.rint(turns)) < EPSILON
    return np.where(snapped, 0, values - turn * np.trunc(turns))


def shape_context(points: Floats) -> Floats:
    differences = points[None] - points[:, None]
    distances = np.sqrt((differences**2).sum(2))
    distances = distances / distances.mean()
    rings = sum((distances < edge).astype(int) for edge in (0.125, 0.25, 0.5, 1, 2))
    angles = remainder(remainder(np.arctan2(differences[..., 1], differences[..., 0])) + 2 * np.pi)
    sectors = np.floor(angles / (2 * np.pi / 12)).astype(int) % 12
    bins = (rings - 1) * 12 + sectors
    return np.array([np.bincount(row[row >= 0], minlength=60) for row in bins], float)


def chi_squared(first: Floats, second: Floats) -> Floats:
    first, second = (each / (each.sum(1, keepdims=True) + EPSILON) for each in (first, second))
    cost = np.zeros((len(first), len(second)))
    for a, b in zip(first.T[:, :, None], second.T[:, None, :], strict=True):
        cost += (a - b) ** 2 / (a + b + EPSILON)
    return cost / 2


def shortest_path(cost: Floats, *, resolve_ties: bool) -> list[Corner]:
    rows = cost.tolist()
    total = [[0.0] * len(rows[0]) for _ in rows]
    for i, costs in enumerate(rows):
        for j, value in enumerate(costs):
            ways = [total[a][b] for a, b in before(i, j)]
            total[i][j] = value + min(ways) if ways else 0.0
    path, tied = [(len(rows) - 1, len(rows[0]) - 1)], False
    while path[-1] != (0, 0):
        ways = list(before(*path[-1]))
        costs = [total[a][b] for a, b in ways]
        tied |= costs.count(min(costs)) > 1
        path.append(ways[costs.index(min(costs))])
    return dijkstra(cost) if tied and resolve_ties else path


def before(i: int, j: int) -> Iterator[Corner]:
    if i and j:
        yield i - 1, j - 1
    if i:
        yield i - 1, j
    if j:
        yield i, j - 1


def dijkstra(cost: Floats) -> list[Corner]:
    """Dijkstra's algorithm with a heap of four children per node, run to its end."""
    size, width = cost.size, cost.shape[1]
    totals, parents = [float("inf")] * size, list(range(size))
    values = cost.ravel().tolist()
    heap, place = [0], {0: 0}
    totals[0] = 0.0
    while heap:
        node = heap[0]
        last = heap.pop()
        if heap:
            heap[0], place[last] = last, 0
            swap_down(heap, place, totals)
        i, j = divmod(node, width)
        for a, b in ((i, j + 1), (i + 1, j), (i + 1, j + 1)):
            other = a * width + b
            if a < cost.shape[0] and b < width and totals[node] + values[other] < totals[other]:
                totals[other], parents[other] = totals[node] + values[other], node
                if other not in place:
                    place[other] = len(heap)
                    heap.append(other)
                swap_up(heap, place, totals, place[other])
    path = [size - 1]
    while path[-1]:
        path.append(parents[path[-1]])
    return [divmod(node, width) for node in path]


def swap(heap: list[int], place: dict[int, int], one: int, other: int) -> None:
    heap[one], heap[other] = heap[other], heap[one]
    place[heap[one]], place[heap[other]] = one, other


def swap_up(heap: list[int], place: dict[int, int], totals: list[float], at: int) -> None:
    while at and totals[heap[at]] < totals[heap[(at - 1) // 4]]:
        swap(heap, place, at, (at - 1) // 4)
        at = (at - 1) // 4


def swap_down(heap: list[int], place: dict[int, int], totals: list[float]) -> None:
    at = 0
    while 4 * at + 1 < len(heap):
        child = min(range(4 * at + 1, min(4 * at + 5, len(heap))), key=lambda index: totals[heap[index]])
        if totals[heap[child]] >= totals[heap[at]]:
            break
        swap(heap, place, at, child)
        at = child


def one_to_one(pairs: Iterable[Corner], cost: Floats, side: int) -> list[Corner]:
    groups: dict[int, list[Corner]] = {}
    for pair in pairs:
        groups.setdefault(pair[side], []).append(pair)
    return [min(groups[index], key=lambda pair: cost[pair]) for index in sorted(groups)]


def describe(mask: NDArray[np.bool_], order: str = "gcc4") -> Floats | None:
    """(n, 60) counts."""
    found = polygons(mask, order=order)
    return shape_context(upsample(max((corners for corners, _ in found), key=len))) if found else None


def instability(first: Floats, second: Floats, *, resolve_ties: bool = True) -> float:
    cost = chi_squared(first, second)
    path = shortest_path(cost, resolve_ties=resolve_ties)
    row, column = min(path[:-1], key=lambda pair: cost[pair])
    rolled = np.roll(cost, (-row - 1, -column - 1), (0, 1))
    n, m = cost.shape
    path = [((i + row + 1) % n, (j + column + 1) % m) for i, j in shortest_path(rolled, resolve_ties=resolve_ties)]
    pairs = one_to_one(one_to_one(path, cost, 0), cost, 1)
    return float(np.mean([cost[pair] for pair in pairs]))


def temporal_stability(first: NDArray[np.bool_], second: NDArray[np.bool_], order: str = "gcc4") -> float | None:
    shapes = describe(first, order), describe(second, order)
    if shapes[0] is None or shapes[1] is None:
        return None
    return 5 * instability(shapes[0], shapes[1])
