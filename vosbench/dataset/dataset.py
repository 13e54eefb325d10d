"""The contract of a dataset: what it should hold, and how to find it on disk."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vosbench.dataset.protocol import DatasetProtocol
from vosbench.dataset.video import Video
from vosbench.metrics.measures import measure_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What a dataset's list says of one sequence.

    Attributes:
        frames: number of frames, or None if no list says.
        annotated: annotated frame indices (0-based), or None if every frame is, or no list says.
        stable: whether temporal stability is averaged over it (False for heavy occlusion).
        attributes: challenge attributes, such as ``"OCC"``.
        category: the object category.
    """

    frames: int | None
    annotated: tuple[int, ...] | None = None
    stable: bool = True
    attributes: tuple[str, ...] = ()
    category: str | None = None

    def counts_for(self, score: str) -> bool:
        """Whether a mean of a score is taken over this sequence: of T, only if it is stable.

        >>> Listed(frames=1, stable=False).counts_for("T_mean"), Listed(frames=1, stable=False).counts_for("J_mean")
        (False, True)
        """
        return self.stable or not measure_of(score).stable

    def expected(self, video: Video) -> tuple[int, tuple[int, ...]]:
        """How many frames, and annotations of which, a video on disk should have.

        What no list says is taken as found; a copy of the annotated frames alone has these, numbered anew.
        """
        if self.frames is None:
            return len(video), tuple(sorted(video.annotations)) if self.annotated is None else self.annotated
        if video.labelled_only and self.annotated is not None and len(video) != self.frames:
            return len(self.annotated), tuple(range(len(self.annotated)))
        return self.frames, tuple(range(self.frames)) if self.annotated is None else self.annotated


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file that a dataset is fetched as.

    Attributes:
        name: of the file.
        mirrors: URLs of the same file, tried in order.
        checksum: ``"md5:…"`` or ``"sha256:…"``, or None if nobody states one.
        unpack: whether it is an archive to unpack.
    """

    name: str
    mirrors: tuple[str, ...]
    checksum: str | None = None
    unpack: bool = True


class VideoFinder(Protocol):
    """Finds the videos of a split below a root."""

    def __call__(self, root: Path, split: str, layout: str | None = None) -> Sequence[Video]:
        """Return the listed videos that are there, in list order; decode nothing.

        Raises:
            DataError: if the root is not this dataset; the message says what was found.
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
        protocols: the protocols under which it is scored; the first is the default.
        listing: split → sequence name → what the list says; reads package data on the first call; empty if nobody
            lists the names.
        videos: finds the videos of a split below a root.
        folders: names that people give its folder, looked for below ``VOSBENCH_DATA``.
        downloads: the files that it can be fetched as.
        steps: how to get it by hand, if a program cannot.
        generate: writes the whole dataset into a folder, for one that the program makes itself.
    """

    name: str
    title: str
    paper: str
    licence: str
    splits: tuple[str, ...]
    layouts: tuple[str, ...]
    protocols: tuple[DatasetProtocol, ...]
    videos: VideoFinder
    listing: Callable[[str], Mapping[str, Listed]] = lambda _split: {}
    folders: tuple[str, ...] = ()
    downloads: tuple[Download, ...] = ()
    steps: str = ""
    generate: Callable[[Path], None] | None = None

    def listed(self, split: str, found: Mapping[str, Video]) -> Mapping[str, Listed]:
        """The list of a split; if nobody lists names, that of the videos that were found."""
        return self.listing(split) or {
            name: Listed(frames=len(video), category=video.category) for name, video in found.items()
        }
