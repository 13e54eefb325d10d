"""Scenes: from a script to frames and masks.

A frame shows the ground, the object on it, and posts in front of both. On the ground are static stones and, for
background clutter, static look-alikes of the object.

Conventions:
    Colours are float32 RGB in [0, 1]; a palette is a (3, 3) array of colours from low to high noise. Surfaces are
    coloured noise of several scales, smooth enough for small PNG files.
"""

import colorsys
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vosbench.datasets.sample.motion import Motion, plan
from vosbench.datasets.sample.sequences import SEED, Script
from vosbench.datasets.sample.shapes import OUTLINES, Outline, Points, blob, inside

Alpha = NDArray[np.float32]
Colours = NDArray[np.float32]
FINER = 4  # edges are drawn on a grid this many times finer
GRID = 16  # corners are rounded to a 16th of its cells, so that rounding errors of sine do not move them
FINE = ((24, 0.5), (11, 0.3), (6, 0.2))  # cells of noise in pixels, and their weights
COARSE = ((56, 0.45), (20, 0.35), (8, 0.2))
STEP = 4  # between the levels of a frame: invisible, and halves the PNG files


def render(script: Script) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Draw a sequence.

    Yields:
        a frame, (H, W, 3) uint8 RGB, and its mask, (H, W) uint8, 255 where the object is visible.
    """
    seed = hashlib.sha256(f"{SEED}/{script.split}/{script.name}".encode()).digest()
    rng = np.random.Generator(np.random.PCG64(int.from_bytes(seed[:16], "big")))
    motion = plan(script, rng)
    hue = rng.random()
    outline = OUTLINES[script.category](rng, 1.0 if "DEF" in script.attributes else 0.2)
    skin = _Skin(outline, _surface(rng, script.size, _palette(rng, hue + rng.uniform(0.25, 0.75)), FINE))
    ground = _ground(rng, script, motion, skin, hue)
    posts, bars = _posts(rng, script, motion)
    for index in range(script.frames):
        frame = _seen(ground, motion.camera[index], script.size)
        shape = skin.alpha(motion, index, script.size)
        frame = _paint(frame, skin.colours(motion, index, script.size), shape)
        hidden = _fill([bar - motion.camera[index] for bar in bars], script.size)
        frame += hidden[..., None] * (_seen(posts, motion.camera[index], script.size) - frame)
        levels = np.rint(frame * (255 / STEP)).clip(0, 255 // STEP) * STEP
        mask = np.where(shape * (1 - hidden) >= 0.5, 255, 0)
        yield levels.astype(np.uint8), mask.astype(np.uint8)


@dataclass(frozen=True, slots=True)
class _Skin:
    """The object: its outline, and a texture that moves and turns with it."""

    outline: Outline
    texture: Colours

    def alpha(self, motion: Motion, index: int, size: tuple[int, int]) -> Alpha:
        """The fraction of each pixel that the object covers."""
        mirror, angle, radius = (motion.heading, 1), motion.angle[index], motion.radius[index]
        shapes = self.outline(motion.phase[index])
        return _fill([_turn(shape * mirror, angle) * radius + motion.place[index] for shape in shapes], size)

    def colours(self, motion: Motion, index: int, size: tuple[int, int]) -> Colours:
        """The texture, moved to the object, over the whole frame."""
        scale = motion.radius[index] / motion.radius.max()
        cos, sin = scale * np.cos(motion.angle[index]), scale * np.sin(motion.angle[index])
        matrix = np.array([[cos, -sin, 0], [sin, cos, 0]])
        height, width = self.texture.shape[:2]
        matrix[:, 2] = motion.place[index] - matrix[:, :2] @ (width / 2, height / 2)
        warped = cv2.warpAffine(self.texture, matrix, size[::-1], borderMode=cv2.BORDER_REFLECT)
        return np.asarray(warped, np.float32)


def _ground(rng: np.random.Generator, script: Script, motion: Motion, skin: _Skin, hue: float) -> Colours:
    """The static world: a surface with stones and, for background clutter, look-alikes."""
    size = motion.world(script.size)
    ground = _surface(rng, size, _palette(rng, hue, 0.5))
    height, width = script.size
    for _ in range(size[0] * size[1] // 2200):
        centre, radius = rng.random(2) * size[::-1], rng.uniform(0.05, 0.17) * height
        stone = [_turn(shape * (1, 0.75), rng.uniform(0, 3)) * radius + centre for shape in blob(rng, 0.0)(0.0)]
        texture = _surface(rng, size, _palette(rng, rng.random()), FINE)
        ground = _paint(ground, texture, _fill(stone, size))
    if "BC" not in script.attributes:
        return ground
    texture = np.asarray(cv2.resize(skin.texture, size[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
    middle = motion.camera[script.frames // 2]
    for side in (-1, 1):
        centre = middle + np.array([width * (0.5 + 0.36 * side), height * (0.5 + 0.22 * side)])
        radius, angle = motion.radius.mean() * rng.uniform(0.75, 0.95), rng.uniform(-0.2, 0.2)
        shapes = skin.outline(rng.uniform(0, 6))
        twin = [_turn(shape * (-side, 1), angle) * radius + centre for shape in shapes]
        ground = _paint(ground, texture[:, ::side], _fill(twin, size))
    return ground


def _posts(rng: np.random.Generator, script: Script, motion: Motion) -> tuple[Colours, list[Points]]:
    """The static occluders: their surface and their outlines."""
    size = motion.world(script.size)
    posts = _surface(rng, size, _palette(rng, rng.random()), FINE, stretch=6)
    bars: list[Points] = []
    if "OCC" in script.attributes:
        times = (0.3, 0.7) if script.frames > 32 else (0.5,)
        for time in times:
            index = int(time * script.frames)
            half = motion.radius[index] * rng.uniform(0.28, 0.36)
            middle = motion.camera[index, 0] + motion.place[index, 0]
            rows = np.linspace(-1, size[0] + 1, 24)
            bend = 0.12 * half * np.sin(rows / rng.uniform(6, 12))
            left = np.stack([middle - half + bend, rows], axis=1)
            right = np.stack([middle + half - bend[::-1], rows[::-1]], axis=1)
            bars.append(np.concatenate([left, right]))
    return posts, bars


def _turn(points: Points, angle: float) -> Points:
    """Rotate points around (0, 0), clockwise."""
    cos, sin = np.cos(angle), np.sin(angle)
    turned: Points = points @ np.array([[cos, sin], [-sin, cos]])
    return turned


def _fill(shapes: list[Points], size: tuple[int, int]) -> Alpha:
    """The fraction of each pixel that a union of polygons covers; corners of pixels are integers."""
    fine = np.zeros((size[0] * FINER, size[1] * FINER), np.bool_)
    for shape in shapes:
        fine |= inside(np.rint(shape * (FINER * GRID)) / GRID, (size[0] * FINER, size[1] * FINER))
    covered: Alpha = fine.reshape(size[0], FINER, size[1], FINER).mean(axis=(1, 3), dtype=np.float32)
    return covered


def _paint(canvas: Colours, colours: Colours, alpha: Alpha) -> Colours:
    """Paint a shape on a canvas, darker towards its rim."""
    shade = 0.7 + 0.4 * cv2.GaussianBlur(alpha, (0, 0), 2.5)
    return np.asarray(canvas + alpha[..., None] * (colours * shade[..., None] - canvas), np.float32)


def _seen(world: NDArray[np.float32], corner: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float32]:
    """Cut the camera's window out of the world, at subpixel positions."""
    matrix = np.array([[1, 0, -corner[0]], [0, 1, -corner[1]]])
    return np.asarray(cv2.warpAffine(world, matrix, size[::-1], borderMode=cv2.BORDER_REFLECT), np.float32)


def _palette(rng: np.random.Generator, hue: float, vivid: float = 0.65) -> Colours:
    """Sample three colours around a hue; their brightness does not reveal what they are used for.

    Args:
        rng: source of saturation and brightness.
        hue: in turns.
        vivid: the highest saturation.
    """
    low, high = sorted(rng.uniform(0.25, 0.9, 2))
    values = np.linspace(min(low, high - 0.25), max(high, low + 0.25), 3)
    hues = hue + rng.uniform(-0.07, 0.07, 3)
    saturations = rng.uniform(0.4, 1, 3) * vivid
    rows = zip(hues, saturations, values.clip(0.15, 0.95), strict=True)
    return np.array([colorsys.hsv_to_rgb(h % 1, s, v) for h, s, v in rows], np.float32)


def _surface(
    rng: np.random.Generator,
    size: tuple[int, int],
    colours: Colours,
    scales: tuple[tuple[int, float], ...] = COARSE,
    stretch: int = 1,
) -> Colours:
    """Paint noise in the colours of a palette.

    Args:
        rng: source of the noise.
        size: height and width, in pixels.
        colours: the palette.
        scales: the noise's cells, in pixels, and their weights.
        stretch: height of the cells divided by their width.

    Returns:
        (H, W, 3) colours.
    """
    values = np.zeros(size, np.float32)
    for cell, weight in scales:
        values += weight * _noise(rng, size, (cell * stretch, cell))
    low, high = np.quantile(values, (0.02, 0.98))
    level = ((values - low) / (high - low)).clip(0, 1).ravel() * 2
    mixed = [np.interp(level, (0, 1, 2), colours[:, channel]) for channel in range(3)]
    return np.stack(mixed, axis=1).reshape(*size, 3).astype(np.float32)


def _noise(rng: np.random.Generator, size: tuple[int, int], cell: tuple[int, int]) -> NDArray[np.float32]:
    """Smooth noise: random values on a grid, interpolated by cubic curves."""
    rows, columns = (extent // step + 4 for extent, step in zip(size, cell, strict=True))
    grid = rng.random((rows, columns), dtype=np.float32)
    wide = cv2.resize(grid, (columns * cell[1], rows * cell[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(wide[cell[0] : cell[0] + size[0], cell[1] : cell[1] + size[1]], np.float32)
