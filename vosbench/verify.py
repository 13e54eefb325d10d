"""Hold a dataset on disk against its list: what is missing, extra, of the wrong size or encoding."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vosbench import images
from vosbench.dataset import Dataset, Listed
from vosbench.errors import DataError
from vosbench.video import Video


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes:
        level: ``"error"`` makes the dataset unfit, ``"note"`` does not.
        video: the sequence, or ``"*"``.
        message: what was asked and found.
    """

    level: Literal["error", "note"]
    video: str
    message: str


def verify(dataset: Dataset, root: Path, split: str, layout: str | None = None) -> Iterator[Finding]:
    """Check every sequence of a split: present, complete, readable, of one size and encoding.

    Yields:
        findings in list order, then of what is extra.

    Raises:
        DataError: where the root is not this dataset at all.
    """
    listing = dataset.listing(split)
    found = {video.name: video for video in dataset.videos(root, split, layout)}
    for name, listed in listing.items():
        if name in found:
            yield from _video(found[name], listed)
        else:
            yield Finding("error", name, "is missing")
    known = {name for each in dataset.splits for name in dataset.listing(each)}
    folders = {video.frames[0].parent.parent for video in found.values() if video.frames}
    extra = sorted(entry.name for folder in folders for entry in folder.iterdir() if entry.is_dir())
    strangers = [name for name in extra if name not in known]
    if strangers:
        yield Finding(
            "note", "*", f"{len(strangers)} more sequences that are not {dataset.title}: {', '.join(strangers)}"
        )


def _video(video: Video, listed: Listed) -> Iterator[Finding]:
    if len(video) != listed.frames:
        kind = "lacks" if len(video) < listed.frames else "exceeds"
        yield Finding("error", video.name, f"has {len(video)} frames, {kind} the {listed.frames} of the list")
    expected = set(range(listed.frames) if listed.annotated is None else listed.annotated)
    there = set(video.annotations)
    for what, indices in (("lacks", expected - there), ("has unlisted", there - expected)):
        if indices:
            shown = ", ".join(str(index) for index in sorted(indices)[:5]) + (", …" if len(indices) > 5 else "")
            yield Finding("error", video.name, f"{what} annotations of frames {shown}")
    sizes = {}
    for index, frame in enumerate(video.frames):
        try:
            sizes[index] = images.size(frame)
        except DataError as error:
            yield Finding("error", video.name, str(error))
    empty = 0
    for index, path in sorted(video.annotations.items()):
        try:
            mask = images.read_mask(path, video.codec)
        except DataError as error:
            yield Finding("error", video.name, str(error))
            continue
        empty += not mask.any()
        if index in sizes and mask.shape != sizes[index]:
            (height, width), (tall, wide) = mask.shape, sizes[index]
            yield Finding("error", video.name, f'annotation "{path.name}" is {width}×{height}, its frame {wide}×{tall}')
    if empty:
        yield Finding("error" if empty == len(there) else "note", video.name, f"{empty} annotations are empty")
