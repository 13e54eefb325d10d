"""Undo the filters of PNG rows of less than 8 bits per pixel, byte by byte, as the specification says.

Such rows have few bytes, and unlike those of 8 bits (see `vosbench.images.png`) no bits to compute with. Rows of most
images are unfiltered, or Sub or Up, which are sums modulo 256 and independent of one another. Paeth and Average go from
byte to byte: images with many such rows are left to others.
    Source: W3C, Portable Network Graphics (PNG) Specification, second edition, section 9.
"""

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
KINDS = range(5)
NONE, SUB, UP, AVERAGE, PAETH = KINDS
MOST_SLOW = 8
"""Rows of Paeth or Average, above which others are as fast."""


def unfiltered(filters: Bytes, residuals: Bytes, above: Bytes) -> Bytes | None:
    """Undo the filters of some rows.

    Args:
        filters: (N,), the filter of each row.
        residuals: (N, bytes) of pixels of at most 8 bits.
        above: (bytes,), the row before the first one as it was; zeros if there is none.

    Returns:
        (N, bytes); None if a filter is unknown, or too many rows go from byte to byte.
    """
    slow = np.flatnonzero(filters > UP)
    if len(slow) > MOST_SLOW or filters.max() > PAETH:
        return None
    rows = residuals.copy()
    sub = filters == SUB
    rows[sub] = np.add.accumulate(rows[sub], axis=1, dtype=np.uint8)
    first = 0
    for index in (*slow.tolist(), len(rows)):
        if first < index:
            above = _summed(filters[first:index] == UP, rows[first:index], above)
        if index < len(rows):
            rows[index] = above = _from_byte_to_byte(int(filters[index]), rows[index], above)
        first = index + 1
    return rows


def _summed(up: NDArray[np.bool_], rows: Bytes, above: Bytes) -> Bytes:
    """Undo Up in place and return the last row.

    A row is the sum of all rows so far, less those before the last row that is not Up: modulo 256, differences of sums
    are exact.
    """
    if up.any():
        sums = np.add.accumulate(np.concatenate([above[None], rows]), axis=0, dtype=np.uint8)
        starts = np.maximum.accumulate(np.where(up, 0, np.arange(1, len(rows) + 1)))
        before = np.where(starts[:, None] > 0, sums[starts - 1], 0)
        np.subtract(sums[1:], before, out=rows, dtype=np.uint8)
    last: Bytes = rows[-1]
    return last


def _from_byte_to_byte(kind: int, residuals: Bytes, above: Bytes) -> Bytes:
    left = corner = 0
    row = bytearray(len(residuals))
    for index, (residual, up) in enumerate(zip(residuals.tolist(), above.tolist(), strict=True)):
        if kind == AVERAGE:
            predicted = (left + up) // 2
        else:
            distances = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
            predicted = (left, up, corner)[distances.index(min(distances))]
        row[index] = left = (residual + predicted) % 256
        corner = up
    return np.frombuffer(row, np.uint8)
