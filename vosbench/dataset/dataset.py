"""The contract of a dataset: what it contains, and how to find it on disk."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vosbench.dataset.protocol import DatasetProtocol
from vosbench.dataset.video import Video
from vosbench.metrics.measures import measure_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What a dataset's list says about one sequence.

    Attributes:
        frames: number of frames, or None if it is not listed.
        annotated: annotated frame indices (0-based), or None if every frame is annotated or they are not listed; empty
            if no frame is annotated, so that the sequence cannot be scored.
        labels: the number of annotated frames, if their positions are read from disk; otherwise None.
        stable: whether temporal stability is averaged over it (False for heavy occlusion).
        attributes: challenge attributes, such as ``"OCC"``.
        category: the object category.
    """

    frames: int | None
    annotated: tuple[int, ...] | None = None
    labels: int | None = None
    stable: bool = True
    attributes: tuple[str, ...] = ()
    category: str | None = None

    def counts_for(self, score: str) -> bool:
        """Whether this sequence counts in the mean of a score: for T, only if it is stable.

        >>> Listed(frames=1, stable=False).counts_for("T_mean"), Listed(frames=1, stable=False).counts_for("J_mean")
        (False, True)
        """
        return self.stable or not measure_of(score).stable

    def expected(self, video: Video) -> tuple[int, tuple[int, ...]]:
        """The number of frames, and the annotated frames, that a video on disk should have.

        Unlisted values are taken from the video. A copy with only the annotated frames is numbered from 0.
        """
        if self.labels is not None:
            frames = self.labels if video.labelled_only else self.frames
            return len(video) if frames is None else frames, tuple(sorted(video.annotations))
        if self.frames is None:
            return len(video), tuple(sorted(video.annotations)) if self.annotated is None else self.annotated
        if video.labelled_only and self.annotated is not None and len(video) != self.frames:
            return len(self.annotated), tuple(range(len(self.annotated)))
        return self.frames, tuple(range(self.frames)) if self.annotated is None else self.annotated


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file to download.

    Attributes:
        name: file name.
        mirrors: URLs of the same file, by https, tried in order.
        checksum: ``"md5:…"`` or ``"sha256:…"``, or None if none is published.
        size: in bytes, or None if it is not published.
        unpack: whether it is an archive to unpack.
    """

    name: str
    mirrors: tuple[str, ...]
    checksum: str | None = None
    size: int | None = None
    unpack: bool = True


class VideoFinder(Protocol):
    """Finds the videos of a split below a root."""

    def __call__(self, root: Path, split: str, layout: str | None = None) -> Sequence[Video]:
        """Return the listed videos that exist, in list order, without decoding anything.

        Raises:
            DataError: if the root is not this dataset; the message says what was found instead.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A dataset; creating one reads no files.

    Attributes:
        name: the name to type, in lower case.
        title: its name in the paper.
        paper: the citation.
        licence: of frames and annotations, as stated by the authors.
        splits: names of the splits; papers report the first.
        layouts: names of the known folder layouts.
        protocols: the protocols that score it; the first is the default.
        listing: split → sequence name → its list entry; package data are read on the first call; empty if no list of
            names exists.
        videos: finds the videos of a split below a root.
        folders: usual names of its folder, searched below ``VOSBENCH_DATA``.
        sparse: whether in splits without a list only some frames may be annotated.
        downloads: the files to download.
        steps: how to get it by hand, if it cannot be downloaded.
        generate: writes the whole dataset into a folder, if vosbench generates it.
        version: of what is generated; the cache has a folder for each.
        root: its folder, if the dataset is one that was passed by its path (`vosbench.dataset.folder_dataset`).
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
    sparse: bool = False
    downloads: tuple[Download, ...] = ()
    steps: str = ""
    generate: Callable[[Path], None] | None = None
    version: int | None = None
    root: Path | None = None

    def listed(self, split: str, found: Mapping[str, Video]) -> Mapping[str, Listed]:
        """The list of a split; if there is none, a list of the videos that were found."""
        return self.listing(split) or {
            name: Listed(
                frames=len(video),
                annotated=tuple(sorted(video.annotations)) if self.sparse and video.annotations else None,
                category=video.category,
            )
            for name, video in found.items()
        }


def read_sequences(module: str) -> list[dict[str, str]]:
    """Read ``sequences.csv`` next to a dataset's module (its ``__file__``)."""
    with Path(module).with_name("sequences.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))
