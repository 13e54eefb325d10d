"""Detections of instances: from a file in one of two layouts, or from a detector. See `README.md`."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vosbench.dataset import Video
from vosbench.errors import DataError
from vosbench.images import read_frame
from vosbench.methods.adnet import pickles
from vosbench.methods.adnet.masks import Mask, decode

BROKEN = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, MemoryError)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detection:
    """An instance in a frame.

    Attributes:
        box: x₁, y₁, x₂, y₂ in pixels.
        score: confidence.
        category: one of COCO's 80, from 0: 0 is a person and 2 a car.
        mask: (H, W), of the frame's size.

    Raises:
        ValueError: if the box is not finite, or ends before it begins.
    """

    box: tuple[float, float, float, float]
    score: float
    category: int
    mask: Mask

    def __post_init__(self) -> None:
        """Reject a box that ends before it begins, whose overlaps would be meaningless."""
        x1, y1, x2, y2 = self.box
        if not (-np.inf < x1 <= x2 < np.inf and -np.inf < y1 <= y2 < np.inf):
            raise ValueError(f"invalid box from {x1}, {y1} to {x2}, {y2}")


Source = Callable[[Video], Sequence[Sequence[Detection]] | None]
"""Finds the detections of every frame of a video; None if it has none."""


class Detector(Protocol):
    """A detector of instances."""

    def detect(self, frame: NDArray[np.uint8]) -> Sequence[Detection]:
        """Find the instances of a frame, (H, W, 3) uint8 RGB; must be deterministic."""
        ...


def from_detector(detector: Detector) -> Source:
    """Make a source that detects instances in all frames before the first map."""
    return lambda video: [detector.detect(read_frame(path)) for path in video.frames]


def from_path(path: Path) -> Source:
    """Make a source from a JSON file of several videos, or from a folder of pickles, ``<video>.pkl``.

    Raises:
        DataError: if the path is neither, or the JSON file is not in the documented layout; from the source, if the
            detections of a video are not in the layout or have a different number of frames.
    """
    if path.is_dir():
        read = _pickles(path)
    elif path.suffix == ".json":
        read = _json(path)
    else:
        raise DataError(f'detections "{path}" are neither a .json file nor a folder of <video>.pkl files')

    def source(video: Video) -> list[list[Detection]] | None:
        try:
            frames = read(video.name)
        except BROKEN as error:
            raise DataError(
                f'detections "{path}" of "{video.name}" are not in the documented layout: {error!r}'
            ) from error
        if frames is not None and len(frames) != len(video):
            raise DataError(f'detections "{path}" have {len(frames)} frames for "{video.name}", which has {len(video)}')
        return frames

    return source


def _json(path: Path) -> Callable[[str], list[list[Detection]] | None]:
    try:
        videos = json.loads(path.read_bytes())["videos"]
        names = set(videos.keys())
    except OSError as error:
        raise DataError(f'detections "{path}" cannot be read: {error.strerror}') from error
    except BROKEN as error:
        raise DataError(f'detections "{path}" are not a JSON object with "videos": {error!r}') from error
    return lambda name: [[_from_json(x) for x in frame] for frame in videos[name]] if name in names else None


def _from_json(entry: dict[str, Any]) -> Detection:
    x1, y1, x2, y2 = (float(x) for x in entry["bbox"])
    height, width = (int(n) for n in entry["segmentation"]["size"])
    return Detection(
        box=(x1, y1, x2, y2),
        score=float(entry["score"]),
        category=int(entry["category_id"]) - 1,  # COCO counts from 1
        mask=decode(np.array(entry["segmentation"]["counts"], dtype=np.int64), (height, width)),
    )


def _pickles(folder: Path) -> Callable[[str], list[list[Detection]] | None]:
    def read(name: str) -> list[list[Detection]] | None:
        path = folder / f"{name}.pkl"
        if not path.exists():
            return None
        frames: Any = pickles.read(path)
        return [[_from_pickle(x) for x in frames[index]] for index in range(len(frames))]

    return read


def _from_pickle(entry: dict[str, Any]) -> Detection:
    numbers = _values(entry["bbox"])
    mask = _values(entry["mask"])
    if mask.ndim != 2 or not np.isin(mask, (0, 1)).all():
        raise ValueError("the mask is not a picture of 0 and 1")
    x1, y1, x2, y2 = (float(x) for x in numbers[:4])
    return Detection(
        box=(x1, y1, x2, y2), score=float(numbers[4]), category=int(numbers[-1]), mask=mask.astype(np.bool_)
    )


def _values(content: object) -> NDArray[np.float64]:
    values = content.values if isinstance(content, pickles.Array) else content
    return np.array(values, dtype=np.float64)
