"""The contract of a dataset: what it should hold, and how to find it on disk."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vosbench.protocol import DatasetProtocol
from vosbench.video import Video


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What a dataset's list says of one sequence.

    Attributes:
        frames: number of frames.
        annotated: annotated frame indices (0-based), or None where every frame is.
        stable: whether temporal stability is averaged over it (False for heavy occlusion).
        attributes: challenge attributes, such as ``"OCC"``.
        category: the object category.
    """

    frames: int
    annotated: tuple[int, ...] | None = None
    stable: bool = True
    attributes: tuple[str, ...] = ()
    category: str | None = None


class VideoFinder(Protocol):
    """Finds the videos of a split below a root."""

    def __call__(self, root: Path, split: str, layout: str | None = None) -> Sequence[Video]:
        """Return the listed videos that are there, in list order; decode nothing.

        Raises:
            DataError: where the root is not this dataset; the message says what was found.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A dataset as the registry knows it; making one reads nothing.

    Attributes:
        name: as typed, in lower case.
        title: as the paper calls it.
        paper: the citation.
        licence: of frames and annotations, as its authors state it.
        splits: the splits' names; the first is the one that papers report.
        layouts: names of the folder layouts that are recognised.
        protocols: the protocols that its scores are taken under; the first is the default.
        listing: split → sequence name → what the list says; reads package data on the first call.
        videos: finds the videos of a split below a root.
        generate: writes the whole dataset into a folder, for one that the program makes itself.
    """

    name: str
    title: str
    paper: str
    licence: str
    splits: tuple[str, ...]
    layouts: tuple[str, ...]
    protocols: tuple[DatasetProtocol, ...]
    listing: Callable[[str], Mapping[str, Listed]]
    videos: VideoFinder
    generate: Callable[[Path], None] | None = None
