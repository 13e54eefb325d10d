"""Boolean masks opened and grown, with constants that follow the size of the frame."""

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
"""(H, W) bool, True on the object."""

STANDARD = (480, 854)
"""(H, W), the frame on which the authors' constants are pixels."""


def area(pixels: float, size: tuple[int, ...]) -> float:
    """Bring an area from the standard frame to one of size (H, W), in pixels."""
    return pixels * (size[0] * size[1]) / (STANDARD[0] * STANDARD[1])


def length(pixels: float, size: tuple[int, ...]) -> float:
    """Bring a length from the standard frame to one of size (H, W), in pixels: by the root of the areas' ratio."""
    return float(pixels * area(1, size) ** 0.5)


def side(pixels: int, size: tuple[int, ...]) -> int:
    """Bring a kernel's side from the standard frame to one of size (H, W): odd, in pixels."""
    return round(length(pixels, size)) | 1


def opened(mask: Mask, width: int) -> Mask:
    """Erode, then dilate by a square of ``width`` pixels; what lies outside the frame plays no part."""
    kernel = np.ones((width, width), np.uint8)
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel).astype(np.bool_)


def grown(mask: Mask, width: int) -> Mask:
    """Dilate by a square of ``width`` pixels."""
    return cv2.dilate(mask.astype(np.uint8), np.ones((width, width), np.uint8)).astype(np.bool_)
