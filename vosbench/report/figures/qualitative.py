"""The qualitative figure of a paper: a row for each method, a column for each frame."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vosbench.errors import DataError
from vosbench.report.figures.pictures import Spot, grid, show
from vosbench.report.figures.style import Sheet
from vosbench.report.overlays import Overlays

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def qualitative(overlays: Overlays, shown: Sequence[Spot], sheet: Sheet) -> "Figure":
    """Masks over frames, the annotation first.

    Args:
        overlays: the methods, see `vosbench.report.overlays.opened`.
        shown: the frames, of one or several videos.
        sheet: how to draw.

    Raises:
        DataError: if a mask is missing or damaged.
    """
    for layer in overlays.layers:
        for video, index in shown:
            if index not in layer.masks.files[video.name]:
                raise DataError(f'"{layer.name}" has no mask of frame {index} of "{video.name}"')
    figure, axes = grid(sheet, shown, overlays.names)
    inches = sheet.inches / len(shown)
    for name in dict.fromkeys(video.name for video, _ in shown):
        places = [at for at, (video, _) in enumerate(shown) if video.name == name]
        tiles = overlays.tiles(name, [shown[at][1] for at in places])
        for at, pictures in zip(places, tiles, strict=True):
            for row, picture in zip(axes, pictures, strict=True):
                show(row[at], picture, inches)
    return figure
