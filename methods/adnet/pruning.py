"""Instance pruning: which pixels of a video cannot belong to its object, by the instances that a detector found.

As released by the authors, yz93/anchor-diff-VOS (`detection_filter.py`), whose constants were chosen on DAVIS; they
are scaled to frames of another size. The paper describes another rule, which tracks boxes.
"""

from collections.abc import Sequence

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
"""Categories whose large instance suppresses small ones: person and car, counted from 0."""


def boxes_of(frame: Sequence[Detection]) -> Boxes:
    """(N, 4), the boxes of N detections."""
    return np.array([found.box for found in frame], dtype=np.float64).reshape(-1, 4)


def areas(boxes: Boxes) -> NDArray[np.float64]:
    """(N,) areas of boxes as continuous rectangles; `overlaps` counts their pixels, one more per side."""
    sizes: NDArray[np.float64] = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return sizes


def overlaps(box: NDArray[np.float64], boxes: Boxes) -> NDArray[np.float64]:
    """(N,) intersections over unions of one box, (4,), with each of N; the corners' pixels belong to a box."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    shared = np.maximum(high - low + 1, 0).prod(axis=1)
    own = (box[2:] - box[:2] + 1).prod()
    ious: NDArray[np.float64] = shared / (own + (boxes[:, 2:] - boxes[:, :2] + 1).prod(axis=1) - shared)
    return ious


def is_static(boxes: Boxes, everywhere: Boxes, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(N,) which boxes of a frame stand still: neither its largest nor above 47000, and met in many frames.

    Many is more than 0.4 of a training video's frames; met is overlapped by more than 0.6, by itself included.
    """
    sizes = areas(boxes)
    small = (sizes <= area(47_000, size)) & (sizes != sizes.max(initial=0))
    counts = np.array([(overlaps(box, everywhere) > 0.6).sum() for box in boxes])
    static: NDArray[np.bool_] = small & (counts > 0.4 * TRAIN_LENGTH)
    return static


def dominates(frame: Sequence[Detection], usual: float, size: tuple[int, int]) -> bool:
    """Say whether the largest of a frame's two or more boxes makes small ones unlikely.

    It does if it is larger than 10000, than twice the next, and than ``usual``, is a person or a car, and is less
    than three times as wide as high.
    """
    boxes = boxes_of(frame)
    order = areas(boxes).argsort(kind="stable")
    second, first = areas(boxes)[order[-2:]]
    x1, y1, x2, y2 = boxes[order[-1]]
    large = first > area(10_000, size) and first > 2 * second and first > usual
    return bool(large and frame[order[-1]].category in TARGETS and (x2 - x1) < 3 * (y2 - y1))


def is_suppressed(frame: Sequence[Detection], size: tuple[int, int]) -> NDArray[np.bool_]:
    """(N,) which boxes give way to the frame's largest.

    Those of its category that overlap it by 0.1 or less, and are below a third of its area or lie far off: with
    the centre's x outside 300…600 and more than 200 away in the sum of x and y. (The authors' code calls the
    centre's x ``cy``.)
    """
    boxes = boxes_of(frame)
    sizes = areas(boxes)
    target = sizes.argsort(kind="stable")[-1]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    x = centres[:, 0] * STANDARD[1] / size[1]
    away = np.abs(centres - centres[target]).sum(axis=1) > length(200, size)
    unlikely = (sizes < sizes[target] // 3) | (((x < 300) | (x > 600)) & away)
    same = np.array([found.category == frame[target].category for found in frame])
    suppressed: NDArray[np.bool_] = unlikely & same & (overlaps(boxes[target], boxes) <= 0.1)
    return suppressed


def keep_masks(frames: Sequence[Sequence[Detection]], size: tuple[int, int]) -> list[Mask]:
    """Find what to keep of each frame of a video.

    A video with three detections per frame or fewer is left alone. Where the largest box suppresses others for the
    first time after frame 20, the video is left alone from there on. (In the released code a frame with one box takes
    the answer of the frame before; as a box never suppresses itself, that comes to nothing.)

    Args:
        frames: the detections of every frame.
        size: (H, W) of the frames.

    Returns:
        (H, W) masks of the first frames, True where to keep; frames beyond the last are left alone.

    Raises:
        DataError: if a detection's mask is of another size.
    """
    everywhere = boxes_of([found for frame in frames for found in frame])
    if len(everywhere) <= 3 * len(frames):
        return []
    usual = float(np.sort(areas(everywhere))[-len(frames)])
    begun, keeps = False, []
    for index, frame in enumerate(frames):
        suppress = len(frame) > 1 and dominates(frame, usual, size)
        if suppress and not begun and index > 20:
            break
        begun = begun or suppress
        keep = np.ones(size, dtype=np.bool_)
        if frame:
            gone = is_static(boxes_of(frame), everywhere, size)
            gone |= is_suppressed(frame, size) & suppress
            for found in (found for found, away in zip(frame, gone, strict=True) if away):
                if found.mask.shape != size:
                    raise DataError(f"a detection's mask is of size {found.mask.shape}, and its frame {size}")
                keep &= ~found.mask
        keeps.append(keep)
    return keeps
