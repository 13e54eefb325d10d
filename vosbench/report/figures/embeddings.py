"""How a network sees a video: similarity of a pixel to the anchor, and drift of embeddings, as AD-Net's paper shows it.

Conventions:
    Similarity is the cosine of two vectors of `vosbench.method.method.Embedder`, in [-1, 1]. The anchor is the first
    frame. A cell belongs to the foreground if most of it does. Similarity of two sets of cells is the mean over all
    pairs. Source: Yang et al., "Anchor Diffusion for Unsupervised Video Object Segmentation", ICCV 2019, Figures 1
    and 3.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vosbench.dataset import Video
from vosbench.errors import DataError, UsageError
from vosbench.method.method import Embedder, FloatMap
from vosbench.metrics.arrays import Mask
from vosbench.report.figures.pictures import Spot, annotation_of, dimmed, frame_of, grid, show
from vosbench.report.figures.style import COLOURS, DASHES, Sheet, legible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Methods = Mapping[str, Embedder]
Advance = Callable[[str, int, int], None]
Vector = NDArray[np.float32]
LINES = (
    ("foreground – foreground of anchor", COLOURS[0], DASHES[0]),
    ("background – background of anchor", COLOURS[2], DASHES[1]),
    ("foreground – background of anchor", COLOURS[1], DASHES[2]),
)
STEPS = 101
"""Places in a video's time at which videos of different lengths are averaged."""
OPACITY = 0.75


def _vectors(label: str, method: Embedder, video: Video) -> Generator[FloatMap, None, None]:
    """The vectors of each frame, of length 1.

    Raises:
        DataError: if the network's vectors are single numbers, whose cosine says nothing.
    """
    for found in method.embeddings(video.unannotated()):
        if found.shape[2] < 2:
            raise DataError(f'the network of "{label}" has no embeddings: it ends in one number for each position')
        length = np.linalg.norm(found, axis=2, keepdims=True)
        yield (found / np.maximum(length, 1e-12)).astype(np.float32, copy=False)


def similarity(
    methods: Methods, shown: Sequence[Spot], sheet: Sheet, point: tuple[int, int] | None, advance: Advance
) -> "Figure":
    """Similarity of a pixel of a frame to all of the anchor: the frames with the pixel, and a row for each method.

    Args:
        methods: label → what tells embeddings.
        shown: frames of one video, a column for each.
        sheet: how to draw.
        point: the pixel (x, y) in every frame; where the annotated object is thickest if None.
        advance: called with a method, the frames done and their number.

    Raises:
        UsageError: if the pixel is outside of a frame, or frames have no object to choose one in.
    """
    video = shown[0][0]
    points = [_point(spot, point) for spot in shown]
    figure, axes = grid(sheet, shown, ["frame", *methods], more=0.55)
    inches = sheet.inches / len(shown)
    anchor = dimmed(frame_of((video, 0)))
    for cell, spot, (x, y) in zip(axes[0], shown, points, strict=True):
        show(cell, frame_of(spot), inches)
        _mark(cell, x, y)
    for row, (label, method) in zip(axes[1:], methods.items(), strict=True):
        maps = _similarities(label, method, shown, points, advance)
        low = min(float(each.min()) for each in maps)
        for cell, values in zip(row, maps, strict=True):
            height, width = anchor.shape[:2]
            show(cell, anchor, inches)
            image = cell.imshow(
                values,
                cmap="magma",
                vmin=low,
                vmax=1,
                alpha=OPACITY,
                extent=(-0.5, width - 0.5, height - 0.5, -0.5),
                interpolation="nearest",
            )
        bar = figure.colorbar(image, ax=row, fraction=0.04, pad=0.01, aspect=12)
        bar.set_label("similarity to anchor", fontsize=sheet.small - 1)
        bar.ax.tick_params(labelsize=sheet.small - 1)
        if bar.solids is not None:
            bar.solids.set_alpha(1)
    return figure


def _mark(axes: Any, x: int, y: int) -> None:  # noqa: ANN401 - of matplotlib
    axes.plot(x, y, "o", color="white", markersize=5.5, markeredgecolor="black", markeredgewidth=0.6)
    axes.plot(x, y, "o", color=COLOURS[1], markersize=3)


def _point(spot: Spot, asked: tuple[int, int] | None) -> tuple[int, int]:
    import cv2

    height, width = frame_of(spot).shape[:2]
    video, index = spot
    if asked is not None:
        if not (0 <= asked[0] < width and 0 <= asked[1] < height):
            raise UsageError(f'the pixel {asked[0]},{asked[1]} is outside of "{video.name}", which is {width}×{height}')
        return asked
    mask = annotation_of(video, index)
    if mask is None or not mask.any():
        raise UsageError(f'frame {index} of "{video.name}" has no annotated object; choose a pixel with --point X,Y')
    inside = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(np.argmax(inside)), inside.shape)
    return int(x), int(y)


def _similarities(
    label: str, method: Embedder, shown: Sequence[Spot], points: Sequence[tuple[int, int]], advance: Advance
) -> list[FloatMap]:
    video, wanted = shown[0][0], [index for _, index in shown]
    cut = video.first(max(wanted) + 1)
    found: dict[int, FloatMap] = {}
    anchor: FloatMap | None = None
    for index, vectors in enumerate(_vectors(label, method, cut)):
        advance(label, index + 1, len(cut))
        anchor = vectors if anchor is None else anchor
        if index in wanted:
            height, width = frame_of((video, index)).shape[:2]
            x, y = points[wanted.index(index)]
            rows, columns = vectors.shape[:2]
            found[index] = anchor @ vectors[y * rows // height, x * columns // width]
    return [found[index] for index in wanted]


def drift(methods: Methods, videos: Sequence[Video], sheet: Sheet, advance: Advance) -> "Figure":
    """Similarity of the embeddings of foreground and background to those of the anchor, over time; a panel a method.

    One video is shown by its frames; of several, the mean over relative time, with the middle half of the videos as a
    band.

    Raises:
        DataError: if no video has an object in its first frame and in others.
    """
    columns = len(methods) if sheet.width == "page" else 1
    rows = -(-len(methods) // columns)
    figure, axes = sheet.new(rows * min(1.7, sheet.inches / columns * 0.62), rows, columns, sharey=True)
    cells = [cell for row in axes for cell in row]
    handles: list[Any] = []
    lowest = 1.0
    for cell, (label, method) in zip(cells, methods.items(), strict=True):
        tracks = [track for video in videos if len(track := _track(label, method, video, advance)) > 1]
        if not tracks:
            raise DataError("drift needs a video whose first frame and others are annotated with an object")
        handles = _draw(cell, tracks)
        lowest = min(lowest, *(float(np.nanmin(track[:, 1:])) for track in tracks))
        cell.set_xlabel("frame" if len(tracks) == 1 else "time (% of the video)")
        if len(methods) > 1:
            cell.set_title(legible(label))
    for row in axes:
        row[0].set_ylabel("cosine similarity")
        row[0].set_ylim(max(-1.0, lowest - 0.05), 1.02)
    sheet.legend(figure, handles, [name for name, _, _ in LINES])
    return figure


def _draw(axes: Any, tracks: Sequence[NDArray[np.float64]]) -> list[Any]:  # noqa: ANN401 - of matplotlib
    if len(tracks) == 1:
        places, values, band = tracks[0][:, 0], tracks[0][:, 1:], None
    else:
        places, at = np.linspace(0, 100, STEPS), np.linspace(0, 1, STEPS)
        each = [
            np.stack([np.interp(at, track[:, 0] / track[-1, 0], track[:, line]) for line in (1, 2, 3)], axis=1)
            for track in tracks
        ]
        values, band = np.mean(each, axis=0), np.percentile(each, [25, 75], axis=0)
    handles = []
    for line, (_, colour, dashes) in enumerate(LINES):
        if band is not None:
            axes.fill_between(places, band[0, :, line], band[1, :, line], color=colour, alpha=0.12, linewidth=0)
        handles += axes.plot(places, values[:, line], color=colour, linestyle=dashes)
    axes.set_xlim(places[0], places[-1])
    return handles


def _track(label: str, method: Embedder, video: Video, advance: Advance) -> NDArray[np.float64]:
    """(n, 4): frame, and the three similarities, of the annotated frames with an object and with background."""
    found: list[tuple[float, float, float, float]] = []
    anchor: tuple[Vector, Vector] | None = None
    for index, vectors in enumerate(_vectors(label, method, video)):
        advance(f"{label}, {video.name}", index + 1, len(video))
        mask = annotation_of(video, index)
        means = None if mask is None else _means(vectors, mask)
        if index == 0 and means is None:
            break
        if means is not None:
            anchor = anchor or means
            pairs = ((means[0], anchor[0]), (means[1], anchor[1]), (means[0], anchor[1]))
            first, second, third = (float(one @ other) for one, other in pairs)
            found.append((float(index), first, second, third))
    return np.array(found, np.float64).reshape(-1, 4)


def _means(vectors: FloatMap, mask: Mask) -> tuple[Vector, Vector] | None:
    """The mean vectors of foreground and background; None if either has no cell.

    The product of two means of vectors of length 1 is the mean cosine over all pairs.
    """
    import cv2

    size = (vectors.shape[1], vectors.shape[0])
    share = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    inside = share >= 0.5
    if not inside.any() or inside.all():
        return None
    foreground: Vector = vectors[inside].mean(axis=0)
    background: Vector = vectors[~inside].mean(axis=0)
    return foreground, background
