"""Mask codecs: how an image file's pixels become a mask.

Conventions:
    A codec is declared by a dataset's layout or named by the user; none is guessed from values while scoring.
    It takes pixels as stored (palette indices, not colours) and gives a (H, W) bool mask, True on the object.
    A file whose values the codec does not know is an error, never a black mask.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vosbench.errors import DataError, UsageError

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Codec:
    """One encoding of masks.

    Attributes:
        name: as typed and as recorded.
        meaning: one line: which values are the object.
        modes: the kinds of stored pixels it reads: ``"1"``, ``"L"``, ``"I;16"``, ``"RGB"`` or ``"P"``.
        foreground: stored pixels → (H, W) bool.
        values: the only values that may occur, or None where all may.
        refused: values that may not occur.
    """

    name: str
    meaning: str
    modes: tuple[str, ...]
    foreground: Callable[[Pixels], Mask]
    values: tuple[int, ...] | None = None
    refused: tuple[int, ...] = ()

    def decode(self, pixels: Pixels, mode: str) -> Mask:
        """Decode stored pixels.

        Args:
            pixels: (H, W), or (H, W, 3) in mode ``"RGB"``; bilevel images hold 0 and 255.
            mode: how the pixels are stored, as Pillow names it.

        Returns:
            (H, W) bool, True on the object.

        Raises:
            DataError: where mode or values are not this codec's; the message begins with what was found.

        >>> codec("binary01").decode(np.array([[0, 1]], np.uint8), "L")
        array([[False,  True]])
        """
        if mode not in self.modes:
            raise DataError(f'is stored as "{mode}"; codec "{self.name}" reads {" and ".join(self.modes)}')
        strange = self._strange(pixels)
        if strange.any():
            found = ", ".join(str(value) for value in np.unique(pixels[strange])[:4])
            raise DataError(f'holds the values {found}; codec "{self.name}" knows {self.meaning}')
        return self.foreground(pixels)

    def _strange(self, pixels: Pixels) -> Mask:
        strange = np.full(pixels.shape, fill_value=self.values is not None)
        for value in self.values or ():
            strange &= pixels != value
        for value in self.refused:
            strange |= pixels == value
        return strange


def luma(pixels: Pixels) -> Pixels:
    """Grey of stored pixels: (H, W) as they are, (H, W, 3) RGB by Rec. 601 in 1/1000, rounded half up.

    >>> luma(np.array([[[255, 255, 255], [255, 0, 0]]], np.uint8))
    array([[255,  76]], dtype=uint8)
    """
    if pixels.ndim == 2:
        return pixels
    weighted = pixels.astype(np.uint32) @ np.array([299, 587, 114], dtype=np.uint32)
    grey = (weighted + 500) // 1000
    return grey.astype(np.uint8) if pixels.dtype == np.uint8 else grey.astype(np.uint16)


def _upper_half(pixels: Pixels) -> Mask:
    grey = luma(pixels)
    return np.asarray(grey > np.iinfo(grey.dtype).max // 2)


def _nonzero(pixels: Pixels) -> Mask:
    return np.asarray(luma(pixels) != 0)


def _nonwhite(pixels: Pixels) -> Mask:
    return np.asarray((pixels != np.iinfo(pixels.dtype).max).any(axis=2))


_GREY = ("1", "L", "RGB")
CODECS = {
    entry.name: entry
    for entry in (
        Codec("binary255", "0 as background and 255 as object", _GREY, _nonzero, (0, 255)),
        Codec("binary01", "0 as background and 1 as object", ("L",), _nonzero, (0, 1)),
        Codec("nonzero", "every value but 0 as object", ("1", "L"), _nonzero),
        Codec(
            "palette", "every palette index but 0 as object, 255 as no index", ("P", "L"), _nonzero, tuple(range(255))
        ),
        Codec("map", "the upper half of the range as object", ("1", "L", "I;16", "RGB"), _upper_half),
        Codec("luma127", "grey values above 127 as object (JPEG noise, antialiasing)", _GREY, _upper_half),
        Codec("ppm_nonwhite", "every colour but white as object", ("RGB",), _nonwhite),
    )
}


def codec(name: str) -> Codec:
    """Look a codec up.

    Raises:
        UsageError: where there is none of that name.
    """
    if name not in CODECS:
        raise UsageError(f'there is no codec "{name}"; there are {", ".join(CODECS)}')
    return CODECS[name]


def recognise(pixels: Pixels, mode: str) -> str | None:
    """Say which codec foreign masks of one image call for, or None where the image does not tell.

    A palette image is read by its indices. A grey one whose only values are 0 and 1 is ``"binary01"``, any
    other with foreground is ``"map"``, which reads 0/255 masks and soft maps alike. An all-zero one is silent.

    >>> recognise(np.array([[0, 1]], np.uint8), "L"), recognise(np.array([[0, 255]], np.uint8), "L")
    ('binary01', 'map')
    """
    if mode == "P":
        return "palette"
    if mode in {"1", "I;16", "RGB"}:
        return "map"
    peak = pixels.max(initial=0)
    if peak == 0:
        return None
    return "binary01" if peak == 1 else "map"
