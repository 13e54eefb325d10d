"""Curves over a threshold: precision and recall, F, and the share of frames above a J."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vosbench.errors import DataError
from vosbench.metrics.measures import measure_of
from vosbench.metrics.saliency import CONVENTIONS
from vosbench.records.record import Curves, signature
from vosbench.report.figures.sources import Shown, rows_of
from vosbench.report.figures.style import FAINT, GREY, Sheet, legible, line, unit_axis

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

THRESHOLDS = np.arange(256)
LEVELS = (0.2, 0.4, 0.6, 0.8)
"""Values of F of the faint lines behind precision and recall."""


def pr(shown: Sequence[Shown], sheet: Sheet) -> "Figure":
    """Precision over recall at all thresholds, a panel for each dataset, as in AD-Net's Figure 4 (Yang et al., 2019).

    The dot is where F is highest. Faint lines connect points of equal F, with the protocol's β².

    Raises:
        DataError: if a record has no curves.
    """
    panels = dict[tuple[str, str], list[Shown]]()
    for each in shown:
        panels.setdefault((each.record.place, signature(each.record)), []).append(each)
    names = list(dict.fromkeys(each.label for each in shown))
    columns = min(len(panels), 3 if sheet.width == "page" else 1)
    rows = -(-len(panels) // columns)
    figure, axes = sheet.new(rows * sheet.inches / columns * 0.82, rows, columns)
    cells = [cell for row in axes for cell in row]
    lines: dict[str, Artist] = {}
    for cell, ((place, signed), records) in zip(cells, panels.items(), strict=False):
        _equal_f(cell, _beta2(signed))
        unit_axis(cell, "x", "recall")
        unit_axis(cell, "y", "precision")
        if len(panels) > 1:
            cell.set_title(legible(place))
        for each in records:
            curves = curves_of(each)
            index = names.index(each.label)
            best = int(np.argmax(curves.f_measure))
            (drawn,) = cell.plot(curves.recall, curves.precision, **line(index))
            cell.plot(curves.recall[best], curves.precision[best], "o", color=drawn.get_color(), clip_on=False)
            value = "" if len(panels) > 1 else f"  {max(curves.f_measure):.3f}"
            lines.setdefault(each.label + value, drawn)
    for cell in cells[len(panels) :]:
        cell.set_visible(False)
    sheet.legend(figure, list(lines.values()), list(lines))
    return figure


def _beta2(signed: str) -> float:
    """The weight of precision in F, of the convention that a signature names."""
    names = re.split(r"[|:,]", signed)
    return next((convention.beta2 for name, convention in CONVENTIONS.items() if name in names), 1.0)


def _equal_f(axes: "Axes", beta2: float) -> None:
    for level in LEVELS:
        precision = np.linspace(level / (1 + beta2 - beta2 * level), 1, 200)
        recall = beta2 * level * precision / ((1 + beta2) * precision - level)
        axes.plot(recall, precision, color=FAINT, linewidth=0.7, zorder=0.5)
        axes.text(0.985, precision[0] + 0.012, f"F {level}", color=GREY, fontsize=4.5, ha="right", va="bottom")
    axes.grid(visible=False)


def f_threshold(shown: Sequence[Shown], sheet: Sheet) -> "Figure":
    """F over the threshold of maps, with a dot at its maximum, maxF, and a line at a half.

    Raises:
        DataError: if a record has no curves.
    """
    figure, ((axes,),) = sheet.new(sheet.inches * (0.68 if sheet.width == "column" else 0.45))
    axes.set_xlabel("threshold, as a level of the map")
    axes.set_xlim(0, 255)
    axes.set_xticks([0, 51, 102, 153, 204, 255])
    unit_axis(axes, "y", "F")
    axes.axvline(127.5, color=GREY, linewidth=0.6, linestyle=":")
    lines: list[Artist] = []
    names: list[str] = []
    for index, each in enumerate(shown):
        curves = curves_of(each)
        best = int(np.argmax(curves.f_measure))
        (drawn,) = axes.plot(THRESHOLDS, curves.f_measure, **line(index))
        axes.plot(best, curves.f_measure[best], "o", color=drawn.get_color(), clip_on=False)
        lines.append(drawn)
        names.append(f"{each.label}  {curves.f_measure[best]:.3f}")
    sheet.legend(figure, lines, names)
    return figure


def curves_of(shown: Shown) -> Curves:
    """The curves of a record.

    Raises:
        DataError: if it has none, with the command that makes them.
    """
    if shown.record.curves is None:
        of = shown.record
        raise DataError(
            f'"{shown.path}" holds no curves; score the soft maps again under a protocol of saliency, with: '
            f"vosbench score MAPS --dataset {of.dataset} --protocol vsod-davsod --name {of.method} --out results"
        )
    return shown.record.curves


def success(shown: Sequence[Shown], sheet: Sheet, measure: str = "J") -> "Figure":
    """The share of all frames whose J is above a threshold, over the threshold; the area below it is the mean.

    Raises:
        DataError: if the values of frames are not there.
    """
    figure, ((axes,),) = sheet.new(sheet.inches * (0.68 if sheet.width == "column" else 0.45))
    symbol = measure_of(f"{measure}_mean").symbol or measure
    unit_axis(axes, "x", f"threshold of {symbol}")
    unit_axis(axes, "y", "frames above the threshold (%)")
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1], ["0", "20", "40", "60", "80", "100"])
    lines: list[Artist] = []
    names: list[str] = []
    for index, (each, videos) in enumerate(zip(shown, rows_of(shown, measure), strict=True)):
        values = np.sort([value for of in videos.values() for value in of.values()])
        above = 1 - np.arange(values.size + 1) / values.size
        (drawn,) = axes.step([0, *values, 1], [*above, 0], where="post", **line(index))
        lines.append(drawn)
        names.append(f"{each.label}  {values.mean():.3f}")
    sheet.legend(figure, lines, names)
    return figure
