"""Sample training examples: annotated frames, crops around the foreground, rotations, squares.

The generator passed in is the only source of randomness, so that a seed determines an example.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vosbench.dataset import Video
from vosbench.errors import DataError
from vosbench.images import paths_of, read_annotation, read_frame
from vosbench.method.nn.views import MEAN_BGR, Frame, squash
from vosbench.metrics.packed import unpack

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]


class Shot(NamedTuple):
    """A frame, (H, W, 3) uint8 RGB, and its mask, (H, W) bool."""

    frame: Frame
    mask: Mask


class Sample(NamedTuple):
    """A network's input and target.

    Attributes:
        frame: (3, h, w), BGR in 0…255 minus the mean; 0 outside the picture.
        mask: (1, h, w), 1 on the foreground and 0 elsewhere.
        weight: (1, h, w), 1 on the picture and 0 outside.
    """

    frame: Floats
    mask: Floats
    weight: Floats


class Box(NamedTuple):
    """Rows ``top`` to ``bottom`` (exclusive) and columns ``left`` to ``right`` (exclusive)."""

    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def around(cls, mask: Mask) -> "Box | None":
        """The bounding box of a mask, (H, W); None if it is empty."""
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if len(rows) == 0:
            return None
        return cls(int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)

    def cut(self, shot: Shot) -> Shot:
        """Crop a shot to the box."""
        rows, columns = slice(self.top, self.bottom), slice(self.left, self.right)
        return Shot(shot.frame[rows, columns], shot.mask[rows, columns])


@dataclass(frozen=True, slots=True)
class Look:
    """A change of appearance, the same for all frames of an example.

    Attributes:
        mirrored: whether left and right are exchanged.
        channels: the source of each colour channel.
        negative: whether colours become their complements.
    """

    mirrored: bool = False
    channels: tuple[int, ...] = (0, 1, 2)
    negative: bool = False

    @classmethod
    def sample(cls, mirror: float, recolour: float, rng: np.random.Generator) -> "Look":
        """Sample a look, mirrored with probability ``mirror`` and recoloured with probability ``recolour``."""
        mirrored, recoloured, negative = rng.random() < mirror, rng.random() < recolour, rng.random() < 0.5
        channels = tuple(int(i) for i in rng.permutation(3))
        return cls(mirrored, channels, negative) if recoloured else cls(mirrored)

    def at(self, shot: Shot) -> Shot:
        """Apply the look to a shot."""
        columns = slice(None, None, -1) if self.mirrored else slice(None)
        frame = shot.frame[:, columns][:, :, list(self.channels)]
        return Shot(np.ascontiguousarray(255 - frame if self.negative else frame), shot.mask[:, columns])


def annotated(videos: Sequence[Video], kind: str = "videos") -> list[Video]:
    """Return the videos that have an annotation.

    Args:
        videos: the candidates.
        kind: what to call them in the message.

    Raises:
        DataError: if none has an annotation.
    """
    usable = [video for video in videos if video.annotations]
    if not usable:
        raise DataError(
            f"training needs annotated {kind}, but none of {len(videos)} is annotated; add a dataset of them"
        )
    return usable


def pick(videos: Sequence[Video], rng: np.random.Generator, kind: str = "videos") -> Video:
    """Sample one of the annotated videos; see `annotated`."""
    pool = annotated(videos, kind)
    return pool[int(rng.integers(len(pool)))]


def read(video: Video, index: int) -> Shot:
    """Read an annotated frame.

    Raises:
        DataError: if a file cannot be read, or frame and mask differ in size.
    """
    annotation = video.annotations[index]
    frame, mask = read_frame(video.frames[index]), unpack(read_annotation(annotation, video.codec))
    if mask.shape != frame.shape[:2]:
        raise DataError(f'mask "{paths_of(annotation)[0]}" has size {mask.shape}, but its frame has {frame.shape[:2]}')
    return Shot(frame, mask)


def whole(mask: Mask) -> Box:
    """The box of a whole frame."""
    return Box(0, mask.shape[0], 0, mask.shape[1])


def enclosing(mask: Mask, rng: np.random.Generator) -> Box:
    """Sample a box around the foreground; each side is uniform between the frame's edge and the foreground.

    For an empty mask it is the whole frame.
    """
    box = Box.around(mask)
    if box is None:
        return whole(mask)
    return Box(
        int(rng.integers(0, box.top + 1)),
        int(rng.integers(box.bottom, mask.shape[0] + 1)),
        int(rng.integers(0, box.left + 1)),
        int(rng.integers(box.right, mask.shape[1] + 1)),
    )


def share(size: tuple[int, ...], part: float, rng: np.random.Generator) -> Box:
    """Sample a box with a given share of each side, anywhere in a frame of size (H, W)."""
    height, width = (max(1, round(side * part)) for side in size)
    top, left = int(rng.integers(0, size[0] - height + 1)), int(rng.integers(0, size[1] - width + 1))
    return Box(top, top + height, left, left + width)


def turns(upright: float, rng: np.random.Generator) -> int:
    """Sample a rotation in steps of 45°: 0 with probability ``upright``, the other seven with equal probability."""
    return int(rng.choice(8, p=[upright, *[(1 - upright) / 7] * 7]))


def turned(shot: Shot, size: tuple[int, int], turn: int) -> Sample:
    """Resize a shot and rotate it around its middle.

    Args:
        shot: of any size.
        size: (h, w) of the sample.
        turn: steps of 45°, anticlockwise.

    Returns:
        the sample; corners outside the rotated picture have the mean colour and no weight.
    """
    height, width = size
    frame = _coloured(cv2.resize(shot.frame, (width, height), interpolation=cv2.INTER_LINEAR))
    mask = _nearest(shot.mask, size)
    weight = np.ones(size, dtype=np.uint8)
    if turn % 8:
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), 45.0 * turn, 1.0)
        frame = _warped(frame, matrix, cv2.INTER_LINEAR)
        mask, weight = _warped(mask, matrix, cv2.INTER_NEAREST), _warped(weight, matrix, cv2.INTER_NEAREST)
    return _sample(frame, mask, weight)


def squashed(shot: Shot, side: int) -> Sample:
    """Resize a shot to a square like `SquashedView`, antialiased on bytes; the mask by nearest neighbours."""
    return _sample(
        _coloured(squash(shot.frame, side)), _nearest(shot.mask, (side, side)), np.ones((side, side), dtype=np.uint8)
    )


def _coloured(frame: NDArray[Any]) -> Floats:
    """(H, W, 3) uint8 RGB → float32, BGR minus the mean."""
    return frame[:, :, ::-1].astype(np.float32) - np.array(MEAN_BGR, dtype=np.float32)


def _nearest(mask: Mask, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Resize a mask to (h, w), as 0 and 1."""
    small = cv2.resize(mask.astype(np.uint8), (size[1], size[0]), interpolation=cv2.INTER_NEAREST)
    return small.astype(np.uint8, copy=False)


def _warped(picture: NDArray[Any], matrix: NDArray[Any], flags: int) -> NDArray[Any]:
    """Apply an affine map to a picture, on a canvas of the same size; pixels from outside are 0."""
    return np.asarray(cv2.warpAffine(picture, matrix, (picture.shape[1], picture.shape[0]), flags=flags))


def _sample(frame: Floats, mask: NDArray[np.uint8], weight: NDArray[np.uint8]) -> Sample:
    planes = np.ascontiguousarray(frame.transpose(2, 0, 1))
    return Sample(planes, mask[None].astype(np.float32), weight[None].astype(np.float32))
