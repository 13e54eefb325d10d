"""Palettes and coloured noise.

Conventions:
    Colours are float32 RGB in [0, 1]; a palette is a (3, 3) array of colours from low to high noise.
"""

import colorsys

import cv2
import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float32]
FINE = ((24, 0.5), (11, 0.3), (6, 0.2))  # cells of noise in pixels, and their weights
COARSE = ((56, 0.45), (20, 0.35), (8, 0.2))


def palette(rng: np.random.Generator, hue: float, vivid: float = 0.65) -> Colours:
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


def surface(
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
        values += weight * noise(rng, size, (cell * stretch, cell))
    low, high = np.quantile(values, (0.02, 0.98))
    level = ((values - low) / (high - low)).clip(0, 1).ravel() * 2
    mixed = [np.interp(level, (0, 1, 2), colours[:, channel]) for channel in range(3)]
    return np.stack(mixed, axis=1).reshape(*size, 3).astype(np.float32)


def noise(rng: np.random.Generator, size: tuple[int, int], cell: tuple[int, int]) -> NDArray[np.float32]:
    """Smooth noise: random values on a grid, interpolated by cubic curves."""
    rows, columns = (extent // step + 4 for extent, step in zip(size, cell, strict=True))
    grid = rng.random((rows, columns), dtype=np.float32)
    wide = cv2.resize(grid, (columns * cell[1], rows * cell[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(wide[cell[0] : cell[0] + size[0], cell[1] : cell[1] + size[1]], np.float32)


def octaves(rng: np.random.Generator, size: tuple[int, int], cell: int, count: int) -> NDArray[np.float32]:
    """Noise as nature has it: each octave is twice as fine as the one before, and weaker.

    Args:
        rng: source of the noise.
        size: height and width, in pixels.
        cell: the coarsest cells, in pixels.
        count: number of octaves.

    Returns:
        (H, W) levels in [0, 1], the middle at 0.5.
    """
    values = np.zeros(size, np.float32)
    for octave in range(count):
        side = max(cell >> octave, 1)
        values += 0.62**octave * noise(rng, size, (side, side))
    low, middle, high = np.quantile(values, (0.01, 0.5, 0.99))
    levels = np.interp(values, (low, middle, high), (0.0, 0.5, 1.0))
    return np.asarray(levels, np.float32)
