"""Statistics of a measure over a sequence's frames: mean, recall and decay.

Conventions:
    Values are those of the scored frames, in frame order. Recall is the fraction of values strictly above 0.5. Decay
    is the mean of the first quarter minus the mean of the last; a higher decay means that more quality is lost over
    time. Bin edges are computed in integers, so that no length overflows. Statistics of no values are None.
    Source: Perazzi et al., CVPR 2016, section 5; bin edges as in the authors' Matlab tool, which rounds half away
    from zero.
"""

import math
from collections.abc import Sequence


def mean(values: Sequence[float]) -> float | None:
    """The mean, summed exactly; None if there are no values.

    >>> mean([0.1] * 10), mean([])
    (0.1, None)
    """
    return math.fsum(values) / len(values) if values else None


def recall(values: Sequence[float], threshold: float = 0.5) -> float | None:
    """The fraction of values strictly above a threshold; None if there are no values.

    >>> recall([0.5, 0.6])
    0.5
    """
    return sum(value > threshold for value in values) / len(values) if values else None


def bin_edges(count: int) -> tuple[int, ...]:
    """The five 0-based edges of the four decay bins over ``count`` frames.

    These are ``round(linspace(1, count, 5)) - 1`` with halves rounded up, computed in integers. A bin includes both
    of its edges, so neighbouring bins share a frame.

    >>> bin_edges(47)
    (0, 12, 23, 35, 46)
    """
    return tuple((quarter * (count - 1) + 2) // 4 for quarter in range(5))


def decay(values: Sequence[float]) -> float | None:
    """The mean of the first bin of frames minus the mean of the last; None if there are no values.

    >>> decay([1.0, 1.0, 0.5, 0.5, 0.0])
    0.75
    """
    if not values:
        return None
    edges = bin_edges(len(values))
    first, last = values[: edges[1] + 1], values[edges[3] :]
    return math.fsum(first) / len(first) - math.fsum(last) / len(last)
