"""Which points a polygon holds, by the even-odd rule, the same on every machine.

Libraries differ in what they do with edges, and between their versions. Here a point is inside where a ray to its left
crosses an odd number of edges; nothing but additions, products and quotients of doubles decides.
"""

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def inside(corners: Points, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Fill a polygon.

    Args:
        corners: (n, 2), as (x, y); the last is joined to the first. Corners of pixels are integers.
        size: (H, W).

    Returns:
        (H, W); whether the middle of a pixel is inside.

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
    # The first pixel whose middle is not left of the crossing; one more column takes what lies beyond the frame.
    column = np.clip(np.ceil(crossing - 0.5), 0, width).astype(np.intp)
    toggles = np.zeros((height, width + 1), np.uint8)
    np.bitwise_xor.at(toggles, (row, column), 1)
    filled: NDArray[np.bool_] = np.bitwise_xor.accumulate(toggles, axis=1)[:, :width].astype(np.bool_)
    return filled
