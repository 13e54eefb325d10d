"""Check a dataset on disk against its list: what is missing, extra, or of the wrong size or encoding."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from vosbench.dataset.dataset import Dataset, Listed
from vosbench.dataset.fingerprint import Content
from vosbench.dataset.video import Video
from vosbench.errors import DataError
from vosbench.files import combined, hidden
from vosbench.images import paths_of, read_annotation, read_frame

INVERTED = 0.9  # share of foreground above which masks look inverted


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Attributes:
        level: ``"error"`` makes the dataset unusable, ``"note"`` does not.
        video: the sequence, or ``"*"``.
        message: what was expected and what was found.
    """

    level: Literal["error", "note"]
    video: str
    message: str


@dataclass(slots=True)
class Report:
    """The result of checking a split.

    Attributes:
        layout: the recognised folder layout.
        findings: in list order.
        annotations: SHA-256 of the annotations that the dataset's first protocol scores, as in records.
        listed: number of listed sequences.
        complete: how many of them exist and have no errors.
    """

    layout: str = ""
    findings: list[Finding] = field(default_factory=list)
    annotations: str = ""
    listed: int = 0
    complete: int = 0

    @property
    def errors(self) -> list[Finding]:
        """The findings that make the dataset unusable."""
        return [finding for finding in self.findings if finding.level == "error"]


def verify(dataset: Dataset, root: Path, split: str, layout: str | None = None) -> Report:
    """Check that every sequence of a split is complete, readable and of one size and encoding.

    Raises:
        DataError: if the root is not this dataset.
    """
    found = {video.name: video for video in dataset.videos(root, split, layout)}
    listing = dataset.listed(split, found)
    known = {name for part in dataset.splits for name in (listing if part == split else dataset.listing(part))}
    strangers = _strangers(list(found.values()), known)
    if not found:
        raise DataError(f'"{root}" contains none of the {len(listing)} sequences of {dataset.title} {split}')
    report = Report(layout=next(iter(found.values())).layout, listed=len(listing))
    if any(video.frameless for video in found.values()):
        report.findings.append(Finding("error", "*", "has no frames: its annotations can be scored, but nothing else"))
    contents = []
    for name, listed in listing.items():
        if name not in found:
            report.findings.append(Finding("error", name, "is missing"))
            continue
        content = Content(name)
        findings = list(_video(found[name], listed, dataset.protocols[0].scored(found[name]), content))
        report.findings += findings
        report.complete += not any(finding.level == "error" for finding in findings) and not found[name].frameless
        contents.append(content.hexdigest())
    report.annotations = combined(contents)
    if strangers:
        message = f"{len(strangers)} sequences are not part of {dataset.title}: {', '.join(strangers)}"
        report.findings.append(Finding("note", "*", message))
    return report


def _strangers(videos: Sequence[Video], known: set[str]) -> list[str]:
    """Folders of unlisted sequences, if folders are named after videos."""
    files = [
        paths_of(next(iter(video.annotations.values())))[0] if video.frameless else video.frames[0] for video in videos
    ]
    folders = {path.parent for video, path in zip(videos, files, strict=True) if path.parent.name == video.name}
    parents = {folder.parent for folder in folders}
    names = {entry.name for parent in parents for entry in parent.iterdir() if entry.is_dir()}
    names -= known | {folder.name for folder in folders}
    return sorted(name for name in names if not hidden(name))


def _video(video: Video, listed: Listed, scored: Sequence[int], content: Content) -> Iterator[Finding]:
    yield from _counts(video, listed)
    sizes: dict[int, tuple[int, int]] = {}
    damaged: list[str] = []
    for index, frame in enumerate(() if video.frameless else video.frames):
        try:
            sizes[index] = read_frame(frame).shape[:2]
        except DataError as error:
            damaged.append(str(error))
    if damaged:
        yield Finding("error", video.name, f"{len(damaged)} of {len(video)} frames cannot be read: {damaged[0]}")
    empty, covered, pixels = 0, 0, 0
    for index, annotation in sorted(video.annotations.items()):
        try:
            mask = read_annotation(annotation, video.codec)
        except DataError as error:
            yield Finding("error", video.name, str(error))
            continue
        if index in scored:
            content.add(index, mask, annotation)
        empty += not mask.any()
        covered, pixels = covered + mask.count(), pixels + mask.height * mask.width
        if mask.shape != sizes.get(index, mask.shape):
            (height, width), (tall, wide) = mask.shape, sizes[index]
            message = f'annotation "{paths_of(annotation)[0].name}" is {width}×{height}, its frame {wide}×{tall}'
            yield Finding("note" if _same_shape(mask.shape, sizes[index]) else "error", video.name, message)
    if empty:
        level: Literal["error", "note"] = "error" if empty == len(video.annotations) else "note"
        yield Finding(level, video.name, f"{empty} annotations are empty")
    if pixels and covered / pixels > INVERTED:
        yield Finding("error", video.name, f"{covered / pixels:.0%} is foreground: the masks look inverted")


def _counts(video: Video, listed: Listed) -> Iterator[Finding]:
    frames, annotated = listed.expected(video)
    if len(video) != frames:
        yield Finding("error", video.name, f"has {len(video)} frames; the list says {frames}")
    if listed.labels not in {None, len(video.annotations)}:
        yield Finding("error", video.name, f"has {len(video.annotations)} annotations; the list says {listed.labels}")
    present, expected = set(video.annotations), set(annotated)
    for what, indices in (("is missing", expected - present), ("has unlisted", present - expected)):
        if indices:
            shown = ", ".join(str(index) for index in sorted(indices)[:5]) + (", …" if len(indices) > 5 else "")
            yield Finding("error", video.name, f"{what} annotations of frames {shown}")


def _same_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether one size is the other scaled, to within a pixel, such as labels at half the size of their frames."""
    return abs(one[0] * other[1] - one[1] * other[0]) <= max(*one, *other)
