"""Frames in figures: which are shown, how large, and how they lie in a grid."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vosbench.dataset import Video
from vosbench.errors import UsageError
from vosbench.images import read_annotation, read_frame, size
from vosbench.metrics.arrays import Mask
from vosbench.metrics.packed import unpack
from vosbench.report.figures.style import Sheet, legible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Picture = NDArray[np.uint8]
Spot = tuple[Video, int]
"""A video and the index of one of its frames."""
PIXELS_PER_INCH = 220
"""Resolution of frames in a figure; more would make files large and nothing clearer."""
EVERY = "every:"


def spots(videos: Sequence[Video], asked: str, usual: int) -> list[Spot]:
    """The frames that are shown.

    Args:
        videos: each is shown.
        asked: frame numbers from 0, such as ``"0,12,40"``, or ``"every:10"``, of each video; evenly spread if empty.
        usual: how many are spread over a video.

    Raises:
        UsageError: if it is neither, or a video has no such frame.

    >>> from pathlib import Path
    >>> video = Video(name="cow", frames=tuple(map(Path, "abcdefghi")))
    >>> [index for _, index in spots([video], "", 3)], [index for _, index in spots([video], "every:4", 3)]
    ([0, 4, 8], [0, 4, 8])
    """
    found: list[Spot] = []
    for video in videos:
        if not asked:
            indices = sorted({round(at) for at in np.linspace(0, len(video) - 1, usual)})
        elif asked.startswith(EVERY):
            indices = list(range(0, len(video), _number(asked.removeprefix(EVERY), asked, 1)))
        else:
            indices = [_number(word, asked, 0) for word in asked.split(",")]
        beyond = next((index for index in indices if index >= len(video)), None)
        if beyond is not None:
            raise UsageError(f'"{video.name}" has no frame {beyond}; its frames are 0 to {len(video) - 1}')
        found += [(video, index) for index in indices]
    return found


def _number(word: str, asked: str, least: int) -> int:
    if not word.strip().isdecimal() or int(word) < least:
        raise UsageError(f'"{asked}" names no frames; write numbers from 0, such as 0,12,40, or every:10')
    return int(word)


def annotation_of(video: Video, index: int) -> Mask | None:
    """The annotated foreground of a frame, (H, W) bool; None if the frame is not annotated."""
    annotation = video.annotations.get(index)
    return None if annotation is None else unpack(read_annotation(annotation, video.codec))


def grid(
    sheet: Sheet, shown: Sequence[Spot], rows: Sequence[str], more: float = 0.0
) -> "tuple[Figure, list[list[Axes]]]":
    """Axes for pictures: a column for each frame, with its number above, and a labelled row for each method.

    The name of a video is above its first frame.

    Args:
        sheet: how to draw.
        shown: the frames.
        rows: labels; may be empty text.
        more: inches next to the pictures, such as of a colour bar.
    """
    heights, widths = zip(*(size(video.frames[index]) for video, index in shown), strict=True)
    labels = 0.16 if any(rows) else 0.0
    cell = (sheet.inches - labels - more) / len(shown)
    tallest = max(height / width for height, width in zip(heights, widths, strict=True))
    figure, axes = sheet.new(len(rows) * cell * tallest + 0.2, len(rows), len(shown))
    figure.set_layout_engine("constrained", w_pad=0.012, h_pad=0.012, wspace=0, hspace=0)
    for row, label in zip(axes, rows, strict=True):
        for one in row:
            one.set_xticks([])
            one.set_yticks([])
            one.grid(visible=False)
            one.spines[:].set_visible(False)
        row[0].set_ylabel(legible(label), fontsize=sheet.small, labelpad=2)
    before = ""
    for (video, index), one in zip(shown, axes[0], strict=True):
        title = str(index) if video.name == before else f"{video.name} {index}"
        fitting = int(cell * 72 / (sheet.small * 0.56))
        short = title if len(title) <= fitting else f"{video.name[: fitting - 5]}… {index}"
        one.set_title(legible(short), fontsize=sheet.small, pad=2)
        before = video.name
    return figure, axes


def frame_of(spot: Spot) -> Picture:
    """The frame, (H, W, 3) uint8."""
    video, index = spot
    return read_frame(video.frames[index])


def dimmed(frame: Picture) -> Picture:
    """A frame in pale grey, (H, W, 3), for colours on top of it."""
    grey = frame.mean(axis=2) * 0.75 + 40
    return np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)


def show(axes: "Axes", picture: Picture, inches: float) -> None:
    """Show a picture, in no more pixels than a figure of that width needs; axes keep the pixels of the picture."""
    import cv2

    height, width = picture.shape[:2]
    wanted = max(int(inches * PIXELS_PER_INCH), 16)
    small = picture
    if width > wanted:
        small = cv2.resize(picture, (wanted, max(round(height * wanted / width), 1)), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    axes.imshow(small, extent=(-0.5, width - 0.5, height - 0.5, -0.5), interpolation="antialiased")
