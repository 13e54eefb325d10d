"""Methods as points: F over J, and accuracy over speed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vosbench.errors import DataError
from vosbench.metrics.measures import measure_of
from vosbench.report.figures.labels import name_points
from vosbench.report.figures.sources import Shown
from vosbench.report.figures.style import FAINT, GREY, Sheet, series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARGIN = 0.12
TIMES = (1, 2, 5)


def jf(shown: Sequence[Shown], sheet: Sheet) -> "Figure":
    """The mean of F over that of J, a point for each method; faint lines connect points of equal J&F.

    Raises:
        DataError: if a record has no J and F.
    """
    points = [(_score(each, "J_mean"), _score(each, "F_mean")) for each in shown]
    figure, ((axes,),) = sheet.new(min(sheet.inches, 4.2) * 0.82)
    low, high = _limits([value for point in points for value in point])
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_xlabel("J mean")
    axes.set_ylabel("F mean")
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
    axes.set_aspect("equal")
    lines = []
    for tick in ticks:
        ends = np.array([[2 * tick - high, high], [2 * tick - low, low]])
        axes.plot(*ends.T, color=FAINT, linewidth=0.7, linestyle="--", zorder=0.5)
        x, y = _free(ends, np.array(points), (low, high))
        lines.append(
            axes.annotate(f"J&F {tick:.2g}", (x, y), fontsize=4.5, color=GREY, ha="center", va="center", rotation=-45)
        )
    axes.grid(visible=False)
    _points(axes, points)
    name_points(axes, points, [each.label for each in shown], sheet.small, lines)
    return figure


def speed(shown: Sequence[Shown], sheet: Sheet, measure: str) -> "Figure":
    """A score over frames per second, on a logarithmic axis; the legend of the axis names the machine.

    Raises:
        DataError: if a record has no speed, or the score is missing.
    """
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    without = [each for each in shown if each.record.speed is None]
    if without:
        raise DataError(
            f'"{without[0].path}" has no speed; measure it with: vosbench run --method {without[0].record.method} '
            f"--dataset {without[0].record.dataset} --profile --out results"
        )
    speeds = [each.record.speed for each in shown if each.record.speed is not None]
    points = [(speed.fps, _score(each, measure)) for speed, each in zip(speeds, shown, strict=True)]
    figure, ((axes,),) = sheet.new(sheet.inches * (0.66 if sheet.width == "column" else 0.42))
    axes.set_xscale("log")
    low, high = min(x for x, _ in points) / 1.8, max(x for x, _ in points) * 1.8
    axes.set_xlim(low, high)
    axes.set_ylim(*_limits([y for _, y in points]))
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [times * 10.0**decade for decade in decades for times in TIMES if low <= times * 10.0**decade <= high]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    machines = list(dict.fromkeys(f"{speed.device_name}, frames of {speed.size}" for speed in speeds))
    axes.set_xlabel("frames per second")
    axes.set_ylabel(measure_of(measure).heading)
    axes.set_title("; ".join(machines), fontsize=sheet.small - 1, color=GREY, loc="left")
    _points(axes, points)
    name_points(axes, points, [each.label for each in shown], sheet.small)
    return figure


def _free(ends: NDArray[np.float64], points: NDArray[np.float64], limits: tuple[float, float]) -> NDArray[np.float64]:
    """The place of a line, within the axes, that is farthest from all points."""
    room = (limits[1] - limits[0]) * 0.06
    places = np.linspace(ends[0], ends[1], 41)
    inside = places[((places > limits[0] + room) & (places < limits[1] - room)).all(axis=1)]
    places = inside if len(inside) else places[20:21]
    nearest = np.linalg.norm(places[:, None] - points[None], axis=2).min(axis=1)
    place: NDArray[np.float64] = places[int(np.argmax(np.minimum(nearest, room * 2)))]
    return place


def _points(axes: "Axes", points: Sequence[tuple[float, float]]) -> None:
    for at, (x, y) in enumerate(points):
        style = series(at)
        axes.plot(x, y, style["marker"], color=style["color"], markersize=4.5, clip_on=False)


def _score(shown: Shown, measure: str) -> float:
    value = shown.record.scores.get(measure)
    if value is None:
        raise DataError(f'"{shown.path}" has no {measure_of(measure).heading}')
    return value


def _limits(values: Sequence[float]) -> tuple[float, float]:
    """A range with room for names around the points."""
    room = max((max(values) - min(values)) * MARGIN, 0.02)
    return min(values) - room, max(values) + room
