"""Select the split, the videos and the protocol of an evaluation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from vosbench import __version__
from vosbench.dataset.dataset import Dataset, Listed
from vosbench.dataset.protocol import DatasetProtocol
from vosbench.dataset.roots import find_root
from vosbench.dataset.video import Video
from vosbench.errors import DataError, UsageError
from vosbench.metrics.measures import Family


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the user asks for; None means the dataset's default.

    Attributes:
        root: the dataset's folder.
        split: one of its splits.
        layout: one of its layouts.
        protocol: the name of one of its protocols, or any protocol.
        videos: names of videos; the whole split if empty.
        limit: use only the first frames of each video.
        measures: some of the protocol's measures, or added ones; the protocol's if empty.
    """

    root: Path | None = None
    split: str | None = None
    layout: str | None = None
    protocol: str | DatasetProtocol | None = None
    videos: tuple[str, ...] = ()
    limit: int | None = None
    measures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The videos of an evaluation and how they are scored.

    Attributes:
        dataset: the dataset.
        split: its split.
        protocol: how masks are scored.
        videos: the chosen videos, complete.
        listing: the dataset's list of all videos of the split.
        limit: frames of each video, or None for all.
    """

    dataset: Dataset
    split: str
    protocol: DatasetProtocol
    videos: tuple[Video, ...]
    listing: Mapping[str, Listed]
    limit: int | None

    @property
    def expected(self) -> tuple[str, ...]:
        """Every video of the split."""
        return tuple(self.listing)

    def signature(self) -> str:
        """The protocol's signature, with the split and frame limit if they are not the defaults."""
        line = self.protocol.signature(__version__)
        if self.split != self.dataset.splits[0]:
            line = f"split:{self.split}|{line}"
        return line if self.limit is None else f"limit:{self.limit}|{line}"


def select(dataset: Dataset, choice: Choice, families: Mapping[str, Family] = MappingProxyType({})) -> Selection:
    """Find the chosen videos and check that they are complete.

    Args:
        dataset: the dataset.
        choice: the videos and measures.
        families: name → family of measures that the choice may add.

    Raises:
        UsageError: if a split, protocol or video name is unknown, or the root is not found.
        DataError: if the root is not the dataset, or chosen videos are missing or incomplete.
    """
    split = split_of(dataset, choice.split)
    if isinstance(choice.protocol, DatasetProtocol):
        protocol = choice.protocol
    else:
        names = {protocol.name: protocol for protocol in dataset.protocols}
        protocol = names[_one_of(choice.protocol, tuple(names), f"{dataset.name} has no protocol")]
    if choice.measures:
        protocol = protocol.only(choice.measures, families)
    if choice.limit is not None and choice.limit < 1:
        raise UsageError(f"the limit must be at least 1 frame, not {choice.limit}")
    root = find_root(dataset, choice.root)
    found = {video.name: video for video in dataset.videos(root, split, choice.layout)}
    listing = dataset.listed(split, found)
    for name in choice.videos:
        if name not in listing:
            known = ", ".join(listing) if len(listing) < 100 else _some(tuple(listing))
            raise UsageError(f'{dataset.name} {split} has no video "{name}"; available: {known}')
    chosen = choice.videos or tuple(listing)
    problem = _incomplete(found, {name: listing[name] for name in chosen})
    if problem:
        raise DataError(f'{dataset.title} {split} in "{root}" is incomplete: {problem}; run: vosbench verify')
    videos = tuple(found[name] if choice.limit is None else found[name].first(choice.limit) for name in chosen)
    return Selection(
        dataset=dataset, split=split, protocol=protocol, videos=videos, listing=listing, limit=choice.limit
    )


def split_of(dataset: Dataset, asked: str | None) -> str:
    """The requested split, by default the one that papers report.

    Raises:
        UsageError: if the dataset has no such split.
    """
    return _one_of(asked, dataset.splits, f"{dataset.name} has no split")


def _one_of(asked: str | None, known: Sequence[str], problem: str) -> str:
    if asked is None:
        return known[0]
    if asked not in known:
        raise UsageError(f'{problem} "{asked}"; available: {", ".join(known)}')
    return asked


def _incomplete(found: dict[str, Video], listing: dict[str, Listed]) -> str:
    missing = [name for name in listing if name not in found]
    if missing:
        return f"{len(missing)} of {len(listing)} videos are missing ({_some(missing)})"
    for name, listed in listing.items():
        video = found[name]
        frames, annotated = listed.expected(video)
        if len(video) != frames:
            return f'"{name}" has {len(video)} of {frames} frames'
        if not video.annotations:
            return f'"{name}" has no annotations, in layout "{video.layout}"'
        absent = [index for index in annotated if index not in video.annotations]
        if absent:
            return f'{len(absent)} of {len(annotated)} annotations of "{name}" are missing (frames {_some(absent)})'
    return ""


def _some(names: Sequence[object]) -> str:
    return ", ".join(str(name) for name in names[:5]) + (", …" if len(names) > 5 else "")
