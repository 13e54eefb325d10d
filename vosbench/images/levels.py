"""Read soft maps from grey PNG files of 8 bits, several times as fast as `vosbench.images.files.read_levels`.

Conventions:
    As in `vosbench.images.png`, only common files are read here, and all others, including damaged ones, by
    `vosbench.images.files`. Importing this module loads the compiler, which saliency measures need anyway; without
    Numba, all files are read there.
    Source: W3C, Portable Network Graphics (PNG) Specification, second edition, section 9.
"""

import struct
from pathlib import Path

import numpy as np

from vosbench.images import files, png
from vosbench.images.codecs import codec
from vosbench.images.opening import read_bytes
from vosbench.images.png import Bytes
from vosbench.images.recognition import look_at
from vosbench.metrics.compiled import COMPILING, compiled

EIGHT = 8


def read_levels(
    source: Path | bytes,
    codec_name: str,
    name: str | None = None,
    check: files.Check | None = None,
    look: files.Looker | None = None,
) -> Bytes:
    """Read a soft map as `vosbench.images.files.read_levels` does."""
    name = name or str(source)
    data = source if isinstance(source, bytes) else read_bytes(source, name)
    declared = codec(codec_name)
    levels = _decode(data, files.limited(name, check)) if COMPILING and declared.soft else None
    if levels is None:
        return files.read_levels(data, codec_name, name, check, look)
    if look is not None:
        look(look_at(levels, "L"), name)
    return levels


def warm() -> None:
    """Compile ahead what is compiled on its first use."""
    unfilter(np.zeros((1, 2), np.uint8), np.zeros(1, np.uint8), np.zeros((1, 1), np.uint8))


def _decode(data: bytes, check: files.Check) -> Bytes | None:
    """The levels of a file, (H, W); None if it is not a grey image of 8 bits, or cannot be read here."""
    try:
        image = png.parse(memoryview(data))
        if image.mode != "L" or image.depth != EIGHT:
            return None
        check((image.height, image.width))
        levels = np.empty((image.height, image.width), np.uint8)
        above = np.zeros(image.width, np.uint8)
        for rows, block in png.stretches(image):
            if not unfilter(block, above, levels[rows]):
                return None
            above = levels[rows.stop - 1]
    except (png.Unread, struct.error, png.inflation.error):
        return None
    return levels


@compiled
def unfilter(rows: Bytes, above: Bytes, pixels: Bytes) -> bool:
    """Undo the filters of rows of 8-bit pixels.

    Args:
        rows: (N, 1 + W), the first of each row its filter.
        above: (W,) the pixels above them.
        pixels: (N, W), filled.

    Returns:
        whether all filters exist.
    """
    for row in range(len(rows)):
        kind, residuals, here = rows[row, 0], rows[row, 1:], pixels[row]
        if kind == png.NONE:
            for column in range(here.size):
                here[column] = residuals[column]
        elif kind == png.SUB:
            left = np.uint8(0)
            for column in range(here.size):
                left = np.uint8(left + residuals[column])
                here[column] = left
        elif kind == png.UP:
            for column in range(here.size):
                here[column] = np.uint8(residuals[column] + above[column])
        elif kind == png.AVERAGE:
            undo_average(residuals, above, here)
        elif kind == png.PAETH:
            undo_paeth(residuals, above, here)
        else:
            return False
        above = here
    return True


@compiled
def undo_average(residuals: Bytes, above: Bytes, here: Bytes) -> None:
    """Undo the Average filter of a row."""
    left = 0
    for column in range(here.size):
        left = (int(residuals[column]) + (left + int(above[column])) // 2) & png.HIGHEST
        here[column] = left


@compiled
def undo_paeth(residuals: Bytes, above: Bytes, here: Bytes) -> None:
    """Undo Paeth's filter of a row; eight pixels that all equal their neighbours, as most do in maps, at once."""
    left = corner = column = 0
    while column < here.size:
        stop = min(column + EIGHT, here.size)
        flat = left == corner
        for place in range(column, stop):
            flat &= residuals[place] == 0 and above[place] == left
        if flat:
            here[column:stop] = left
            column = stop
        while column < stop:
            up = int(above[column])
            of_left, of_up = abs(up - corner), abs(left - corner)
            of_corner = abs(left + up - 2 * corner)
            predicted = corner
            if of_left <= of_up and of_left <= of_corner:
                predicted = left
            elif of_up <= of_corner:
                predicted = up
            left, corner = (int(residuals[column]) + predicted) & png.HIGHEST, up
            here[column] = left
            column += 1
