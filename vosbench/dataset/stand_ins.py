"""Annotations without their frames: enough to score masks, if the dataset's list says which frames they are of.

Conventions:
    J, F and T compare masks with annotations only. A video without frames gets stand-ins, paths of files that do not
    exist: as many as the list says, numbered and named like the annotations.
    Annotations count only if all that are listed exist and their numbers differ from the listed positions by the same
    amount; nothing is guessed from some of them.
"""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from vosbench.dataset.dataset import Listed

LAST_NUMBER = re.compile(r"(\d+)\D*$")


def number(name: str) -> int:
    """The last number in a file's name without its suffix; −1 if there is none.

    >>> number("bear01_0020_gt.ppm"), number("mask.png")
    (20, -1)
    """
    match = LAST_NUMBER.search(name.rpartition(".")[0])
    return int(match[1]) if match else -1


def stand_ins(
    masks: Sequence[Path], listed: Listed, folder: Path, *, whole: bool, labelled_only: bool
) -> tuple[tuple[Path, ...], Mapping[int, Path]]:
    """Frames that annotations are of.

    Args:
        masks: the annotations, in order.
        listed: what the list says about the video.
        folder: of the frames, if they existed.
        whole: whether frames have the whole stem of their annotation, not only what ends in its last number.
        labelled_only: whether the annotations may be numbered without gaps, as in copies of the annotated frames.

    Returns:
        the frames, and frame index → annotation; both are empty if the list does not tell.
    """
    if listed.frames is None or not masks:
        return (), {}
    positions = tuple(range(listed.frames)) if listed.annotated is None else listed.annotated
    numbers = [number(path.name) for path in masks]
    if min(numbers) < 0 or len(masks) != len(positions):
        return (), {}
    count = listed.frames
    if labelled_only and numbers == list(range(numbers[0], numbers[0] + len(masks))):
        positions, count = tuple(range(len(masks))), len(masks)
    first = numbers[0] - positions[0]
    if first < 0 or any(found - position != first for found, position in zip(numbers, positions, strict=True)):
        return (), {}
    match = LAST_NUMBER.search(masks[0].stem)
    assert match is not None
    before, width, after = masks[0].stem[: match.start(1)], len(match[1]), masks[0].stem[match.end(1) :]
    names = (f"{before}{index:0{width}d}{after if whole else ''}.jpg" for index in range(first, first + count))
    return tuple(folder / name for name in names), dict(zip(positions, masks, strict=True))


def markers_of_annotations(markers: Sequence[str], frames: str, annotations: str) -> tuple[str, ...]:
    """The markers of a layout whose frames are missing: those that are not the frames', and the annotations' folders.

    Args:
        markers: of the layout.
        frames: where its frames are.
        annotations: where its annotations are.

    Returns:
        patterns; none if annotations are not sorted by video.

    >>> markers_of_annotations(("ImageSets", "JPEGImages"), "JPEGImages/{video}", "Annotations/{video}")
    ('ImageSets', 'Annotations/*')
    """
    if "{video}" not in annotations:
        return ()
    own = [option.rpartition("/")[0] if "{frame}" in option else option for option in annotations.split("|")]
    return (*(each for each in markers if not _leads_to(each, frames)), "|".join(own).replace("{video}", "*"))


def _leads_to(marker: str, place: str) -> bool:
    """Whether a marker is a folder on the way to a place."""
    return any(
        len(folders) <= len(parts) and all(map(fnmatchcase, folders, parts))
        for folders in (option.lower().split("/") for option in marker.split("|"))
        for parts in (option.replace("{video}", "*").lower().split("/") for option in place.split("|"))
    )
