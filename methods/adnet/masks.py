"""What becomes of a mask by the one before: cut to the rectangle around its largest part, and gated.

The paper has no such steps; they are those of the released code (`eval.py` of yz93/anchor-diff-VOS). Its constants are
pixels of frames of 854×480, and are scaled to others.
"""

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


def overlap(a: Mask, b: Mask) -> float:
    """Intersection over union of two masks, (H, W); 1 if both are empty."""
    union = int((a | b).sum())
    return int((a & b).sum()) / union if union else 1.0


def boxed(mask: Mask, last: Mask | None) -> Mask:
    """Keep of a mask what lies in the rectangle around its largest part, if there are several.

    It acts on masks of more than 40000 and fewer than 100000 pixels, if the contour of the largest part (opened by
    15×15, grown by 31×31) holds more than 30000, all at 854×480 and in proportion elsewhere; and, after the first
    frame, only if the rectangle overlaps the previous mask by more than 0.3.

    Args:
        mask: (H, W), the frame's mask.
        last: (H, W), the previous frame's mask after pruning and before gating; None at the first frame.

    Returns:
        (H, W).
    """
    size = mask.shape
    if not area(40_000, size) < mask.sum() < area(100_000, size):
        return mask
    parts = grown(opened(mask, side(15, size)), side(31, size)).astype(np.uint8)
    contours, _ = cv2.findContours(parts, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if len(contours) < 2:
        return mask
    largest = max(contours, key=cv2.contourArea)
    if not cv2.contourArea(largest) > area(30_000, size):
        return mask
    x, y, w, h = cv2.boundingRect(largest)
    box = np.zeros_like(mask)
    box[y : y + h, x : x + w] = True
    if last is not None and not overlap(last, box) > 0.3:
        return mask
    return mask & box


def near(mask: Mask) -> Mask:
    """Where the object may be in the next frame: opened by 15×15, so that specks vanish, then grown by 101×101."""
    size = mask.shape
    return grown(opened(mask, side(15, size)), side(101, size))


def gated(mask: Mask, last: Mask | None) -> Mask:
    """Keep of a mask what lies near the one before.

    Args:
        mask: (H, W), the frame's mask.
        last: (H, W), the previous frame's mask before it was gated; None at the first frame.

    Returns:
        (H, W); the mask as it came if the previous one holds 5000 pixels or fewer, or 100000 or more (at
        854×480; in proportion elsewhere).
    """
    size = mask.shape
    if last is None or not area(5_000, size) < last.sum() < area(100_000, size):
        return mask
    return mask & near(last)
