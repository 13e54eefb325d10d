"""Pruning of a frame's mask to the rectangle around its largest part (`eval.py` of yz93/anchor-diff-VOS)."""

import cv2
import numpy as np

from vosbench.methods.adnet.morphology import Mask, area, grown, opened, side


def overlap(a: Mask, b: Mask) -> float:
    """Intersection over union of two masks, (H, W); 1 where both are empty."""
    union = int((a | b).sum())
    return int((a & b).sum()) / union if union else 1.0


def boxed(mask: Mask, last: Mask | None) -> Mask:
    """Keep of a mask what lies in the rectangle around its largest part, where there are several.

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
