"""Save the output of the centre branch: a picture of every heat map, and a table of the centres of a video.

The folder of a video contains ``<frame's stem>.png``, the heat map on its own grid as 8-bit grey, and ``centres.csv``:
a line per candidate, highest first, as ``frame,x,y,score,chosen``, with (x, y) in pixels of the frame, pixel 0 centred
on 0. A frame without candidates has one line, the expected point, without a score.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vosbench.dataset import Video
from vosbench.errors import UsageError
from vosbench.images import write_map
from vosbench.method import FloatMap
from vosbench.methods.f2net.centre import Map, Points, find_peaks, to_pixels

TABLE = "centres.csv"
HEADER = ("frame", "x", "y", "score", "chosen")
RUN = "run.json"
"""A file that marks the folder of a run's maps."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """F2Net's output for a frame.

    Attributes:
        probability: of the foreground, (H, W) in [0, 1].
        heat: score of every cell as the object's centre, (h, w) in [0, 1].
        centre: the chosen centre, (2,) as (x, y) in pixels of the frame.
    """

    probability: FloatMap
    heat: Map
    centre: Points


def candidates(sighting: Sighting, count: int) -> tuple[Points, Points]:
    """The highest peaks of a frame's heat map, at most ``count``: (m, 2) pixels of the frame, and their (m,) scores."""
    cells, scores = find_peaks(sighting.heat, count)
    return to_pixels(cells, sighting.heat.shape, sighting.probability.shape), scores


def folder_of(option: str) -> Path | None:
    """The folder of the option; None if it is empty.

    Raises:
        UsageError: if it is a file.
    """
    if not option:
        return None
    folder = Path(option)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f'heat maps need a folder, but "{folder}" is a file')
    return folder


class Heatmaps:
    """Writes the heat maps and the centres of a video, frame by frame.

    A file's bytes depend only on the video: resuming keeps the lines of earlier frames and rewrites the later ones.

    Args:
        folder: of the video; created if missing.
        video: the video.
        start: the first frame to write.
        count: the most candidates to list per frame.

    Raises:
        UsageError: if the folder is in that of a run, whose maps would be overwritten.
    """

    def __init__(self, folder: Path, video: Video, start: int, count: int) -> None:
        if (folder.parent / RUN).exists():
            raise UsageError(f'"{folder.parent}" is for the maps of a run; heat maps need a folder of their own')
        self._folder = folder
        self._frames = video.frames
        self._next = start
        self._count = count
        folder.mkdir(parents=True, exist_ok=True)
        _cut(folder / TABLE, {frame.stem for frame in video.frames[:start]})

    def write(self, sighting: Sighting) -> None:
        """Write the heat map and the centres of the next frame."""
        stem = self._frames[self._next].stem
        write_map(self._folder / f"{stem}.png", sighting.heat)
        points, scores = candidates(sighting, self._count)
        lines: list[tuple[str, ...]] = [
            (stem, *_shown(point), f"{score:.6f}", f"{np.allclose(point, sighting.centre):d}")
            for point, score in zip(points, scores, strict=True)
        ]
        with (self._folder / TABLE).open("a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(lines or [(stem, *_shown(sighting.centre), "", "1")])
        self._next += 1


def _shown(point: Points) -> tuple[str, str]:
    return f"{point[0]:.2f}", f"{point[1]:.2f}"


def _cut(path: Path, kept: set[str]) -> None:
    """Keep the header and the lines of these frames, which come first; a killed run may have left more."""
    lines = path.read_text("utf-8").splitlines(keepends=True)[1:] if path.exists() else []
    whole = [line for line in lines if line.endswith("\n") and next(csv.reader([line]))[0] in kept]
    path.write_text("".join([",".join(HEADER) + "\n", *whole]), "utf-8")
