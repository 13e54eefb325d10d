"""Show masks on their frame.

Conventions:
    Pictures are (H, W, 3) uint8, RGB. Masks are (H, W) bool. Colours of numbered objects are those of the palette of
    PASCAL VOC and DAVIS: the bits of the number, taken in turn for red, green and blue, from the highest bit down.
    Source: M. Everingham et al., The PASCAL Visual Object Classes Challenge, development kit, ``VOClabelcolormap``.
    Colours of errors are distinguishable with all common forms of colour blindness.
    Source: M. Okabe and K. Ito, Color Universal Design, 2008.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vosbench.metrics.arrays import Mask

Frame = NDArray[np.uint8]
Colour = tuple[int, int, int]

TINT = (255, 40, 130)
"""A pink that grass, streets, water and skin do not have."""
OUTLINE = (255, 255, 255)
STRENGTH = 0.45
ROWS_PER_PIXEL = 300
"""Rows of a frame for each pixel of the outline's width."""
RIGHT, TOO_MUCH, MISSED = (0, 158, 115), (213, 94, 0), (86, 180, 233)
"""Bluish green, vermilion and sky blue: true positives, false positives and false negatives."""
HIGHEST_LABEL = 255


def tinted(frame: Frame, mask: Mask) -> Frame:
    """Tint the object, and draw its outline around it.

    Args:
        frame: (H, W, 3) uint8, RGB.
        mask: (H, W) bool.

    Returns:
        (H, W, 3) uint8, RGB.
    """
    return outlined(filled(frame, [(mask, TINT)], STRENGTH), [(mask, OUTLINE)])


def filled(frame: Frame, regions: Sequence[tuple[Mask, Colour]], opacity: float) -> Frame:
    """Mix colours into regions of a frame.

    Args:
        frame: the frame, which is not changed.
        regions: masks and their colours.
        opacity: from 0, the frame alone, to 1, the colour alone.
    """
    pixels = frame.copy()
    for mask, colour in regions:
        mixed = (1 - opacity) * frame[mask] + opacity * np.array(colour)
        pixels[mask] = np.rint(mixed).astype(np.uint8)
    return pixels


def outlined(frame: Frame, regions: Sequence[tuple[Mask, Colour]], width: int | None = None) -> Frame:
    """Draw outlines around regions of a frame.

    Args:
        frame: the frame, which is not changed.
        regions: masks and the colours of their outlines.
        width: of the outlines, in pixels; by the size of the frame if None.
    """
    import cv2

    pixels = frame.copy()
    width = outline_width(frame) if width is None else width
    if width == 0:
        return pixels
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1, 2 * width + 1))
    for mask, colour in regions:
        around = cv2.dilate(mask.astype(np.uint8), disk).astype(bool)
        pixels[around & ~mask] = colour
    return pixels


def outline_width(frame: Frame) -> int:
    """The usual width of outlines on a frame, in pixels."""
    height, width = frame.shape[:2]
    return 1 + round(int(min(height, width)) / ROWS_PER_PIXEL)


def label_colour(label: int) -> Colour:
    """The colour of a numbered object.

    >>> label_colour(1), label_colour(2), label_colour(3)
    ((128, 0, 0), (0, 128, 0), (128, 128, 0))
    """
    channels = [0, 0, 0]
    bits = label % (HIGHEST_LABEL + 1)
    for shift in range(7, -1, -1):
        for channel in range(3):
            channels[channel] |= (bits >> channel & 1) << shift
        bits >>= 3
    red, green, blue = channels
    return red, green, blue


def errors_of(prediction: Mask, annotation: Mask) -> list[tuple[Mask, Colour]]:
    """The regions that a prediction has right, has too much, and has missed, with their colours."""
    return [
        (prediction & annotation, RIGHT),
        (prediction & ~annotation, TOO_MUCH),
        (annotation & ~prediction, MISSED),
    ]
