"""Names next to the points of a scatter, so that none covers another one or a point."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vosbench.report.figures.style import legible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox

PLACES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
DISTANCES = (4.0, 8.0, 13.0)
"""Points between a point and its name that are tried in turn."""


def name_points(
    axes: "Axes",
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    size: float,
    others: Sequence["Text"] = (),
) -> None:
    """Write a name at each point; call it last, when limits, legend and caption are there.

    Args:
        axes: of a figure with a layout.
        points: in data.
        names: one for each.
        size: of the font, in points.
        others: text that should not be covered either.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.transforms import Bbox

    figure = axes.figure.get_figure(root=True)
    assert figure is not None
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    figure.draw_without_rendering()  # settles the layout
    figure.set_layout_engine("none")
    radius = 3 * figure.dpi / 72
    centres = axes.transData.transform(points)
    taken = [Bbox.from_extents(x - radius, y - radius, x + radius, y + radius) for x, y in centres]
    taken += [text.get_window_extent(renderer) for text in others]
    for point, name in zip(points, names, strict=True):
        best: tuple[float, int, int, float] | None = None
        text = axes.annotate(legible(name), point, (0, 0), textcoords="offset points", fontsize=size)
        for distance in DISTANCES:
            for right, up in PLACES:
                _move(text, right, up, distance)
                cost = _covered(text.get_window_extent(renderer), taken, axes.bbox) + distance / 100
                if best is None or cost < best[0]:
                    best = cost, right, up, distance
        assert best is not None
        _move(text, *best[1:])
        taken.append(text.get_window_extent(renderer))


def _move(text: object, right: int, up: int, distance: float) -> None:
    from matplotlib.text import Annotation

    assert isinstance(text, Annotation)
    text.set_position((right * distance, up * distance * (0.7 if right else 1)))
    text.set_horizontalalignment("left" if right > 0 else "right" if right else "center")
    text.set_verticalalignment("bottom" if up > 0 else "top" if up else "center")


def _covered(box: "Bbox", taken: "Sequence[Bbox]", inside: "Bbox") -> float:
    """The area of other boxes that a box covers, and what of it is outside of the axes, in pixels."""
    area = sum(_common(box, other) for other in taken)
    return area + box.width * box.height - _common(box, inside)


def _common(one: "Bbox", other: "Bbox") -> float:
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    return float(max(width, 0) * max(height, 0))
