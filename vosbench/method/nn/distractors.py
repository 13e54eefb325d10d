"""Distractors: pairs of frames in which only time tells what the object is.

An object cut from elsewhere is pasted into the first and into the current frame. It is as salient as the video's own
object, but stands still, or moves with the background.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vosbench.dataset import Video
from vosbench.method.nn.augment import Box, Floats, Mask, Shot, annotated, read
from vosbench.method.nn.camera import capped
from vosbench.method.nn.views import Frame

TRIES = 5
OVERLAP = 0.1
"""The largest share of the video's object that a distractor may hide."""
LARGEST = 0.6
"""Of the frame's sides, at most."""


def sample_donor(videos: Sequence[Video], besides: Video, longest: int, rng: np.random.Generator) -> Shot | None:
    """Sample an annotated frame of another video, or a still image, to cut a distractor from; None if there is none."""
    others = [video for video in videos if video.name != besides.name and video.annotations]
    if not others:
        return None
    video = annotated(others)[int(rng.integers(len(others)))]
    indices = sorted(video.annotations)
    return capped(read(video, indices[int(rng.integers(len(indices)))]), longest)


def distracted(first: Shot, current: Shot, donor: Shot, rng: np.random.Generator) -> tuple[Shot, Shot]:
    """Paste the object of a donor into two frames of a video, of the same size.

    Args:
        first: the video's first frame.
        current: another one, with its mask.
        donor: another picture, with the mask of the object to cut out.
        rng: the generator.

    Returns:
        the two frames; without a change if the donor has no object, or no place was found where it hides hardly
        anything of the video's.
    """
    height, width = current.mask.shape
    cut = _cut(donor, current.mask, rng)
    if cut is None:
        return first, current
    patch, alpha = cut
    tall, wide = alpha.shape
    shift = _background(first.frame, current.frame) if rng.random() < 0.5 else (0, 0)
    for _ in range(TRIES):
        row, column = int(rng.integers(0, height - tall + 1)), int(rng.integers(0, width - wide + 1))
        there = (min(max(row + shift[0], 0), height - tall), min(max(column + shift[1], 0), width - wide))
        pasted = [_pasted(shot, patch, alpha, at) for shot, at in ((first, (row, column)), (current, there))]
        kept = [
            after.mask.sum() >= (1 - OVERLAP) * before.mask.sum()
            for after, before in zip(pasted, (first, current), strict=True)
        ]
        if all(kept):
            return pasted[0], pasted[1]
    return first, current


def _cut(donor: Shot, mask: Mask, rng: np.random.Generator) -> tuple[Frame, Floats] | None:
    """The donor's object and its opacity, with 0.4 to 1.2 times the area of the video's object."""
    box = Box.around(donor.mask)
    if box is None:
        return None
    found = box.cut(donor)
    wanted = rng.uniform(0.4, 1.2) * max(float(mask.sum()), 0.02 * mask.size)
    factor = (wanted / found.mask.sum()) ** 0.5
    factor = min(factor, *(LARGEST * side / own for side, own in zip(mask.shape, found.mask.shape, strict=True)))
    size = tuple(max(2, round(side * factor)) for side in found.mask.shape[::-1])
    mirrored = slice(None, None, -1 if rng.random() < 0.5 else 1)
    patch = cv2.resize(found.frame, size, interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(found.mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(patch, dtype=np.uint8)[:, mirrored], np.asarray(alpha, dtype=np.float32)[:, mirrored]


def _pasted(shot: Shot, patch: Frame, alpha: Floats, at: tuple[int, int]) -> Shot:
    rows, columns = slice(at[0], at[0] + alpha.shape[0]), slice(at[1], at[1] + alpha.shape[1])
    frame, mask = shot.frame.copy(), shot.mask.copy()
    under = frame[rows, columns].astype(np.float32)
    frame[rows, columns] = np.rint(under + alpha[:, :, None] * (patch - under)).astype(np.uint8)
    mask[rows, columns] &= alpha < 0.5
    return Shot(frame, mask)


def _background(first: Frame, current: Frame) -> tuple[int, int]:
    """How far most of the picture moves, in rows and columns."""
    grey: list[NDArray[np.float32]] = [np.asarray(x.mean(axis=2), dtype=np.float32) for x in (first, current)]
    window = cv2.createHanningWindow((first.shape[1], first.shape[0]), cv2.CV_32F)
    (x, y), _ = cv2.phaseCorrelate(grey[0], grey[1], window)
    return round(y), round(x)
