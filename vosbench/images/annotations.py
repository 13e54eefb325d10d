"""Annotations: what the ground truth of a frame is on disk, and how it becomes a mask.

Conventions:
    An annotation is one file; or several files, one per object; or a box. The foreground of several files is the union
    of their masks, formed on booleans: sums of bytes wrap, so that 128 + 128 would be background.
    A box is a rectangle in pixels, whose sides may be fractions. As a mask it has the rows from ⌊top⌋ up to, but
    without, ⌊bottom⌋, and columns likewise, as Motion Grouping draws MoCA's boxes (Yang et al., ICCV 2021).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vosbench.errors import DataError
from vosbench.images.codecs import Regions
from vosbench.images.files import read_labels, read_packed, read_regions
from vosbench.images.frames import size
from vosbench.metrics.packed import Packed, pack, unpack


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle around the object of a frame.

    Attributes:
        source: the file that lists it.
        frame: the frame, whose size the mask has.
        left: in pixels, like the others.
        top: of the upper edge, from above.
        right: behind the last column.
        bottom: behind the last row.
        motion: the kind of motion in this frame, if the dataset states it.
    """

    source: Path
    frame: Path
    left: float
    top: float
    right: float
    bottom: float
    motion: str = ""

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom."""
        return self.left, self.top, self.right, self.bottom


Annotation = Path | tuple[Path, ...] | Box
"""A file, the files of several objects, or a box."""


def paths_of(annotation: Annotation) -> tuple[Path, ...]:
    """The files that an annotation is read from.

    >>> paths_of((Path("1/a.png"), Path("2/a.png")))[0].as_posix()
    '1/a.png'
    """
    if isinstance(annotation, Box):
        return (annotation.source,)
    return annotation if isinstance(annotation, tuple) else (annotation,)


def stem_of(annotation: Annotation) -> str:
    """The name of an annotation's first file, without the suffix."""
    return paths_of(annotation)[0].stem


def read_annotation(annotation: Annotation, codec: str, data: Sequence[bytes] | None = None) -> Packed:
    """Read the foreground of an annotation as a packed mask.

    Args:
        annotation: a file, several, or a box.
        codec: how files are read; see `vosbench.images.codecs`.
        data: the bytes of the files, if they are known.

    Raises:
        DataError: if a file is missing, corrupt, in another encoding, or of another size than the others.
    """
    if isinstance(annotation, Box):
        return _drawn(annotation)
    first, *others = paths_of(annotation)
    sources: Sequence[Path | bytes] = data or paths_of(annotation)
    union = read_packed(sources[0], codec, str(first))
    for path, source in zip(others, sources[1:], strict=True):
        mask = read_packed(source, codec, str(path))
        _check_size(path, mask.shape, union.shape)
        union = Packed(union.height, union.width, union.words | mask.words)
    return union


def read_objects(annotation: Annotation, codec: str) -> Regions:
    """Read an annotation as regions, see `vosbench.images.files.read_regions`; of several files, numbered from 1.

    Returns:
        (H, W) int32; pixels of several objects are the first one's.
    """
    if isinstance(annotation, Path):
        return read_regions(annotation, codec)
    if isinstance(annotation, Box):
        return unpack(_drawn(annotation)).astype(np.int32)
    masks = [unpack(read_packed(path, codec)) for path in annotation]
    regions = np.zeros(masks[0].shape, np.int32)
    for number, (path, mask) in enumerate(zip(annotation, masks, strict=True), 1):
        _check_size(path, mask.shape, regions.shape)
        regions[mask & (regions == 0)] = number
    return regions


def read_numbers(annotation: Annotation, codec: str) -> NDArray[np.uint8]:
    """Read an annotation as a label map, see `vosbench.images.files.read_labels`; of several files as `read_objects`.

    Returns:
        (H, W) uint8.
    """
    return read_labels(annotation) if isinstance(annotation, Path) else read_objects(annotation, codec).astype(np.uint8)


def _drawn(box: Box) -> Packed:
    mask = np.zeros(size(box.frame), np.bool_)
    left, top, right, bottom = (max(int(edge), 0) for edge in box.edges)
    mask[top:bottom, left:right] = True
    return pack(mask)


def _check_size(path: Path, found: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    if found != wanted:
        raise DataError(
            f'"{path}" is {found[1]}×{found[0]}, but the first object of this frame is {wanted[1]}×{wanted[0]}'
        )
