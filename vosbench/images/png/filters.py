"""Undo the filters of PNG rows, compiled; importing this module imports Numba.

Conventions:
    A row is its filter's type, 0 None, 1 Sub, 2 Up, 3 Average or 4 Paeth, and its bytes less what the filter
    foretells of them, modulo 256. A pixel is of one byte at most, so its left neighbour is the byte before. Most
    stretches of a mask go on as they began: they are recognised 16 bytes at a time. ``NUMBA_DISABLE_JIT=1`` runs
    the same lines as plain Python, with equal bytes.
    Source: W3C, Portable Network Graphics (PNG) Specification, second edition, section 9.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Function = TypeVar("Function", bound=Callable[..., object])
STRETCH = 16


def _compiled(function: Function) -> Function:
    return cast("Function", numba.njit(cache=True)(function))


@_compiled
def _is_all(stretch: Bytes, value: np.int64) -> bool:
    differences = np.uint8(0)
    for x in range(STRETCH):
        differences |= stretch[x] ^ np.uint8(value)
    return bool(differences == 0)


@_compiled
def _undo_sub(row: Bytes, out: Bytes) -> None:
    left = np.int64(0)
    for start in range(0, row.size, STRETCH):
        stop = min(start + STRETCH, row.size)
        if stop - start == STRETCH and _is_all(row[start:stop], np.int64(0)):
            out[start:stop] = left
            continue
        for x in range(start, stop):
            left = (left + np.int64(row[x])) & 255
            out[x] = left


@_compiled
def _undo_average(row: Bytes, above: Bytes, out: Bytes) -> None:
    left = np.int64(0)
    for x in range(row.size):
        left = (np.int64(row[x]) + ((left + np.int64(above[x])) >> 1)) & 255
        out[x] = left


@_compiled
def _undo_paeth(row: Bytes, above: Bytes, out: Bytes) -> None:
    left, corner = np.int64(0), np.int64(0)
    for start in range(0, row.size, STRETCH):
        stop = min(start + STRETCH, row.size)
        if stop - start == STRETCH and _is_all(row[start:stop], np.int64(0)) and _is_all(above[start:stop], corner):
            out[start:stop] = left
            continue
        for x in range(start, stop):
            up, rest = np.int64(above[x]), np.int64(row[x])
            if up != corner or rest != 0:  # else it is the left one again
                by_left, by_up, by_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
                if by_left > by_up or by_left > by_corner:
                    left = up if by_up <= by_corner else corner
                left = (left + rest) & 255
            out[x] = left
            corner = up


@_compiled
def undo(rows: Bytes, above: Bytes, out: Bytes) -> None:
    """Undo the filters of some rows.

    Args:
        rows: (N, 1 + B) uint8, filter types first, each at most 4.
        above: (B,) uint8, the bytes of the row before; zeros above the first. Becomes the last row's.
        out: (N, B) uint8, is written to.

    >>> above, out = np.array([5, 5], np.uint8), np.zeros((1, 2), np.uint8)
    >>> undo(np.array([[4, 1, 1]], np.uint8), above, out)
    >>> out
    array([[6, 7]], dtype=uint8)
    """
    last = above
    for y in range(rows.shape[0]):
        kind, row = rows[y, 0], rows[y, 1:]
        if kind == 0:
            out[y] = row
        elif kind == 1:
            _undo_sub(row, out[y])
        elif kind == 2:
            np.add(row, last, out[y])
        elif kind == 3:
            _undo_average(row, last, out[y])
        else:
            _undo_paeth(row, last, out[y])
        last = out[y]
    above[:] = last
