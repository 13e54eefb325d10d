"""J and F of frames over time."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vosbench.errors import UsageError, suggest
from vosbench.metrics.statistics import bin_edges, decay
from vosbench.report.figures.sources import Shown, Values, rows_of
from vosbench.report.figures.style import Sheet, legible, line, series

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STEPS = 101
"""Places in a video's time at which videos of different lengths are averaged."""
BAND = 0.06


def frames(shown: Sequence[Shown], sheet: Sheet, measures: Sequence[str], videos: Sequence[str]) -> "Figure":
    """J and F over time, of some videos or averaged over all.

    The first and the last quarter of the frames are shaded; the bars in them are their means, and decay is how much
    the second is below the first (`vosbench.metrics.statistics.decay`).

    Args:
        shown: the records.
        sheet: how to draw.
        measures: a row of axes for each.
        videos: a column for each; the mean over all videos, over relative time, if empty.

    Raises:
        DataError: if the values of frames are not there.
        UsageError: if a video is not in a record.
    """
    values = {measure: rows_of(shown, measure) for measure in measures}
    for name in videos:
        for each, of in zip(shown, values[measures[0]], strict=True):
            if name not in of:
                raise UsageError(f'"{each.label}" has no values of a video "{name}"; {suggest(name, list(of))}')
    columns = max(len(videos), 1)
    height = min(1.3, sheet.inches / columns * 0.6) + 0.15
    figure, axes = sheet.new(height * len(measures), len(measures), columns, sharey="row", sharex="col")
    for row, measure in zip(axes, measures, strict=True):
        for cell, name in zip(row, videos or [""], strict=True):
            lines = [_of_video(cell, at, of, name) for at, of in enumerate(values[measure])]
            _shade(cell, lines)
        lowest = min(float(np.min(line.get_ydata())) for cell in row for line in cell.get_lines())
        row[0].set_ylim(max(0.0, np.floor(lowest * 10 - 0.5) / 10), 1)
        row[0].set_ylabel(measure)
    for cell, name in zip(axes[-1], videos or [""], strict=True):
        cell.set_xlabel("frame" if name else "time (% of the video)")
    for cell, name in zip(axes[0], videos, strict=False):
        cell.set_title(legible(name))
    handles = [_handle(at) for at in range(len(shown))]
    sheet.legend(figure, handles, [f"{each.label}{_decays(values, at, videos)}" for at, each in enumerate(shown)])
    return figure


def _handle(index: int) -> "Artist":
    from matplotlib.lines import Line2D

    return Line2D([], [], **line(index))


def _of_video(axes: "Axes", index: int, of: Values, name: str) -> NDArray[np.float64]:
    """Draw a method, and return the places of its values in time."""
    if name:
        places, values = np.array([*of[name]], np.float64), np.array([*of[name].values()], np.float64)
    else:
        places, values = np.linspace(0, 100, STEPS), _over_time(of)
    axes.plot(places, values, **line(index), linewidth=0.9)
    edges = bin_edges(len(values))
    for first, last in ((edges[0], edges[1]), (edges[3], edges[4])):
        axes.hlines(
            values[first : last + 1].mean(),
            places[first],
            places[last],
            color=series(index)["color"],
            linewidth=2.2,
            alpha=0.55,
        )
    return places


def _over_time(of: Values) -> NDArray[np.float64]:
    """The mean over videos of values over relative time, (STEPS,)."""
    at = np.linspace(0, 1, STEPS)
    each = [np.interp(at, np.linspace(0, 1, len(values)), [*values.values()]) for values in of.values()]
    mean: NDArray[np.float64] = np.mean(each, axis=0)
    return mean


def _shade(axes: "Axes", places: Sequence[NDArray[np.float64]]) -> None:
    longest = max(places, key=len)
    edges = bin_edges(len(longest))
    for first, last in ((edges[0], edges[1]), (edges[3], edges[4])):
        axes.axvspan(longest[first], longest[last], color="#000000", alpha=BAND, linewidth=0)
    axes.set_xlim(longest[0], max(longest[-1], longest[0] + 1))


def _decays(values: Mapping[str, Sequence[Values]], index: int, videos: Sequence[str]) -> str:
    """The decay of each measure, if there is one number to name: that of one video, or the mean over all."""
    if len(videos) > 1:
        return ""
    said = []
    for measure, of in values.items():
        decays = [decay([*video.values()]) for name, video in of[index].items() if not videos or name in videos]
        known = [value for value in decays if value is not None]
        if known:
            said.append(f"{measure} {sum(known) / len(known):+.3f}".replace("-", "−"))
    return f"  (decay {', '.join(said)})" if said else ""
