"""Select the split, the videos and the protocol of an evaluation."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

from vosbench import __version__
from vosbench.dataset.dataset import Dataset, Listed
from vosbench.dataset.protocol import DatasetProtocol
from vosbench.dataset.roots import find_root
from vosbench.dataset.shapes import STILLS
from vosbench.dataset.video import Video
from vosbench.errors import DataError, UsageError, counted
from vosbench.files import combined
from vosbench.images.codecs import codec, is_grey
from vosbench.metrics.measures import Family

LONGEST = 80
"""Bytes of what sets a selection apart in names of files; if it is longer, a hash of it takes its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the user asks for; None means the dataset's default.

    Attributes:
        root: the dataset's folder.
        split: one of its splits.
        layout: one of its layouts.
        protocol: the name of one of its protocols, or any protocol.
        videos: names of videos, in any order; the whole split if empty.
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
        videos: the chosen videos, cut after ``limit`` frames.
        whole: the same with all their frames, if they are cut.
        listing: the dataset's list of all videos of the split.
        limit: frames of each video, or None for all.
        unannotated: video → listed frames (0-based) without an annotation, of chosen videos that have such frames.
    """

    dataset: Dataset
    split: str
    protocol: DatasetProtocol
    videos: tuple[Video, ...]
    listing: Mapping[str, Listed]
    limit: int | None
    unannotated: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    whole: tuple[Video, ...] = ()

    @property
    def chosen(self) -> Mapping[str, Listed]:
        """The dataset's list of the chosen videos, over which all means are taken."""
        names = {video.name for video in self.videos}
        return {name: listed for name, listed in self.listing.items() if name in names}

    @property
    def annotated(self) -> bool:
        """Whether anything can be scored: the annotations of some splits are not public."""
        return any(video.annotations for video in self.videos)

    @property
    def split_size(self) -> int | None:
        """The number of videos of the split if only some of them are chosen; None if all are."""
        return len(self.listing) if len(self.chosen) < len(self.listing) else None

    def signature(self) -> str:
        """The protocol's signature, preceded by what differs from the default: limit, split, videos, annotations."""
        line = self.protocol.signature(__version__)
        if self.unannotated:
            annotated = sum(len(video.annotations) for video in self.videos)
            line = f"annotated:{annotated}of{annotated + sum(map(len, self.unannotated.values()))}|{line}"
        if self.split_size is not None:
            line = f"videos:{len(self.videos)}of{self.split_size}|{line}"
        if self.split != self.dataset.splits[0]:
            line = f"split:{self.split}|{line}"
        return line if self.limit is None else f"limit:{self.limit}|{line}"

    @property
    def frames_apart(self) -> str:
        """The part of `apart` that maps depend on: split and limit."""
        split = "" if self.split == self.dataset.splits[0] else f"+{_safe(self.split)}"
        return split if self.limit is None else f"{split}+limit{self.limit}"

    @property
    def apart(self) -> str:
        """What sets the selection apart from the dataset's defaults, for names of files; empty if nothing does.

        Selections with different signatures, or of different videos, have different ones.
        """
        protocol, usual = self.protocol, self.dataset.protocols[0]
        whole = next((known for known in self.dataset.protocols if known.name == protocol.name), protocol)
        parts = [] if protocol.name == usual.name else [f"@{_safe(protocol.name)}"]
        known = replace(protocol, measures=(), families=(), about="") == replace(
            whole, measures=(), families=(), about=""
        )
        if not known or whole not in self.dataset.protocols:
            parts = [f"@{_safe(protocol.name)}-{_digest([protocol.signature('')])}"]
        parts.append(self.frames_apart)
        if self.split_size is not None:
            parts.append(f"+{counted(len(self.videos), 'video').replace(' ', '')}-{_digest(sorted(self.chosen))}")
        if self.unannotated:
            absent = [f"{name}/{t}" for name, frames in sorted(self.unannotated.items()) for t in frames]
            parts.append(f"+without{counted(len(absent), 'annotation').replace(' ', '')}-{_digest(absent)}")
        if protocol.measures != whole.measures:
            names = "-".join(map(_safe, protocol.measures))
            short = f"{len(protocol.measures)}measures-{_digest(protocol.measures)}"
            parts.append(f"+{names if len(names) <= len(short) + 8 else short}")
        apart = "".join(parts)
        return apart if len(apart.encode()) <= LONGEST else f"+{_digest(parts)}"

    def notes(self) -> list[str]:
        """What a reader of the scores should know about the videos, a line each."""
        found = self._notes_on_folder()
        annotations = {video.name: len(video.annotations) for video in self.videos}
        for name, absent in self.unannotated.items():
            found.append(
                f'"{name}" has {annotations[name]} of {annotations[name] + len(absent)} annotations; only these are '
                "used, so the scores are not for a leaderboard"
            )
            if "T" in self.protocol.measures and self.protocol.t_first == "gt" and 0 in absent:
                found.append(f'T of "{name}" starts with its first two scored masks, since frame 0 has no annotation')
        apart = [video.name for video in self.videos if not _has_pairs(self.protocol.scored(video))]
        if "T" in self.protocol.measures and 0 < len(apart) < len(self.videos):
            found.append(
                f"T leaves out {counted(len(apart), 'video')} without two consecutive scored frames, such as "
                f'"{apart[0]}"'
            )
        if "T" in self.protocol.measures and not any(listed.stable for listed in self.chosen.values()):
            found.append("T has no mean: it is averaged over stable videos, and none of the chosen ones is")
        if "meanF" in self.protocol.measures:
            found.append(
                "meanF averages 256 thresholds, and every pixel passes the lowest: perfect masks have 0.997, not 1"
            )
        return found

    def _notes_on_folder(self) -> list[str]:
        """How a dataset that is a folder was read."""
        if self.dataset.root is None or not self.videos:
            return []
        read = [f'"{name}" ({codec(name).meaning})' for name in sorted({video.codec for video in self.videos})]
        number = counted(len(self.videos), "video")
        if self.videos[0].layout == STILLS:
            number = counted(len(self.videos), "still image")
        read_as = f'layout "{self.videos[0].layout}", {number}; its annotations as {" and ".join(read)}'
        return [f'"{self.dataset.root}" is read in {read_as}']


def select(dataset: Dataset, choice: Choice, families: Mapping[str, Family] = MappingProxyType({})) -> Selection:
    """Find the chosen videos and check that they are complete.

    Annotations may only be missing from videos that are chosen by name; see `Selection.unannotated`.

    Args:
        dataset: the dataset.
        choice: the videos and measures.
        families: name → family of measures that the choice may add.

    Raises:
        UsageError: if a split, protocol or video name is unknown, or the root is not found.
        DataError: if the root is not the dataset, or chosen videos are missing or incomplete.
    """
    if isinstance(choice.protocol, DatasetProtocol):
        protocol = choice.protocol
    else:
        names = {protocol.name: protocol for protocol in dataset.protocols}
        asked = choice.protocol or usual_protocol(dataset, choice.split).name
        protocol = names[_one_of(asked, tuple(names), f"{dataset.name} has no protocol")]
    split = split_of(dataset, choice.split, protocol)
    if choice.measures:
        protocol = protocol.only(choice.measures, families)
    if choice.limit is not None and choice.limit < 1:
        raise UsageError(f"the limit must be at least 1 frame, not {choice.limit}")
    root = find_root(dataset, choice.root)
    found = {video.name: _read_as(video, protocol) for video in dataset.videos(root, split, choice.layout)}
    listing = dataset.listed(split, found)
    if not found and dataset.root is not None:
        raise DataError(f'"{root}" contains no videos')
    for name in choice.videos:
        if name not in listing:
            known = ", ".join(listing) if len(listing) < 100 else _some(tuple(listing))
            raise UsageError(f'{dataset.name} {split} has no video "{name}"; available: {known}')
    chosen = {name: listed for name, listed in listing.items() if not choice.videos or name in choice.videos}
    problem = _incomplete(found, chosen, protocol, partly=bool(choice.videos))
    if problem:
        raise DataError(f'{dataset.title} {split} in "{root}" is incomplete: {problem}; run: vosbench verify')
    videos = [found[name] if choice.limit is None else found[name].first(choice.limit) for name in chosen]
    if "T" in choice.measures and not any(_has_pairs(protocol.scored(video)) for video in videos):
        raise UsageError(
            f"T compares masks of consecutive frames, but {dataset.title} has no two consecutive frames that protocol "
            f'"{protocol.name}" scores; leave T out of --measures'
        )
    absent = {video.name: [t for t in _unannotated(found[video.name], listing) if t < len(video)] for video in videos}
    return Selection(
        dataset=dataset,
        split=split,
        protocol=protocol,
        videos=tuple(videos),
        listing=listing,
        limit=choice.limit,
        whole=() if choice.limit is None else tuple(found[name] for name in chosen),
        unannotated={name: tuple(frames) for name, frames in absent.items() if frames},
    )


def _has_pairs(frames: Sequence[int]) -> bool:
    return any(after == before + 1 for before, after in pairwise(frames))


def _safe(name: str) -> str:
    """A name as a part of a file's name; others than ours may contain anything."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", name)
    return safe if safe == name else f"{safe[:20]}-{_digest([name])}"


def _digest(names: Iterable[str]) -> str:
    return combined(names)[:8]


def with_frames(selection: Selection) -> Selection:
    """The selection, for whoever reads frames.

    Raises:
        DataError: if it has only annotations, which suffice for scoring.
    """
    missing = next((video.frames[0] for video in selection.videos if video.frameless), None)
    if missing is not None:
        raise DataError(
            f'{selection.dataset.title} {selection.split} has annotations but no frames, such as "{missing}"; '
            "they suffice for scoring, but a method needs frames: copy them too"
        )
    return selection


def _read_as(video: Video, protocol: DatasetProtocol) -> Video:
    """A video whose annotations of grey levels are read with the protocol's level, if it has one."""
    if protocol.annotations_above is None or not is_grey(video.codec):
        return video
    return replace(video, codec=f"above:{protocol.annotations_above}")


def with_annotations(selection: Selection) -> Selection:
    """The selection, for whoever scores.

    Raises:
        DataError: if no frame is annotated, as in splits whose annotations are not public.
    """
    if not selection.annotated:
        raise DataError(
            f"{selection.dataset.title} {selection.split} has no public annotations, so masks of it cannot be scored "
            "here; see the dataset's card"
        )
    return selection


def split_of(dataset: Dataset, asked: str | None, protocol: DatasetProtocol | None = None) -> str:
    """The requested split, by default the one that papers report, under a protocol if it is given.

    Raises:
        UsageError: if the dataset has no such split.
    """
    usual = protocol.split if protocol is not None else None
    return _one_of(asked or usual, dataset.splits, f"{dataset.name} has no split")


def usual_protocol(dataset: Dataset, split: str | None) -> DatasetProtocol:
    """The protocol if none is requested: the first, or the first that is reported on the requested split."""
    reported = [protocol for protocol in dataset.protocols if split is not None and protocol.split == split]
    return [*reported, *dataset.protocols][0]


def _one_of(asked: str | None, known: Sequence[str], problem: str) -> str:
    if asked is None:
        return known[0]
    if asked not in known:
        raise UsageError(f'{problem} "{asked}"; available: {", ".join(known)}')
    return asked


def _incomplete(
    found: Mapping[str, Video], listing: Mapping[str, Listed], protocol: DatasetProtocol, *, partly: bool
) -> str:
    """What is missing; not single annotations if videos may be partly annotated, unless no frame can be scored."""
    missing = [name for name in listing if name not in found]
    if missing:
        return f"{len(missing)} of {len(listing)} videos are missing ({_some(missing)})"
    for name, listed in listing.items():
        video = found[name]
        frames, annotated = listed.expected(video)
        if len(video) != frames:
            return f'"{name}" has {len(video)} of {frames} frames'
        if not video.annotations and listed.annotated != ():
            return f'"{name}" has no annotations, in layout "{video.layout}"'
        if listed.labels not in {None, len(video.annotations)}:
            return f'"{name}" has {len(video.annotations)} of {listed.labels} annotations'
        absent = _unannotated(video, listing)
        if absent and not (partly and protocol.scored(video)):
            reason = f', and protocol "{protocol.name}" scores none of the others' if partly else ""
            line = f'{len(absent)} of {len(annotated)} annotations of "{name}" are missing (frames {_some(absent)})'
            return line + reason
    return ""


def _unannotated(video: Video, listing: Mapping[str, Listed]) -> list[int]:
    """The listed frames of a video that have no annotation."""
    return [index for index in listing[video.name].expected(video)[1] if index not in video.annotations]


def _some(names: Sequence[object]) -> str:
    return ", ".join(str(name) for name in names[:5]) + (", …" if len(names) > 5 else "")
