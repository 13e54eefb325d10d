"""Scenes: from a script to frames and masks.

A frame of a drawn sequence shows the ground, the object on it, and posts in front of both. On the ground are static
stones and, for background clutter, static look-alikes of the object. `footage` has the sequences that look filmed.

Conventions:
    Colours are float32 RGB in [0, 1]; a palette is a (3, 3) array of colours from low to high noise. Surfaces are
    coloured noise of several scales, smooth enough for small PNG files.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vosbench.datasets.sample.footage import film
from vosbench.datasets.sample.motion import Motion, plan
from vosbench.datasets.sample.sequences import SEED, Script
from vosbench.datasets.sample.shapes import OUTLINES, Alpha, Outline, Points, blob, coverage, turn
from vosbench.datasets.sample.surfaces import FINE, Colours, palette, surface

STEP = 4  # between the levels of a frame: invisible, and halves the PNG files


def render(script: Script) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Draw a sequence.

    Yields:
        a frame, (H, W, 3) uint8 RGB, and its mask, (H, W) uint8, 255 where the object is visible.
    """
    seed = hashlib.sha256(f"{SEED}/{script.split}/{script.name}".encode()).digest()
    rng = np.random.Generator(np.random.PCG64(int.from_bytes(seed[:16], "big")))
    if script.place is not None:
        yield from film(script, rng)
        return
    motion = plan(script, rng)
    hue = rng.random()
    outline = OUTLINES[script.category](rng, 1.0 if "DEF" in script.attributes else 0.2)
    skin = _Skin(outline, surface(rng, script.size, palette(rng, hue + rng.uniform(0.25, 0.75)), FINE))
    ground = _ground(rng, script, motion, skin, hue)
    posts, bars = _posts(rng, script, motion)
    for index in range(script.frames):
        frame = _seen(ground, motion.camera[index], script.size)
        shape = skin.alpha(motion, index, script.size)
        frame = _paint(frame, skin.colours(motion, index, script.size), shape)
        hidden = coverage([bar - motion.camera[index] for bar in bars], script.size)
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
        return coverage([turn(shape * mirror, angle) * radius + motion.place[index] for shape in shapes], size)

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
    ground = surface(rng, size, palette(rng, hue, 0.5))
    height, width = script.size
    for _ in range(size[0] * size[1] // 2200):
        centre, radius = rng.random(2) * size[::-1], rng.uniform(0.05, 0.17) * height
        stone = [turn(shape * (1, 0.75), rng.uniform(0, 3)) * radius + centre for shape in blob(rng, 0.0)(0.0)]
        texture = surface(rng, size, palette(rng, rng.random()), FINE)
        ground = _paint(ground, texture, coverage(stone, size))
    if "BC" not in script.attributes:
        return ground
    texture = np.asarray(cv2.resize(skin.texture, size[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
    middle = motion.camera[script.frames // 2]
    for side in (-1, 1):
        centre = middle + np.array([width * (0.5 + 0.36 * side), height * (0.5 + 0.22 * side)])
        radius, angle = motion.radius.mean() * rng.uniform(0.75, 0.95), rng.uniform(-0.2, 0.2)
        shapes = skin.outline(rng.uniform(0, 6))
        twin = [turn(shape * (-side, 1), angle) * radius + centre for shape in shapes]
        ground = _paint(ground, texture[:, ::side], coverage(twin, size))
    return ground


def _posts(rng: np.random.Generator, script: Script, motion: Motion) -> tuple[Colours, list[Points]]:
    """The static occluders: their surface and their outlines."""
    size = motion.world(script.size)
    posts = surface(rng, size, palette(rng, rng.random()), FINE, stretch=6)
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


def _paint(canvas: Colours, colours: Colours, alpha: Alpha) -> Colours:
    """Paint a shape on a canvas, darker towards its rim."""
    shade = 0.7 + 0.4 * cv2.GaussianBlur(alpha, (0, 0), 2.5)
    return np.asarray(canvas + alpha[..., None] * (colours * shade[..., None] - canvas), np.float32)


def _seen(world: NDArray[np.float32], corner: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float32]:
    """Cut the camera's window out of the world, at subpixel positions."""
    matrix = np.array([[1, 0, -corner[0]], [0, 1, -corner[1]]])
    return np.asarray(cv2.warpAffine(world, matrix, size[::-1], borderMode=cv2.BORDER_REFLECT), np.float32)
