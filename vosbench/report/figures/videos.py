"""One score of every video: sorted with intervals, two methods paired, and methods by videos as a heat map."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vosbench.errors import DataError
from vosbench.metrics.measures import measure_of
from vosbench.metrics.significance import mean_interval
from vosbench.report.figures.sources import Shown, Values
from vosbench.report.figures.style import COLOURS, DASHES, SEQUENTIAL, Sheet, legible, series

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Table = Mapping[str, Mapping[str, float]]
"""Video → label → value."""
LINE = 0.135
"""Inches from a video to the next one."""
EQUAL = 1e-9
MOST_NUMBERS = 400
"""Cells of a heat map in which numbers are still legible, on a page."""


def scores_of(shown: Sequence[Shown], measure: str) -> Table:
    """The score of each video that all records have.

    Raises:
        DataError: if there are none.
    """
    names = [name for name in shown[0].record.videos if all(name in each.record.videos for each in shown)]
    table: dict[str, dict[str, float]] = {}
    for name in names:
        values = {each.label: each.record.videos[name].get(measure) for each in shown}
        known = {label: value for label, value in values.items() if value is not None}
        if len(known) == len(shown):
            table[name] = known
    if not table:
        raise DataError(f"these records have {measure_of(measure).heading} of no video in common")
    return table


def ordered(table: Table, measure: str, key: str | None = None) -> list[str]:
    """The videos, best first: by the mean of all methods, or by one method."""
    sign = -1 if measure_of(measure).better == "lower" else 1
    return sorted(
        table, key=lambda name: -sign * (table[name][key] if key else float(np.mean([*table[name].values()])))
    )


def videos(shown: Sequence[Shown], sheet: Sheet, measure: str, spread: Sequence[Values]) -> "Figure":
    """The score of each video, sorted: bars of one method, a pair of dots for two, dots for more.

    Args:
        shown: the records.
        sheet: how to draw.
        measure: the score.
        spread: the values of frames of each record, for whiskers from the 10th to the 90th percentile; empty for none.

    Returns:
        the figure; the band is the mean over videos with its 95 % BCa bootstrap interval.
    """
    table = scores_of(shown, measure)
    pair = len(shown) == 2
    names = ordered(table, measure)
    if pair:
        first, second = (each.label for each in shown)
        names = sorted(table, key=lambda name: table[name][first] - table[name][second])
    figure, ((axes,),) = sheet.new(LINE * len(names) + 0.45)
    places = np.arange(len(names))
    handles: list[Artist] = []
    offsets = np.linspace(-0.22, 0.22, len(shown)) if spread and len(shown) > 1 else np.zeros(len(shown))
    for at, each in enumerate(shown):
        values = np.array([table[name][each.label] for name in names])
        colour, rows = series(at)["color"], places + offsets[at]
        if len(shown) <= 2:
            _mean_line(axes, values, each.record.scores.get(measure), at)
        if len(shown) == 1:
            handles.append(axes.barh(rows, values, height=0.62, color=colour, alpha=0.75)[0])
        else:
            handles += axes.plot(values, rows, series(at)["marker"], color=colour, zorder=3, clip_on=False)
        if spread:
            whiskers = np.array([np.percentile([*spread[at][name].values()], [10, 90]) for name in names])
            axes.hlines(
                rows, whiskers[:, 0], whiskers[:, 1], color="#202020" if len(shown) == 1 else colour, linewidth=0.8
            )
    if pair:
        ends = np.array([[table[name][label] for label in (first, second)] for name in names])
        better = np.argmax(ends, axis=1) if measure_of(measure).better != "lower" else np.argmin(ends, axis=1)
        if not spread:
            axes.hlines(
                places,
                ends.min(axis=1),
                ends.max(axis=1),
                color=[COLOURS[one] for one in better],
                linewidth=1.6,
                alpha=0.45,
            )
    axes.set_yticks(places, [legible(name) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(names) - 0.4, -0.6)
    known = [value for of in table.values() for value in of.values()]
    if min(known) >= 0:
        axes.set_xlim(0, 1 if max(known) <= 1 else None)
    axes.set_xlabel(_heading(measure))
    axes.grid(visible=False, axis="y")
    sheet.legend(figure, handles, [f"{each.label}  {_mean(each, measure)}" for each in shown])
    return figure


def _mean_line(axes: "Axes", values: NDArray[np.float64], score: float | None, index: int) -> None:
    """The score of the split, and its interval as a band if it is the mean over these videos."""
    if score is None:
        return
    style = series(index)
    axes.axvline(score, color=style["color"], linewidth=0.8, linestyle=DASHES[index], zorder=0.6)
    interval = mean_interval(list(values))
    if abs(score - values.mean()) < EQUAL and interval.low is not None and interval.high is not None:
        axes.axvspan(interval.low, interval.high, color=style["color"], alpha=0.12, linewidth=0, zorder=0)


def _heading(measure: str) -> str:
    known = measure_of(measure)
    return known.heading + (" (lower is better)" if known.better == "lower" else "")


def _mean(shown: Shown, measure: str) -> str:
    value = shown.record.scores.get(measure)
    return "" if value is None else f"{value:.3f}"


def heatmap(shown: Sequence[Shown], sheet: Sheet, measure: str) -> "Figure":
    """A score of methods (rows, best first) by videos (columns, easiest first)."""
    from matplotlib import colormaps

    table = scores_of(shown, measure)
    names = ordered(table, measure)
    sign = -1 if measure_of(measure).better == "lower" else 1
    rows = sorted(shown, key=lambda each: -sign * float(np.mean([table[name][each.label] for name in names])))
    values = np.array([[table[name][each.label] for name in names] for each in rows])
    figure, ((axes,),) = sheet.new(0.19 * len(rows) + 1.0)
    colours = colormaps[SEQUENTIAL if sign > 0 else f"{SEQUENTIAL}_r"]
    top = 1.0 if values.max() <= 1 else float(values.max())
    image = axes.imshow(values, cmap=colours, vmin=min(0.0, float(values.min())), vmax=top, aspect="auto")
    axes.set_xticks(
        range(len(names)), [legible(name) for name in names], rotation=60, ha="right", rotation_mode="anchor"
    )
    axes.set_yticks(range(len(rows)), [legible(each.label) for each in rows])
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    if values.size <= MOST_NUMBERS and sheet.width == "page":
        for (row, column), value in np.ndenumerate(values):
            red, green, blue, _ = image.cmap(image.norm(value))
            light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
            shown_value = f"{value:.2f}".replace("0.", ".", 1) if value < 1 else f"{value:.1f}"
            axes.text(
                column, row, shown_value, ha="center", va="center", fontsize=5.5, color="black" if light else "white"
            )
    bar = figure.colorbar(image, ax=axes, fraction=0.03, pad=0.01, aspect=12)
    bar.set_label(_heading(measure))
    bar.outline.set_visible(False)
    return figure
