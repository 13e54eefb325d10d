"""Small maps and annotations from integer formulas: the same on every platform, with NumPy alone.

`videos` are averaged, `cases` are measured one by one. `saliency_peers.py` writes what other tools say of them.
"""

import numpy as np
from numpy.typing import NDArray

Frame = tuple[NDArray[np.uint8], NDArray[np.bool_]]

HEIGHT, WIDTH = 30, 44


def blob(row: int, column: int, size: int, fall: int) -> Frame:
    """A textured bump beside an elliptic annotation; levels span 0…255."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    annotation = 3 * (y - row) ** 2 + 2 * (x - column) ** 2 <= size * size
    away = 2 * (y - row - 1) ** 2 + 2 * (x - column + 2) ** 2
    levels = np.clip(255 + size - away * fall // 16 - (7 * x + 13 * y) % 23, 0, 255)
    levels[0, 0], levels[row, column] = 0, 255
    return levels.astype(np.uint8), annotation


def narrowed(frame: Frame, low: int, high: int) -> Frame:
    """The same frame with levels in low…high, both of which occur."""
    levels, annotation = frame
    return (low + levels.astype(np.int64) * (high - low) // 255).astype(np.uint8), annotation


def faint(frame: Frame) -> Frame:
    """The same frame with every third level of 51…204: stretched by min-max, every fifth of 0…255."""
    levels, annotation = frame
    return levels // np.uint8(5) * np.uint8(3) + np.uint8(51), annotation


def videos() -> dict[str, list[Frame]]:
    """Three videos of different length; the last one's maps do not span all levels."""
    return {
        "crossing": [blob(8 + 2 * t, 10 + 5 * t, 12 + t, 9) for t in range(4)],
        "leaving": [blob(15, 36 + 3 * t, 9, 20) for t in range(3)],
        "faint": [faint(blob(12 + 4 * t, 20, 16, 5)) for t in range(2)],
    }


def cases() -> dict[str, Frame]:
    """Frames at which tools stumble."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    levels, annotation = blob(14, 20, 15, 8)
    texture = ((37 * x + 91 * y + x * y) % 256).astype(np.uint8)
    empty = np.zeros((HEIGHT, WIDTH), np.bool_)
    pixel = empty.copy()
    pixel[11, 17] = True
    even = empty.copy()
    even[10:14, 20:22] = True
    return {
        "plain": (levels, annotation),
        "texture": (texture, annotation),
        "narrow": narrowed((texture, annotation), 13, 202),
        "opposite": (np.uint8(255) - levels, annotation),
        "perfect": (annotation * np.uint8(255), annotation),
        "black": (levels * np.uint8(0), annotation),
        "white": (levels * np.uint8(0) + np.uint8(255), annotation),
        "empty annotation": (levels, empty),
        "full annotation": (levels, ~empty),
        "one pixel annotated": (texture, pixel),
        "centroid on half pixels": (texture, even),
        "two bands": (levels, (y % 11 < 2) | (x < 3)),
    }
