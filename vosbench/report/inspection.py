"""What a submission contains, as scoring would read it: a summary, and a contact sheet."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vosbench.dataset import Video
from vosbench.dataset.selection import Selection
from vosbench.errors import DataError, counted, printable
from vosbench.evaluate import score as scoring
from vosbench.evaluate.containers import whole_name
from vosbench.evaluate.inspection import Inspected, Suspicion, inspect_video, suspicions
from vosbench.evaluate.notes import readings
from vosbench.evaluate.numbering import Numbering
from vosbench.evaluate.predictions import Predictions
from vosbench.images import overlay, read_frame
from vosbench.images.files import read_mask
from vosbench.images.overlay import Frame
from vosbench.images.recognition import Look
from vosbench.images.sheets import framed, grid, inscribed, resized, to_height
from vosbench.report.table import Table, render

HEIGHT = 120
"""Rows of a picture of the contact sheet."""
ACROSS = 6
"""Pictures in a row of the contact sheet."""
WARNING = (213, 94, 0)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Inspection:
    """What a submission contains; prints as a summary.

    Attributes:
        selection: the videos and the protocol.
        masks: how scoring reads them.
        videos: the masks of each video.
        suspicions: the masks that most deserve a look.
    """

    selection: Selection
    masks: Predictions
    videos: Sequence[Inspected]
    suspicions: Sequence[Suspicion]

    @property
    def problem(self) -> str:
        """Why scoring would refuse the masks; empty if it would not."""
        found = [seen.problem for video in self.videos for seen in video.masks if seen.problem and seen.scored]
        if not found:
            return ""
        return found[0] if len(found) == 1 else f"{found[0]} (and {counted(len(found) - 1, 'more such mask')})"

    @property
    def notes(self) -> list[str]:
        """How scoring reads the masks, and what is missing, a line each."""
        lines = [*readings(self.masks), *self.masks.notes]
        absent = [f"{video.video}/{index}" for video in self.videos for index in video.missing]
        if absent:
            several = "is" if len(absent) == 1 else "are"
            what = f"{counted(len(absent), 'scored frame')} {several} without a mask, such as {absent[0]}"
            lines.append(f"{what}: the videos have no scores, and the dataset no mean")
        return [printable(line) for line in lines]

    def table(self) -> Table:
        """A row for each video."""
        rows = [
            (
                video.video,
                f"{len(video.masks)} of {video.frames}",
                ", ".join(f"{width}×{height}" for height, width in video.sizes) or None,
                _encodings(video),
                self.masks.codecs.get(video.video),
                _coverage(video),
                float(len(video.empty)),
                float(len(video.full)),
                float(len(video.missing)),
            )
            for video in self.videos
        ]
        columns = ("video", "masks", "size", "stored as", "read as", "coverage", "empty", "full", "missing")
        return Table(columns=columns, rows=rows, digits=0)

    def __repr__(self) -> str:
        """The summary."""
        selection = self.selection
        found = sum(len(video.masks) for video in self.videos)
        what = f"{counted(found, 'mask')} of {counted(len(self.videos), 'video')}"
        where = f"{selection.dataset.name} {selection.split}, protocol {selection.protocol.name}"
        title = f'"{whole_name(self.masks.origin)}": {what} of {where}'
        lines = [title, "", render(self.table(), "table").rstrip("\n"), "", *self.notes]
        if self.suspicions:
            lines += ["", "look at:"]
            lines += [f"  {each.video} {each.index}: {each.reason}" for each in self.suspicions]
        else:
            lines += ["nothing is suspicious"]
        if self.problem:
            lines += ["", f"scoring would refuse these masks: {self.problem}"]
        return "\n".join(printable(line) for text in lines for line in text.split("\n"))


def _coverage(video: Inspected) -> str | None:
    """The least, the middle and the largest coverage."""
    values = [seen.coverage for seen in video.masks if not seen.problem]
    if not values:
        return None
    low, middle, high = np.quantile(values, (0, 0.5, 1)).tolist()
    return f"{low:.1%} – {middle:.1%} – {high:.1%}"


def _encodings(video: Inspected) -> str | None:
    """The encodings of the files, such as ``L 0 255``; None if the codec was given, and nobody looked."""
    names: dict[str, int] = {}
    for looks in (video.looks, video.others):
        for look, found in looks.items():
            names[_encoding(look)] = names.get(_encoding(look), 0) + found.times
    ordered = sorted(names, key=lambda name: -names[name])
    return "; ".join(ordered[:2]) + ("; …" if len(ordered) > 2 else "") or None


def _encoding(look: Look) -> str:
    name = f"JPEG {look.mode}" if look.lossy else look.mode
    if look.values is None:
        return f"{name} {look.low}…{look.high}"
    if look.mode == "RGB":
        return f"{name} of {counted(len(look.values), 'colour')}"
    return f"{name} {' '.join(map(str, look.values[:4]))}{' …' if len(look.values) > 4 else ''}"


@contextmanager
def inspected(
    origin: Path,
    selection: Selection,
    *,
    codec: str | None = None,
    numbering: Numbering = "auto",
    jobs: int = 1,
    advance: Callable[[int], None] = lambda _: None,
) -> Iterator[Inspection]:
    """Look at masks, which can be read inside the block; arguments are those of `vosbench.evaluate.score.measured`.

    Raises:
        DataError: if there are no masks of these videos, or they do not tell their codec.
    """
    with scoring.measured(
        inspect_video,
        origin,
        selection,
        codec=codec,
        numbering=numbering,
        jobs=jobs,
        advance=advance,
        annotated=False,
    ) as (masks, videos):
        yield Inspection(selection, masks, videos, suspicions(videos))


def contact_sheet(found: Inspection) -> Frame:
    """The most suspicious masks, framed, then some of each video in the order of time."""
    videos = {video.name: video for video in found.selection.videos}
    pictures = []
    for each in found.suspicions:
        picture = _picture(found, videos[each.video], each.index)
        pictures.append(framed(inscribed(picture, f"{each.video} {each.index}"), WARNING))
    blank = np.full((HEIGHT, HEIGHT, 3), 255, np.uint8)
    pictures += [blank] * (-len(pictures) % ACROSS)
    for video in found.videos:
        readable = [seen.index for seen in video.masks if not seen.problem]
        chosen = [readable[round(at)] for at in np.linspace(0, len(readable) - 1, min(ACROSS, len(readable)))]
        pictures += [
            inscribed(_picture(found, videos[video.video], index), f"{video.video} {index}") for index in chosen
        ]
        pictures += [blank] * (-len(pictures) % ACROSS)
    return grid(pictures or [blank], ACROSS)


def _picture(found: Inspection, video: Video, index: int) -> Frame:
    """A small picture of a mask over its frame, or on black; of the frame alone if the mask is not read."""
    mask = None
    try:
        with found.masks.opened(video.name) as reading:
            mask = reading.read(index, read_mask)
    except DataError:
        mask = None
    if video.frameless:
        frame = np.zeros((*(mask.shape if mask is not None else (HEIGHT, HEIGHT)), 3), np.uint8)
    else:
        frame = read_frame(video.frames[index])
    small = to_height(frame, HEIGHT)
    if mask is None:
        return small
    size = (small.shape[0], small.shape[1])
    spread = resized(np.repeat((mask * np.uint8(255))[..., None], 3, axis=2), size)[..., 0] > 127
    return overlay.tinted(small, spread)
