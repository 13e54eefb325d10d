"""Masks packed 64 pixels to a word: an eighth of the memory, and 64 pixels per operation.

Conventions:
    Pixel x of a row is bit x % 64 of word x // 64, lowest bit first. Bits beyond the last column are 0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vosbench.errors import MeasureError
from vosbench.metrics.arrays import Mask

Words = NDArray[np.uint64]
WORD = np.dtype("<u8")  # little-endian on any machine, so that bytes are in the order of the pixels


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """A packed mask.

    Attributes:
        height: H, in pixels.
        width: W, in pixels.
        words: (H, ⌈W / 64⌉) uint64, C-contiguous.
    """

    height: int
    width: int
    words: Words

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.height, self.width

    def any(self) -> bool:
        """Whether any pixel is set."""
        return bool(self.words.any())

    def count(self) -> int:
        """Count the pixels that are set.

        >>> pack(np.ones((3, 70), bool)).count()
        210
        """
        return int(np.bitwise_count(self.words).sum())


def empty_words(height: int, width: int) -> Words:
    """The words of an empty mask."""
    return np.zeros((height, -(-width // 64)), WORD)


def pack(mask: Mask) -> Packed:
    """Pack a mask.

    Args:
        mask: (H, W) bool.

    Raises:
        MeasureError: if the array is not a mask.

    >>> pack(np.array([[True, False, True]])).words
    array([[5]], dtype=uint64)
    """
    if mask.ndim != 2 or mask.dtype != np.bool_ or mask.size == 0:
        raise MeasureError(f"cannot pack a {mask.shape} array of {mask.dtype}; a mask is an H×W array of bool")
    height, width = mask.shape
    words = empty_words(height, width)
    words.view(np.uint8)[:, : -(-width // 8)] = np.packbits(mask, axis=1, bitorder="little")
    return Packed(height, width, words)


def unpack(packed: Packed) -> Mask:
    """Unpack a mask.

    Returns:
        (H, W) bool.

    >>> unpack(pack(np.array([[True, False, True]])))
    array([[ True, False,  True]])
    """
    pixels = np.unpackbits(packed.words.view(np.uint8), axis=1, count=packed.width, bitorder="little")
    return pixels.view(np.bool_)
