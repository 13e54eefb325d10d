"""Mask codecs: how the pixels of an image file become a mask.

Conventions:
    A codec is declared by a dataset's layout, chosen by the user, or recognised from all masks of a submission
    (`vosbench.images.recognition`).
    It takes pixels as stored, or, if it is ``shown``, palettes by their colours, and returns a (H, W) bool mask, True
    on the object. A file with values unknown to the codec is an error, never a black mask.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vosbench.errors import DataError, UsageError
from vosbench.metrics.arrays import Mask

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
Regions = NDArray[np.int32]
BLACK = 1 << 24  # the label of black regions, since 0 is background


@dataclass(frozen=True, slots=True)
class Codec:
    """One encoding of masks.

    Attributes:
        name: the name to type, also in records.
        meaning: which values are the object, in one line.
        modes: Pillow modes of the pixels that it reads: ``"1"``, ``"L"``, ``"I;16"``, ``"RGB"`` or ``"P"``.
        foreground: stored pixels → (H, W) bool.
        values: the only allowed values, or None to allow all.
        refused: values that are not allowed.
        labels: stored pixels → (H, W) int32 labels of regions, 0 is background; None if objects have no labels.
        shown: whether palette images are read by their colours, as ``"RGB"``, instead of their indices.
        soft: whether files are soft maps, whose levels saliency measures use.
    """

    name: str
    meaning: str
    modes: tuple[str, ...]
    foreground: Callable[[Pixels], Mask]
    values: tuple[int, ...] | None = None
    refused: tuple[int, ...] = ()
    labels: Callable[[Pixels], Regions] | None = None
    shown: bool = False
    soft: bool = False

    def reads(self, mode: str) -> bool:
        """Whether it reads images of a Pillow mode."""
        return mode in self.modes or (mode == "P" and self.shown)

    def knows(self, pixels: Pixels, mode: str) -> bool:
        """Whether it reads the mode, and all values are known to it."""
        return mode in self.modes and not self._strange(pixels).any()

    def decode(self, pixels: Pixels, mode: str) -> Mask:
        """Decode stored pixels.

        Args:
            pixels: (H, W), or (H, W, 3) in mode ``"RGB"``; bilevel images contain 0 and 255.
            mode: the Pillow mode of the pixels.

        Returns:
            (H, W) bool, True on the object.

        Raises:
            DataError: if the codec does not allow the mode or the values; the message begins with what was found.

        >>> codec("binary01").decode(np.array([[0, 1]], np.uint8), "L")
        array([[False,  True]])
        """
        if mode not in self.modes:
            raise DataError(f'is stored as "{mode}"; codec "{self.name}" reads {" and ".join(self.modes)}')
        strange = self._strange(pixels)
        if strange.any():
            values = ", ".join(str(value) for value in np.unique(pixels[strange])[:4])
            raise DataError(f'contains the values {values}; codec "{self.name}" knows {self.meaning}')
        return self.foreground(pixels)

    def regions(self, pixels: Pixels, mode: str) -> Regions:
        """Decode stored pixels into regions: like `decode`, but objects keep their numbers.

        Returns:
            (H, W) int32 labels, 0 on background; 1 on the object if masks are binary.

        >>> codec("ppm_nonwhite").regions(np.array([[[0, 1, 2], [255, 255, 255]]], np.uint8), "RGB")
        array([[258,   0]], dtype=int32)
        """
        mask = self.decode(pixels, mode)
        return mask.astype(np.int32) if self.labels is None else np.where(mask, self.labels(pixels), np.int32(0))

    def _strange(self, pixels: Pixels) -> Mask:
        strange = np.full(pixels.shape, fill_value=self.values is not None)
        for value in self.values or ():
            strange &= pixels != value
        for value in self.refused:
            strange |= pixels == value
        return strange


def luma(pixels: Pixels) -> Pixels:
    """Grey values of stored pixels: (H, W) unchanged, (H, W, 3) RGB by Rec. 601 in 1/1000, rounded half up.

    >>> luma(np.array([[[255, 255, 255], [255, 0, 0]]], np.uint8))
    array([[255,  76]], dtype=uint8)
    """
    if pixels.ndim == 2:
        return pixels
    grey = _weighted(pixels, (299, 587, 114)) + np.int32(500)
    grey //= 1000
    return grey.astype(np.uint8) if pixels.dtype == np.uint8 else grey.astype(np.uint16)


def colour_codes(pixels: Pixels) -> Regions:
    """(H, W, 3) colours as numbers: R·65536 + G·256 + B."""
    return _weighted(pixels, (1 << 16, 1 << 8, 1))


def _weighted(pixels: Pixels, weights: tuple[int, int, int]) -> Regions:
    """Weighted sums of R, G and B: channel by channel, since wide copies of all three take gigabytes."""
    total = np.zeros(pixels.shape[:2], np.int32)
    for channel, weight in enumerate(weights):
        total += pixels[..., channel] * np.int32(weight)
    return total


def _upper_half(pixels: Pixels) -> Mask:
    grey = luma(pixels)
    return np.asarray(grey > np.iinfo(grey.dtype).max // 2)


def _nonzero(pixels: Pixels) -> Mask:
    return np.asarray(luma(pixels) != 0)


def _ids(pixels: Pixels) -> Mask:
    return np.asarray((pixels != 0) & (pixels != 255))


def _nonwhite(pixels: Pixels) -> Mask:
    return np.asarray((pixels != np.iinfo(pixels.dtype).max).any(axis=2))


def _zero(pixels: Pixels) -> Mask:
    return np.asarray(luma(pixels) == 0)


def _coloured(pixels: Pixels) -> Mask:
    return np.asarray(pixels.any(axis=2) if pixels.ndim == 3 else pixels != 0)


def _upper_byte(pixels: Pixels) -> Mask:
    return np.asarray(luma(pixels) > 127)


def _equals(pixels: Pixels, level: int) -> Mask:
    return np.asarray(luma(pixels) == level)


def _above(pixels: Pixels, level: int) -> Mask:
    return np.asarray(luma(pixels) > level)


def _brighter(pixels: Pixels, level: int) -> Mask:
    grey = luma(pixels)
    return np.asarray((grey > level) & (grey < 253) if pixels.ndim == 3 else grey > level)


def _numbers(pixels: Pixels) -> Regions:
    return pixels.astype(np.int32)


def _colours(pixels: Pixels) -> Regions:
    code = colour_codes(pixels)
    return np.where(code == 0, np.int32(BLACK), code)


def _labels_of_colours(pixels: Pixels) -> Regions:
    return _colours(pixels) if pixels.ndim == 3 else _numbers(pixels)


_GREY = ("1", "L", "RGB")
_ALL = ("1", "L", "I;16", "RGB")
_HALF = "the upper half of the range as object"
CODECS = {
    entry.name: entry
    for entry in (
        Codec("binary255", "0 as background and 255 as object", _GREY, _nonzero, (0, 255)),
        Codec("binary01", "0 as background and 1 as object", ("L",), _nonzero, (0, 1)),
        Codec("inverted255", "255 as background and 0 as object", _GREY, _zero, (0, 255)),
        Codec("nonzero", "every value but 0 as object", ("1", "L", "I;16", "P"), _nonzero, labels=_numbers),
        Codec("palette", "every index but 0 as object, and no index 255", ("P", "L"), _nonzero, None, (255,), _numbers),
        Codec("colours", "every colour but black as object", _ALL, _coloured, labels=_labels_of_colours, shown=True),
        Codec("ids", "every number but 0 and 255 (void) as object", ("P", "L"), _ids, labels=_numbers),
        Codec("map", f"{_HALF} (soft maps, antialiasing)", _ALL, _upper_half, shown=True, soft=True),
        Codec("map8", "levels above 127 as object, in files of 16 bits too", _ALL, _upper_byte, shown=True, soft=True),
        Codec("luma127", "grey values above 127 as object (JPEG noise, antialiasing)", _GREY, _upper_half),
        Codec("ppm_nonwhite", "every colour but white as object", ("RGB",), _nonwhite, labels=_colours),
        # As Yang et al., Unsupervised Moving Object Detection via Contextual Information Separation, CVPR 2019, and
        # later work read FBMS: above a tenth of white, except for two videos.
        Codec(
            "fbms_antonilo",
            "grey above 25 as object, in colour below 253 too",
            ("L", "RGB"),
            partial(_brighter, level=25),
        ),
        Codec("fbms_antonilo_marple7", "grey above 12 as object", ("L", "RGB"), partial(_brighter, level=12)),
        Codec("fbms_antonilo_marple2", "grey above 102 as object", ("L", "RGB"), partial(_brighter, level=102)),
    )
}
ABOVE = re.compile(r"above:(\d{1,3})")
TWO = re.compile(r"binary:(\d{1,5}),(\d{1,5})")


def codec(name: str) -> Codec:
    """Look up a codec.

    Args:
        name: one of `CODECS`, ``"binary:B,O"`` with the grey levels of background and object, or ``"above:N"`` with
            the highest grey level of the background, 0…254.

    Raises:
        UsageError: if the name is unknown.

    >>> codec("binary:38,0").decode(np.array([[0, 38]], np.uint8), "L")
    array([[ True, False]])
    """
    if name in CODECS:
        return CODECS[name]
    above = ABOVE.fullmatch(name)
    if above is not None and int(above[1]) < 255:
        return Codec(
            name, f"grey values above {above[1]} as object", _GREY, partial(_above, level=int(above[1])), shown=True
        )
    levels = TWO.fullmatch(name)
    if levels is None or levels[1] == levels[2]:
        raise UsageError(
            f'there is no codec "{name}"; available: {", ".join(CODECS)}, binary:BACKGROUND,OBJECT, above:LEVEL'
        )
    background, level = int(levels[1]), int(levels[2])
    meaning = f"{background} as background and {level} as object"
    return Codec(name, meaning, _ALL, partial(_equals, level=level), (background, level), shown=True)


def is_grey(name: str) -> bool:
    """Whether a codec compares grey levels to one level, so that another level may take its place.

    >>> is_grey("luma127"), is_grey("above:0"), is_grey("palette")
    (True, True, False)
    """
    return name == "luma127" or ABOVE.fullmatch(name) is not None
