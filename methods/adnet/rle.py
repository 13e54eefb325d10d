"""Masks as run lengths, the uncompressed form of COCO."""

import itertools

import numpy as np
from numpy.typing import NDArray

from vosbench.methods.adnet.masks import Mask


def encode(mask: Mask) -> NDArray[np.int64]:
    """Count the lengths of runs, column by column from the top left.

    >>> encode(np.array([[False, True], [True, True]])).tolist()
    [1, 3]
    """
    pixels = np.concatenate([[False], mask.ravel(order="F")])
    ends = np.append(np.flatnonzero(pixels[1:] != pixels[:-1]), mask.size)
    return np.diff(ends, prepend=0)


def decode(counts: NDArray[np.int64], size: tuple[int, int]) -> Mask:
    """Make the mask of run lengths.

    Args:
        counts: (N,), lengths of background and object in turn; the first may be 0.
        size: (H, W).

    Returns:
        (H, W) bool.

    Raises:
        ValueError: if the lengths are negative or do not add up to H·W.
    """
    if min(size) < 1 or (counts < 0).any() or int(counts.sum()) != size[0] * size[1]:
        raise ValueError(f"run lengths that make up no mask of size {size}")
    values = np.fromiter(itertools.islice(itertools.cycle((False, True)), len(counts)), dtype=np.bool_)
    return np.repeat(values, counts).reshape(size, order="F")
