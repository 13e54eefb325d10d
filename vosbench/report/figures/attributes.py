"""Means over the videos with each challenge attribute, as bars or as a radar."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vosbench.dataset import Dataset, Listed
from vosbench.errors import DataError
from vosbench.evaluate.aggregate import VideoScores
from vosbench.metrics.measures import measure_of
from vosbench.report.figures.sources import Shown
from vosbench.report.figures.style import FAINT, GREY, Sheet, line, series

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.projections.polar import PolarAxes

MOST_UPRIGHT = 10
"""Attributes whose names fit next to each other in a column."""
MOST_BARS = 4
"""Methods whose bars fit next to each other; more are dots."""


def attributes(shown: Sequence[Shown], sheet: Sheet, measure: str, dataset: Dataset, form: str) -> "Figure":
    """The mean of a score over the videos with each attribute; the number of these videos is below its name.

    Raises:
        DataError: if the dataset has no attributes.
    """
    split = shown[0].record.split
    listing = {name: each for name, each in dataset.listing(split).items() if name in shown[0].record.videos}
    counted: Mapping[str, Listed] = {name: each for name, each in listing.items() if each.counts_for(measure)}
    counts = Counter(attribute for each in counted.values() for attribute in each.attributes)
    if not counts:
        raise DataError(f"{dataset.title} has no attributes")
    names = [name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    having = {name: {video for video, each in counted.items() if name in each.attributes} for name in names}
    values = [[VideoScores.of(each.record, listing).mean(measure, having[name]) for name in names] for each in shown]
    table = np.array([[np.nan if value is None else value for value in row] for row in values], np.float64)
    ticks = [f"{name}\n{counts[name]}" for name in names]
    return (_radar if form == "radar" else _bars)(shown, sheet, measure, ticks, table)


def _bars(shown: Sequence[Shown], sheet: Sheet, measure: str, ticks: list[str], table: NDArray[np.float64]) -> "Figure":
    figure, ((axes,),) = sheet.new(1.5)
    places, few = np.arange(len(ticks)), len(shown) <= MOST_BARS
    handles = []
    for at, values in enumerate(table):
        if few:
            width = 0.8 / len(shown)
            drawn = axes.bar(
                places + (at - (len(shown) - 1) / 2) * width, values, width * 0.92, color=series(at)["color"]
            )
            handles.append(drawn[0])
        else:
            offset = (at - (len(shown) - 1) / 2) * 0.6 / len(shown)
            handles += axes.plot(places + offset, values, series(at)["marker"], color=series(at)["color"])
    if sheet.width == "column" and len(ticks) > MOST_UPRIGHT:
        axes.set_xticks(places, [tick.replace("\n", " ") for tick in ticks], rotation=90)
    else:
        axes.set_xticks(places, ticks)
    axes.set_xlim(-0.6, len(ticks) - 0.4)
    low = 0.0 if few else max(float(np.nanmin(table)) - 0.05, 0)
    axes.set_ylim(low, None if measure_of(measure).symbol == "T" else 1)
    axes.set_ylabel(measure_of(measure).heading)
    axes.grid(visible=False, axis="x")
    if not few:
        axes.vlines(places[:-1] + 0.5, 0, 1, color=FAINT, linewidth=0.5, transform=axes.get_xaxis_transform())
    axes.tick_params(axis="x", length=0)
    sheet.legend(figure, handles, [each.label for each in shown])
    return figure


def _radar(
    shown: Sequence[Shown], sheet: Sheet, measure: str, ticks: list[str], table: NDArray[np.float64]
) -> "Figure":
    side = min(sheet.inches, 3.4)
    figure, ((cell,),) = sheet.new(side * 0.92, subplot_kw={"projection": "polar"})
    axes: PolarAxes = cell  # type: ignore[assignment]
    angles = np.linspace(0, 2 * np.pi, len(ticks), endpoint=False)
    handles = []
    for at, values in enumerate(table):
        closed = [*angles, angles[0]], [*values, values[0]]
        handles += axes.plot(*closed, **line(at), marker=series(at)["marker"], markersize=2.4)
        if len(shown) <= 2:
            axes.fill(*closed, color=series(at)["color"], alpha=0.08)
    axes.set_theta_offset(np.pi / 2)
    axes.set_theta_direction(-1)
    axes.set_xticks(angles, [tick.replace("\n", " ") for tick in ticks])
    axes.tick_params(axis="x", pad=1)
    axes.set_ylim(0, None if measure_of(measure).symbol == "T" else 1)
    axes.set_yticks([0.2, 0.4, 0.6, 0.8], ["", "0.4", "", "0.8"], color=GREY, fontsize=sheet.small - 1)
    axes.set_rlabel_position(180 / len(ticks))
    axes.spines["polar"].set_color("#b0b0b0")
    axes.set_title(measure_of(measure).heading, pad=8)
    sheet.legend(figure, handles, [each.label for each in shown])
    return figure
