"""Masks: gating by the previous mask, cropping to the rectangle around the largest part, and run lengths.

Gating and cropping are not in the paper but in the released code (`eval.py` of yz93/anchor-diff-VOS), whose constants
are pixels of 854×480 frames and are scaled to other sizes.
"""

import itertools

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
"""(H, W) bool, True on the object."""

STANDARD = (480, 854)
"""(H, W), the frame size of the authors' constants."""


def area(pixels: float, size: tuple[int, ...]) -> float:
    """Scale an area from the standard frame to one of size (H, W), in pixels."""
    return pixels * (size[0] * size[1]) / (STANDARD[0] * STANDARD[1])


def length(pixels: float, size: tuple[int, ...]) -> float:
    """Scale a length from the standard frame to one of size (H, W), in pixels, by the root of the areas' ratio."""
    return float(pixels * area(1, size) ** 0.5)


def side(pixels: int, size: tuple[int, ...]) -> int:
    """Scale a kernel's side from the standard frame to one of size (H, W): odd, in pixels."""
    return round(length(pixels, size)) | 1


def opened(mask: Mask, width: int) -> Mask:
    """Erode, then dilate by a square of ``width`` pixels; pixels outside the frame are ignored."""
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
    """Crop a mask of several parts to the rectangle around the largest.

    This applies to masks of more than 40000 and fewer than 100000 pixels, if the contour of the largest part (opened by
    15×15, grown by 31×31) encloses more than 30000, all at 854×480 and scaled to other sizes; and, after the first
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
    """The region of the object in the next frame: opened by 15×15 to remove specks, then grown by 101×101."""
    size = mask.shape
    return grown(opened(mask, side(15, size)), side(101, size))


def gated(mask: Mask, last: Mask | None) -> Mask:
    """Restrict a mask to the neighbourhood of the previous one.

    Args:
        mask: (H, W), the frame's mask.
        last: (H, W), the previous frame's mask before it was gated; None at the first frame.

    Returns:
        (H, W); the mask itself if the previous one has at most 5000 pixels or at least 100000 (at 854×480, scaled to
        other sizes).
    """
    size = mask.shape
    if last is None or not area(5_000, size) < last.sum() < area(100_000, size):
        return mask
    return mask & near(last)


def encode(mask: Mask) -> NDArray[np.int64]:
    """Convert a mask to COCO's uncompressed run lengths, column by column from the top left.

    >>> encode(np.array([[False, True], [True, True]])).tolist()
    [1, 3]
    """
    pixels = np.concatenate([[False], mask.ravel(order="F")])
    ends = np.append(np.flatnonzero(pixels[1:] != pixels[:-1]), mask.size)
    return np.diff(ends, prepend=0)


def decode(counts: NDArray[np.int64], size: tuple[int, int]) -> Mask:
    """Convert run lengths to a mask; the inverse of `encode`.

    Args:
        counts: (N,), alternating lengths of background and object; the first may be 0.
        size: (H, W).

    Returns:
        (H, W) bool.

    Raises:
        ValueError: if the lengths are negative or do not add up to H·W.
    """
    if min(size) < 1 or (counts < 0).any() or int(counts.sum()) != size[0] * size[1]:
        raise ValueError(f"run lengths do not add up to a mask of size {size}")
    values = np.fromiter(itertools.islice(itertools.cycle((False, True)), len(counts)), dtype=np.bool_)
    return np.repeat(values, counts).reshape(size, order="F")
