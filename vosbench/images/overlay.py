"""Show a mask on its frame."""

import numpy as np
from numpy.typing import NDArray

from vosbench.metrics.arrays import Mask

Frame = NDArray[np.uint8]

TINT = (255, 40, 130)
"""A pink that grass, streets, water and skin do not have."""
OUTLINE = (255, 255, 255)
STRENGTH = 0.45
ROWS_PER_PIXEL = 300
"""Rows of a frame for each pixel of the outline's width."""


def tinted(frame: Frame, mask: Mask) -> Frame:
    """Tint the object, and draw its outline around it.

    Args:
        frame: (H, W, 3) uint8, RGB.
        mask: (H, W) bool.

    Returns:
        (H, W, 3) uint8, RGB.
    """
    import cv2

    pixels = frame.copy()
    mixed = (1 - STRENGTH) * frame[mask] + STRENGTH * np.array(TINT)
    pixels[mask] = np.rint(mixed).astype(np.uint8)
    width = 1 + round(min(mask.shape) / ROWS_PER_PIXEL)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1, 2 * width + 1))
    around = cv2.dilate(mask.astype(np.uint8), disk).astype(bool)
    pixels[around & ~mask] = OUTLINE
    return pixels
