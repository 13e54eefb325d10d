"""The boxes of MoCA, in a table of the VGG Image Annotator (VIA).

Conventions:
    A row has a file, ``/<video>/<number>.jpg``; a rectangle ``[2, x, y, width, height]``, or ``[]``; and a kind of
    motion, ``{"1": "0"}``, "0" for locomotion, "1" for deformation, "2" for static. A row without a motion has that of
    the row before it, in the order of file names. Lines before the heading are comments.
    A box that begins left of or above the frame is moved into it and keeps its width and height, as in the evaluation
    of Motion Grouping (Yang et al., ICCV 2021).
"""

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vosbench.dataset import Video
from vosbench.errors import DataError
from vosbench.images import Box
from vosbench.metrics.measures import MOTIONS

FILE = re.compile(r"([^/\"\[\]]+)/(\d+)\.\w+")
MOTION = re.compile(r"[\"']1[\"']\s*:\s*[\"']([012])[\"']")
RECTANGLE = 2
HEADING = ("file_list", "spatial_coordinates", "metadata")


@dataclass(frozen=True, slots=True)
class Entry:
    """A box: its upper left corner, width and height in pixels; the kind of motion; and the table that lists it."""

    rectangle: tuple[float, float, float, float]
    motion: str
    source: Path


def read_boxes(path: Path) -> Mapping[str, Mapping[int, Entry]]:
    """Read a table: video → number of a frame → box.

    Raises:
        DataError: if it cannot be read; the message names the file of the row.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f'the boxes "{path}" cannot be read: {error}') from None
    start = next((index for index, cells in enumerate(lines) if HEADING[0] in cells), None)
    if start is None:
        raise DataError(f'"{path}" has no column "{HEADING[0]}"; it is not a table of boxes')
    columns = [next((place for place, cell in enumerate(lines[start]) if cell == name), -1) for name in HEADING]
    if -1 in columns:
        raise DataError(f'"{path}" has no column "{HEADING[columns.index(-1)]}"')
    rows = [tuple(cells[place] for place in columns) for cells in lines[start + 1 :] if len(cells) > max(columns)]
    boxes: dict[str, dict[int, Entry]] = {}
    motion = ""
    for name, shape, stated in sorted(rows):
        file_name, rectangle = FILE.search(name), _rectangle(shape, name, path)
        if file_name is None:
            raise DataError(f'"{path}" names the file "{name}"; it should be /<video>/<number>.jpg')
        if rectangle is None:
            continue
        kind = MOTION.search(stated)
        motion = MOTIONS[int(kind[1])] if kind else motion
        boxes.setdefault(file_name[1], {})[int(file_name[2])] = Entry(rectangle, motion, path)
    return boxes


def _rectangle(shape: str, name: str, path: Path) -> tuple[float, float, float, float] | None:
    try:
        values = [float(value) for value in json.loads(shape)]
    except (ValueError, TypeError):
        values = [0.0]
    if not values:
        return None
    if len(values) != 5 or values[0] != RECTANGLE:
        raise DataError(f'"{path}" has the box {shape} of "{name}"; it should be [2, x, y, width, height]')
    return values[1], values[2], values[3], values[4]


def with_boxes(video: Video, boxes: Mapping[int, Entry], *, between: bool) -> Video:
    """A video with boxes as annotations.

    Args:
        video: its frames are numbered like the boxes.
        boxes: number of a frame → box.
        between: whether frames up to the last one with a box have one too, interpolated linearly, with the motion of
            the box before.
    """
    place = {int(frame.stem): t for t, frame in enumerate(video.frames) if frame.stem.isdigit()}
    known = _between(boxes) if between else boxes
    found = {place[number]: entry for number, entry in sorted(known.items()) if number in place}
    return replace(video, annotations={t: _box(entry, video.frames[t]) for t, entry in found.items()})


def _between(boxes: Mapping[int, Entry]) -> dict[int, Entry]:
    """A box for every number up to the last."""
    numbers = sorted(boxes)
    if not numbers:
        return {}
    whole = range(numbers[-1] + 1)
    sides = [np.interp(whole, numbers, [boxes[number].rectangle[side] for number in numbers]) for side in range(4)]
    found = {}
    for number in whole:
        before = max((known for known in numbers if known <= number), default=numbers[0])
        x, y, width, height = (float(side[number]) for side in sides)
        found[number] = replace(boxes[before], rectangle=(x, y, width, height))
    return found


def _box(entry: Entry, frame: Path) -> Box:
    x, y, width, height = entry.rectangle
    left, top = max(x, 0.0), max(y, 0.0)
    return Box(entry.source, frame, left, top, left + width, top + height, entry.motion)
