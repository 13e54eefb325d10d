"""Draw training examples: annotated frames, crops around the foreground, rotations, squares.

All chance comes from the generator that is handed in, so that an example is known by its seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vosbench.dataset import Video
from vosbench.errors import DataError
from vosbench.images import read_frame, read_mask
from vosbench.method.nn.views import MEAN_BGR, Frame

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]


class Shot(NamedTuple):
    """A frame, (H, W, 3) uint8 RGB, and its mask, (H, W) bool."""

    frame: Frame
    mask: Mask


class Sample(NamedTuple):
    """What a network is trained on.

    Attributes:
        frame: (3, h, w), BGR in 0…255 less its mean; 0 where there is no picture.
        mask: (1, h, w), 1 on the foreground and 0 elsewhere.
        weight: (1, h, w), 1 where there is a picture and 0 elsewhere.
    """

    frame: Floats
    mask: Floats
    weight: Floats


class Box(NamedTuple):
    """Rows ``top`` up to but without ``bottom``, and columns likewise."""

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
        """The part of a shot that lies in the box."""
        rows, columns = slice(self.top, self.bottom), slice(self.left, self.right)
        return Shot(shot.frame[rows, columns], shot.mask[rows, columns])


@dataclass(frozen=True, slots=True)
class Look:
    """What is done alike to all frames of an example.

    Attributes:
        mirrored: whether left and right are exchanged.
        channels: where each colour channel is taken from.
        negative: whether colours become their complements.
    """

    mirrored: bool = False
    channels: tuple[int, ...] = (0, 1, 2)
    negative: bool = False

    @classmethod
    def draw(cls, mirror: float, recolour: float, rng: np.random.Generator) -> "Look":
        """Draw one: mirrored with a chance of ``mirror``, of other colours with a chance of ``recolour``."""
        mirrored, recoloured, negative = rng.random() < mirror, rng.random() < recolour, rng.random() < 0.5
        channels = tuple(int(i) for i in rng.permutation(3))
        return cls(mirrored, channels, negative) if recoloured else cls(mirrored)

    def at(self, shot: Shot) -> Shot:
        """A shot as it looks then."""
        columns = slice(None, None, -1) if self.mirrored else slice(None)
        frame = shot.frame[:, columns][:, :, list(self.channels)]
        return Shot(np.ascontiguousarray(255 - frame if self.negative else frame), shot.mask[:, columns])


def annotated(videos: Sequence[Video], kind: str = "videos") -> list[Video]:
    """Those of the videos that have an annotation.

    Args:
        videos: what there is.
        kind: what they are called in the message.

    Raises:
        DataError: if there is none.
    """
    found = [video for video in videos if video.annotations]
    if not found:
        raise DataError(f"training needs annotated {kind}, and of {len(videos)} none is; give a dataset that has them")
    return found


def pick(videos: Sequence[Video], rng: np.random.Generator, kind: str = "videos") -> Video:
    """Draw one of the videos that `annotated` gives."""
    pool = annotated(videos, kind)
    return pool[int(rng.integers(len(pool)))]


def read(video: Video, index: int) -> Shot:
    """Read an annotated frame.

    Raises:
        DataError: if a file cannot be read, or frame and mask differ in size.
    """
    path = video.annotations[index]
    frame, mask = read_frame(video.frames[index]), read_mask(path, video.codec)
    if mask.shape != frame.shape[:2]:
        raise DataError(f'mask "{path}" has size {mask.shape}, and its frame {frame.shape[:2]}')
    return Shot(frame, mask)


def whole(mask: Mask) -> Box:
    """The box that holds all of a frame."""
    return Box(0, mask.shape[0], 0, mask.shape[1])


def enclosing(mask: Mask, rng: np.random.Generator) -> Box:
    """Draw a box that encloses the foreground; each side is uniform between the frame's edge and the foreground.

    An empty mask is enclosed by the frame.
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
    """Draw a box of a part of each side, anywhere in a frame of size (H, W)."""
    height, width = (max(1, round(side * part)) for side in size)
    top, left = int(rng.integers(0, size[0] - height + 1)), int(rng.integers(0, size[1] - width + 1))
    return Box(top, top + height, left, left + width)


def turns(upright: float, rng: np.random.Generator) -> int:
    """Draw a rotation in steps of 45°: 0 with a chance of ``upright``, each of the other seven with the same."""
    return int(rng.choice(8, p=[upright, *[(1 - upright) / 7] * 7]))


def turned(shot: Shot, size: tuple[int, int], turn: int) -> Sample:
    """Resize a shot and rotate it on the spot.

    Args:
        shot: of any size.
        size: (h, w) of the sample.
        turn: steps of 45°, against the clock.

    Returns:
        the sample; corners that the rotation brings in have the mean colour and no weight.
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
    """Resize a shot to a square as `SquashedView` does: antialiased on bytes; the mask by nearest neighbours."""
    square = np.asarray(Image.fromarray(shot.frame).resize((side, side), Image.Resampling.BILINEAR))
    return _sample(_coloured(square), _nearest(shot.mask, (side, side)), np.ones((side, side), dtype=np.uint8))


def _coloured(frame: NDArray[Any]) -> Floats:
    """(H, W, 3) uint8 RGB → float32, BGR less its mean."""
    return frame[:, :, ::-1].astype(np.float32) - np.array(MEAN_BGR, dtype=np.float32)


def _nearest(mask: Mask, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A mask of another size (h, w), as 0 and 1."""
    small = cv2.resize(mask.astype(np.uint8), (size[1], size[0]), interpolation=cv2.INTER_NEAREST)
    return small.astype(np.uint8, copy=False)


def _warped(picture: NDArray[Any], matrix: NDArray[Any], flags: int) -> NDArray[Any]:
    """A picture after an affine map, on its own canvas; what comes in from outside is 0."""
    return np.asarray(cv2.warpAffine(picture, matrix, (picture.shape[1], picture.shape[0]), flags=flags))


def _sample(frame: Floats, mask: NDArray[np.uint8], weight: NDArray[np.uint8]) -> Sample:
    planes = np.ascontiguousarray(frame.transpose(2, 0, 1))
    return Sample(planes, mask[None].astype(np.float32), weight[None].astype(np.float32))
