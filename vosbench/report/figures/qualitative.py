"""The qualitative figure of a paper: a row for each method, a column for each frame."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from vosbench.errors import DataError
from vosbench.evaluate.predictions import Predictions, settled
from vosbench.images import read_mask
from vosbench.images.overlay import tinted
from vosbench.images.recognition import Found, Look
from vosbench.metrics.arrays import Mask
from vosbench.report.figures.pictures import Picture, Spot, annotation_of, frame_of, grid, show
from vosbench.report.figures.style import Sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ANNOTATION = "annotation"


def qualitative(methods: Mapping[str, Predictions], shown: Sequence[Spot], sheet: Sheet) -> "Figure":
    """Masks over frames, the annotation first if any of the frames has one.

    Args:
        methods: label → its masks.
        shown: the frames, of one or several videos.
        sheet: how to draw.

    Raises:
        DataError: if a mask is missing, corrupt or of another size than its frame.
    """
    annotations = [annotation_of(*spot) for spot in shown]
    annotated = any(mask is not None for mask in annotations)
    labels = [*([ANNOTATION] if annotated else []), *methods]
    figure, axes = grid(sheet, shown, labels)
    frames = [frame_of(spot) for spot in shown]
    rows: list[Sequence[Mask | None]] = [annotations] if annotated else []
    rows += [_masks(label, masks, shown) for label, masks in methods.items()]
    for cells, masks in zip(axes, rows, strict=True):
        for cell, spot, frame, mask in zip(cells, shown, frames, masks, strict=True):
            show(cell, _over(frame, mask, spot), sheet.inches / len(shown))
    return figure


def _over(frame: Picture, mask: Mask | None, spot: Spot) -> Picture:
    if mask is None:
        return frame
    if mask.shape != frame.shape[:2]:
        name = spot[0].frames[spot[1]]
        raise DataError(f'a mask of "{name}" is {mask.shape[1]}×{mask.shape[0]}, but the frame has another size')
    return tinted(frame, mask)


def _masks(label: str, masks: Predictions, shown: Sequence[Spot]) -> list[Mask]:
    """The masks of the shown frames; their codec is recognised from all of these, unless it is known."""
    looks = {video: dict[Look, Found]() for video in masks.files}
    found = []
    for video, index in shown:
        if index not in masks.files.get(video.name, {}):
            raise DataError(f'"{label}" has no mask of frame {index} of "{video.name}"')
        with masks.opened(video.name) as reading:
            found.append(reading.read(index, read_mask))
            looks[video.name] |= reading.looks
    if masks.recognising:
        better, changed = settled(masks, {video: of for video, of in looks.items() if of})
        better = replace(better, recognising=False)
        if changed:
            return _masks(label, better, shown)
    return found
