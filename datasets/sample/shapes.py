"""Outlines, closed curves that change smoothly with a phase, and the pixels that they enclose.

Conventions:
    An outline takes a phase, in radians with period 2π, and returns polygons whose union is the shape. Each is an
    (N, 2) float64 array of x and y, in units of the object's radius around (0, 0), with y pointing down.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Alpha = NDArray[np.float32]
Outline = Callable[[float], list[Points]]
FINER = 4  # edges are drawn on a grid this many times finer
GRID = 16  # corners are rounded to a 16th of its cells, so that rounding errors of sine do not move them


def blob(rng: np.random.Generator, deform: float) -> Outline:
    """A round shape with lobes: r(θ) = 1 + Σ aₖ cos(kθ + φₖ), whose lobes travel with the phase.

    Args:
        rng: source of the lobes.
        deform: how strongly the outline changes; 0 is rigid.
    """
    theta = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    orders = np.arange(2, 6)
    amplitude = rng.uniform(0.08, 0.2, 4) / np.sqrt(orders - 1)
    start = rng.uniform(0, 2 * np.pi, 4)

    def outline(phase: float) -> list[Points]:
        angles = orders[:, None] * theta + (start + deform * np.sin(phase + start))[:, None]
        swell = 1 + 0.35 * deform * np.sin(phase + 2 * start)
        radius = 1 + ((amplitude * swell)[:, None] * np.cos(angles)).sum(axis=0)
        return [radius[:, None] * np.stack([np.cos(theta), np.sin(theta)], axis=1)]

    return outline


def polygon(rng: np.random.Generator, deform: float) -> Outline:
    """A polygon of five to eight sides, whose corners move in and out with the phase.

    Args:
        rng: source of the corners.
        deform: how strongly the outline changes; 0 is rigid.
    """
    corners = int(rng.integers(5, 9))
    theta = (np.arange(corners) + rng.uniform(-0.25, 0.25, corners)) * 2 * np.pi / corners
    distance = rng.uniform(0.7, 1.25, corners)
    start = rng.uniform(0, 2 * np.pi, corners)

    def outline(phase: float) -> list[Points]:
        radius = distance * (1 + 0.25 * deform * np.sin(phase + start))
        return [radius[:, None] * np.stack([np.cos(theta), np.sin(theta)], axis=1)]

    return outline


def animal(rng: np.random.Generator, deform: float) -> Outline:
    """A four-legged animal in profile, looking along +x, that walks one double step per period.

    Args:
        rng: source of its proportions.
        deform: how far the legs swing; 0 is rigid.
    """
    depth, leg, neck, tail = rng.uniform([0.3, 0.6, 0.3, 0.5], [0.42, 0.8, 0.6, 0.9])
    body = _ellipse((0.0, -0.15), 0.85, depth)

    def outline(phase: float) -> list[Points]:
        nod = 0.06 * deform * np.sin(2 * phase)
        head = (0.95 + 0.3 * neck, -0.3 - neck + nod)
        swings = 0.5 * deform * np.sin(phase + np.array([0.0, np.pi, 0.8 * np.pi, 1.8 * np.pi]))
        hips = ((-0.62, 0.0), (-0.5, 0.0), (0.5, 0.0), (0.62, 0.0))
        legs = [
            _limb(hip, (hip[0] + leg * np.sin(swing), leg * np.cos(swing)), 0.16, 0.08)
            for hip, swing in zip(hips, swings, strict=True)
        ]
        wag = 0.35 * deform * np.sin(phase + 1)
        rear = _limb((-0.75, -0.25), (-0.75 - tail * np.cos(0.6 + wag), -0.25 - tail * np.sin(0.6 + wag)), 0.1, 0.03)
        front = _limb((0.6, -0.2), head, 0.26, 0.15)
        ear = _limb((head[0] - 0.08, head[1]), (head[0] - 0.18, head[1] - 0.36), 0.1, 0.02)
        return [body, front, ear, rear, *legs, _ellipse((head[0] + 0.08, head[1]), 0.28, 0.17)]

    return outline


def _ellipse(centre: tuple[float, float], width: float, height: float) -> Points:
    """An ellipse by its centre and half axes."""
    theta = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    return np.array(centre) + np.stack([width * np.cos(theta), height * np.sin(theta)], axis=1)


def _limb(start: tuple[float, float], end: tuple[float, float], wide: float, narrow: float) -> Points:
    """A tapered bar between two points, with its half widths there."""
    a, b = np.array(start), np.array(end)
    along = (b - a) / np.hypot(*(b - a))
    across = np.array([-along[1], along[0]])
    return np.array([a - wide * across, b - narrow * across, b + narrow * across, a + wide * across])


OUTLINES: dict[str, Callable[[np.random.Generator, float], Outline]] = {
    "animal": animal,
    "blob": blob,
    "polygon": polygon,
}


def inside(corners: Points, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Fill a polygon by the even-odd rule, the same on every machine.

    Libraries, and their versions, differ in how they treat edges. Here a point is inside if a ray to its left crosses
    an odd number of edges, decided by additions, products and quotients of doubles only.

    Args:
        corners: (n, 2), as (x, y); the last is joined to the first. Corners of pixels are integers.
        size: (H, W).

    Returns:
        (H, W) bool, True if the middle of a pixel is inside.

    >>> inside(np.array([[1.0, 0.0], [3.0, 0.0], [3.0, 2.0], [1.0, 2.0]]), (3, 4)).astype(int)
    array([[0, 1, 1, 0],
           [0, 1, 1, 0],
           [0, 0, 0, 0]])
    """
    height, width = size
    start, end = corners, np.roll(corners, -1, axis=0)
    rising = start[:, 1] < end[:, 1]
    low, high = np.where(rising[:, None], start, end), np.where(rising[:, None], end, start)
    middles = np.arange(height) + 0.5
    edge, row = np.nonzero((low[:, 1:] <= middles) & (middles < high[:, 1:]))
    run = (high[edge, 0] - low[edge, 0]) / (high[edge, 1] - low[edge, 1])
    crossing = low[edge, 0] + (middles[row] - low[edge, 1]) * run
    # The first pixel whose middle is not left of the crossing; an extra column collects crossings beyond the frame.
    column = np.clip(np.ceil(crossing - 0.5), 0, width).astype(np.intp)
    toggles = np.zeros((height, width + 1), np.uint8)
    np.bitwise_xor.at(toggles, (row, column), 1)
    filled: NDArray[np.bool_] = np.bitwise_xor.accumulate(toggles, axis=1)[:, :width].astype(np.bool_)
    return filled


def turn(points: Points, angle: float) -> Points:
    """Rotate points around (0, 0), clockwise."""
    cos, sin = np.cos(angle), np.sin(angle)
    turned: Points = points @ np.array([[cos, sin], [-sin, cos]])
    return turned


def coverage(shapes: list[Points], size: tuple[int, int]) -> Alpha:
    """The fraction of each pixel that a union of polygons covers; corners of pixels are integers."""
    fine = np.zeros((size[0] * FINER, size[1] * FINER), np.bool_)
    for shape in shapes:
        fine |= inside(np.rint(shape * (FINER * GRID)) / GRID, (size[0] * FINER, size[1] * FINER))
    covered: Alpha = fine.reshape(size[0], FINER, size[1], FINER).mean(axis=(1, 3), dtype=np.float32)
    return covered
