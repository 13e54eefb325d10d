"""Gating by the previous mask: an object does not jump.

As released by the authors, yz93/anchor-diff-VOS (`eval.py`); the paper has no such step.
"""

from vosbench.methods.adnet.morphology import Mask, area, grown, opened, side


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
        (H, W); the mask as it came where the previous one holds 5000 pixels or fewer, or 100000 or more (at
        854×480; in proportion elsewhere).
    """
    size = mask.shape
    if last is None or not area(5_000, size) < last.sum() < area(100_000, size):
        return mask
    return mask & near(last)
