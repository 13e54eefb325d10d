"""Instance pruning: find the pixels of a video that cannot belong to its object, from detected instances.

As released by the authors, yz93/anchor-diff-VOS (`detection_filter.py`), whose constants were tuned on DAVIS; they are
scaled to other frame sizes. The paper describes a different rule, which tracks boxes.
"""

from collections.abc import Sequence
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from vosbench.errors import DataError
from vosbench.methods.adnet.detections import Detection
from vosbench.methods.adnet.masks import STANDARD, Mask, area, length

Boxes = NDArray[np.float64]
"""(N, 4): x₁, y₁, x₂, y₂ in pixels."""

TRAIN_LENGTH = 2079 / 30
"""Frames per training video of DAVIS 2016, on average."""

TARGETS = (0, 2)
"""Categories whose large instance suppresses small ones: person and car, from 0."""


def boxes_of(frame: Sequence[Detection]) -> Boxes:
    """(N, 4), the boxes of N detections."""
    return np.array([detection.box for detection in frame], dtype=np.float64).reshape(-1, 4)


def areas(boxes: Boxes) -> NDArray[np.float64]:
    """(N,) areas of boxes as continuous rectangles; `overlaps` counts pixels, one more per side."""
    sizes: NDArray[np.float64] = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return sizes


def overlaps(box: NDArray[np.float64], boxes: Boxes) -> NDArray[np.float64]:
    """(N,) intersections over unions of one box, (4,), with each of N; a box includes the pixels of its corners."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    shared = np.maximum(high - low + 1, 0).prod(axis=1)
    own = (box[2:] - box[:2] + 1).prod()
    ious: NDArray[np.float64] = shared / (own + (boxes[:, 2:] - boxes[:, :2] + 1).prod(axis=1) - shared)
    return ious


def is_static(boxes: Boxes, everywhere: Boxes, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(N,) whether boxes of a frame stand still: not the largest, at most 47000, and overlapped by many boxes.

    That is, by more than 0.6 by more boxes of the video, including itself, than 0.4 of a training video's frames.
    """
    sizes = areas(boxes)
    small = (sizes <= area(47_000, size)) & (sizes != sizes.max(initial=0))
    counts = np.array([(overlaps(box, everywhere) > 0.6).sum() for box in boxes])
    static: NDArray[np.bool_] = small & (counts > 0.4 * TRAIN_LENGTH)
    return static


def dominates(frame: Sequence[Detection], usual: float, size: tuple[int, int]) -> bool:
    """Whether the largest of a frame's two or more boxes makes small ones unlikely.

    That is the case if it is larger than 10000, than twice the next and than ``usual``, is a person or a car, and is
    less than three times as wide as high.
    """
    boxes = boxes_of(frame)
    order = areas(boxes).argsort(kind="stable")
    second, first = areas(boxes)[order[-2:]]
    x1, y1, x2, y2 = boxes[order[-1]]
    large = first > area(10_000, size) and first > 2 * second and first > usual
    return bool(large and frame[order[-1]].category in TARGETS and (x2 - x1) < 3 * (y2 - y1))


def is_suppressed(frame: Sequence[Detection], size: tuple[int, int]) -> NDArray[np.bool_]:
    """(N,) whether boxes are suppressed by the frame's largest.

    These are boxes of its category that overlap it by at most 0.1 and are below a third of its area or far away: with
    the centre's x outside 300…600, and more than 200 away in the sum of x and y. (The authors' code calls the
    centre's x ``cy``.)
    """
    boxes = boxes_of(frame)
    sizes = areas(boxes)
    target = sizes.argsort(kind="stable")[-1]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    x = centres[:, 0] * STANDARD[1] / size[1]
    away = np.abs(centres - centres[target]).sum(axis=1) > length(200, size)
    unlikely = (sizes < sizes[target] // 3) | (((x < 300) | (x > 600)) & away)
    same = np.array([detection.category == frame[target].category for detection in frame])
    suppressed: NDArray[np.bool_] = unlikely & same & (overlaps(boxes[target], boxes) <= 0.1)
    return suppressed


def keep_masks(frames: Sequence[Sequence[Detection]], size: tuple[int, int]) -> list[Mask]:
    """Find the pixels to keep in each frame of a video.

    A video with at most three detections per frame is not pruned. If the largest box suppresses others for the first
    time after frame 20, the video is not pruned from there on. (In the released code a frame with one box reuses the
    answer of the previous frame; since a box never suppresses itself, that has no effect.)

    Args:
        frames: the detections of every frame.
        size: (H, W) of the frames.

    Returns:
        (H, W) masks of the first frames, True on pixels to keep; later frames are not pruned.

    Raises:
        DataError: if a detection's mask has a different size.
    """
    everywhere = boxes_of([detection for frame in frames for detection in frame])
    if len(everywhere) <= 3 * len(frames):
        return []
    usual = float(np.sort(areas(everywhere))[-len(frames)])
    suppressing, keeps = False, []
    for index, frame in enumerate(frames):
        suppress = len(frame) > 1 and dominates(frame, usual, size)
        if suppress and not suppressing and index > 20:
            break
        suppressing = suppressing or suppress
        keep = np.ones(size, dtype=np.bool_)
        if frame:
            pruned = is_static(boxes_of(frame), everywhere, size)
            pruned |= is_suppressed(frame, size) & suppress
            for detection in compress(frame, pruned):
                if detection.mask.shape != size:
                    raise DataError(f"a detection's mask has size {detection.mask.shape}, but its frame has {size}")
                keep &= ~detection.mask
        keeps.append(keep)
    return keeps
