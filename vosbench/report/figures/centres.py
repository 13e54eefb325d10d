"""Centres of objects, from heat maps that a network has kept: F2Net's Figure 6 (Liu et al., AAAI 2021)."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vosbench.dataset import Video
from vosbench.errors import DataError
from vosbench.images.files import read_levels
from vosbench.report.figures.pictures import Spot, dimmed, frame_of, grid, show
from vosbench.report.figures.style import COLOURS, Sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TABLE = "centres.csv"
HISTORY = 10
"""Frames before that whose centres are connected by a line."""
MAKE = "make them with: vosbench run --method f2net --set heatmaps=FOLDER"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A line of the table of centres: pixels of the frame, the score, and whether it was chosen."""

    x: float
    y: float
    score: float
    chosen: bool


def centres(folder: Path, shown: Sequence[Spot], sheet: Sheet) -> "Figure":
    """Heat maps over frames, relative to the highest score of each frame.

    Candidates are circles, the chosen centre is a cross, and a line leads to it from those of the frames before.

    Args:
        folder: of the heat maps, ``<video>/<frame>.png`` and ``<video>/centres.csv``, as F2Net's option ``heatmaps``
            keeps them.
        shown: the frames, a row for each video.
        sheet: how to draw.

    Raises:
        DataError: if there are no heat maps of a frame.
    """
    videos = list(dict.fromkeys(video.name for video, _ in shown))
    rows = [[spot for spot in shown if spot[0].name == name] for name in videos]
    widest = max(map(len, rows))
    figure, axes = grid(sheet, max(rows, key=len), videos)
    for cells, spots in zip(axes, rows, strict=True):
        known = _table(folder / spots[0][0].name, spots[0][0])
        for cell, spot in zip(cells, spots, strict=False):
            _draw(cell, folder, spot, known, sheet.inches / widest)
            cell.set_title(str(spot[1]), fontsize=sheet.small, pad=2)
        for cell in cells[len(spots) :]:
            cell.set_visible(False)
    from matplotlib.lines import Line2D

    kinds = (
        Line2D([], [], linestyle="", **CHOSEN),  # type: ignore[arg-type]
        Line2D([], [], linestyle="", **OTHERS),  # type: ignore[arg-type]
        Line2D([], [], color=COLOURS[5], linewidth=1),
    )
    sheet.legend(figure, kinds, ["chosen centre", "other candidates", f"centres of the {HISTORY} frames before"])
    return figure


CHOSEN = {"marker": "X", "color": "white", "markeredgecolor": "black", "markersize": 5.5, "markeredgewidth": 0.6}
OTHERS = {"marker": "o", "color": "none", "markeredgecolor": COLOURS[4], "markersize": 4, "markeredgewidth": 0.9}


def _draw(axes: "Axes", folder: Path, spot: Spot, known: dict[str, list[Candidate]], inches: float) -> None:
    video, index = spot
    frame = frame_of(spot)
    height, width = frame.shape[:2]
    stem = video.frames[index].stem
    heat = _heat(folder / video.name / f"{stem}.png", video)
    show(axes, dimmed(frame), inches)
    axes.imshow(
        heat,
        cmap="magma",
        vmin=0,
        vmax=1,
        alpha=0.25 + 0.65 * heat,
        extent=(-0.5, width - 0.5, height - 0.5, -0.5),
        interpolation="bilinear",
    )
    before = [path.stem for path in video.frames[max(index - HISTORY, 0) : index + 1]]
    way = [one for name in before for one in known.get(name, ()) if one.chosen]
    axes.plot([one.x for one in way], [one.y for one in way], color=COLOURS[5], linewidth=1)
    for one in known.get(stem, ()):
        axes.plot(one.x, one.y, **(CHOSEN if one.chosen else OTHERS))  # type: ignore[arg-type]
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(height - 0.5, -0.5)


def _heat(path: Path, video: Video) -> NDArray[np.float64]:
    if not path.is_file():
        raise DataError(f'there is no heat map of this frame of "{video.name}": "{path}"; {MAKE}')
    levels = read_levels(path, "map").astype(np.float64)
    heat: NDArray[np.float64] = levels / max(float(levels.max()), 1.0)
    return heat


def _table(folder: Path, video: Video) -> dict[str, list[Candidate]]:
    """Stem of a frame → its candidates."""
    path = folder / TABLE
    try:
        lines = list(csv.DictReader(path.read_text("utf-8").splitlines()))
        found: dict[str, list[Candidate]] = {}
        for line in lines:
            one = Candidate(float(line["x"]), float(line["y"]), float(line["score"] or 0), line["chosen"] == "1")
            found.setdefault(line["frame"], []).append(one)
    except OSError:
        raise DataError(f'there are no centres of "{video.name}": "{path}"; {MAKE}') from None
    except (ValueError, KeyError, TypeError):
        raise DataError(f'"{path}" is not a table of centres; {MAKE}') from None
    return found
