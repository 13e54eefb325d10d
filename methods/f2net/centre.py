"""Follow the object's centre through a video (Liu et al., AAAI 2021, section *Center prediction branch*).

Conventions: a point is (x, y); pixels are those of the network's input, and pixel 0 is centred on 0; a cell is a
position of the heat map. Arrays of points are (m, 2) float64, oldest first.
"""

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from vosbench.method.nn.augment import Box

Points = NDArray[np.float64]
Map = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """How to choose the centre, and what to pass to the next frame.

    Attributes:
        select: ``"motion"`` for the peak nearest to the point expected from the motion, ``"max"`` for the highest.
        peaks: number of candidate peaks, *K*.
        history: number of velocities to average, *n*.
        distance: between a peak and the expected point, ``"l1"`` or ``"l2"``.
        previous: the previous frame's Gauss map: from its predicted ``"mask"``, its ``"centre"``, or ``"zero"``.
        sigma: of a Gauss map around a centre, in pixels.
    """

    select: Literal["motion", "max"] = "motion"
    peaks: int = 5
    history: int = 10
    distance: Literal["l1", "l2"] = "l1"
    previous: Literal["mask", "centre", "zero"] = "mask"
    sigma: float = 15.0


def find_peaks(heat: Map, count: int) -> tuple[Points, NDArray[np.float64]]:
    """Find the highest local maxima of a heat map: cells with a positive score and no higher one of 8 neighbours.

    Args:
        heat: (h, w), in [0, 1].
        count: the most to return.

    Returns:
        cells (m, 2) and their scores (m,), highest first; equal scores in reading order.
    """
    highest = cv2.dilate(heat, np.ones((3, 3), dtype=np.uint8))
    rows, columns = np.nonzero((heat == highest) & (heat > 0))
    scores = heat[rows, columns].astype(np.float64)
    order = np.argsort(-scores, kind="stable")[:count]
    return np.stack([columns, rows], axis=1)[order].astype(np.float64), scores[order]


def to_pixels(cells: Points, heat: tuple[int, int], image: tuple[int, int]) -> Points:
    """Cells of a heat map of size ``heat`` (h, w) → pixels of an input of size ``image`` (H, W)."""
    scale = np.array([image[1] / heat[1], image[0] / heat[0]])
    pixels: Points = (cells + 0.5) * scale - 0.5
    return pixels


def to_cells(pixels: Points, heat: tuple[int, int], image: tuple[int, int]) -> Points:
    """The inverse of `to_pixels`, unrounded."""
    return to_pixels(pixels, image, heat)


def expect(centres: Points, history: int) -> Points:
    """Predict the next centre: the last point plus the mean of the last velocities.

    The mean of *n* velocities is the displacement over *n* frames divided by *n*, so it needs only n + 1 points.

    Args:
        centres: at least one point.
        history: number of velocities to average.

    Returns:
        (2,); the last point itself if there is no velocity yet.
    """
    recent = centres[-(history + 1) :]
    expected: Points = recent[-1] + (recent[-1] - recent[0]) / max(len(recent) - 1, 1)
    return expected


def select(heat: Map, centres: Points, image: tuple[int, int], guide: Guide) -> Points:
    """Choose the centre of a frame.

    Args:
        heat: (h, w), in [0, 1].
        centres: the previous centres, (m, 2); m = 0 in the first frame.
        image: size (H, W) of the input.
        guide: how to choose.

    Returns:
        (2,) pixels. Without peaks, the expected point, moved into the image, or its middle in the first frame.
    """
    cells, _ = find_peaks(heat, guide.peaks)
    candidates = to_pixels(cells, heat.shape, image)
    limits = np.array([image[1] - 1.0, image[0] - 1.0])
    expected = expect(centres, guide.history) if len(centres) else limits / 2
    if len(candidates) == 0:
        inside: Points = np.clip(expected, 0.0, limits)
        return inside
    if len(centres) == 0 or guide.select == "max":
        highest: Points = candidates[0]
        return highest
    away = np.linalg.norm(candidates - expected, ord=1 if guide.distance == "l1" else 2, axis=1)
    nearest: Points = candidates[int(np.argmin(away))]
    return nearest


def radius(height: float, width: float, overlap: float = 0.7) -> int:
    """CenterNet's radius for a box: how far its corners may move while it still overlaps.

    As released with CenterNet, including its quadratic formula, which divides by 2 instead of 2a
    (xingyizhou/CenterNet#116), since networks were trained with it.

    >>> [radius(side, side) for side in (12, 24, 36, 60, 95)]
    [3, 6, 9, 16, 25]
    """
    total, area = height + width, height * width
    cases = (
        (1.0, total, area * (1 - overlap) / (1 + overlap)),
        (4.0, 2 * total, area * (1 - overlap)),
        (4 * overlap, -2 * overlap * total, area * (overlap - 1)),
    )
    return max(0, int(min((b + math.sqrt(b * b - 4 * a * c)) / 2 for a, b, c in cases)))


def splat(size: tuple[int, int], cell: tuple[int, int], reach: int) -> Map:
    """CenterNet's target: a Gauss of peak 1 on a cell (x, y), cut off beyond ``reach`` cells, σ = (2 reach + 1) / 6."""
    y, x = np.ogrid[: size[0], : size[1]]
    dx, dy = x - cell[0], y - cell[1]
    sigma = (2 * reach + 1) / 6
    bump = np.exp(-(dx * dx + dy * dy) / (2 * sigma * sigma))
    return np.where((abs(dx) <= reach) & (abs(dy) <= reach), bump, 0.0).astype(np.float32)


def gauss_at(size: tuple[int, int], centre: Points, sigma: float) -> Map:
    """A Gauss of peak 1 around a point (x, y) of a map of size (h, w), not cut off."""
    y, x = np.ogrid[: size[0], : size[1]]
    bump: Map = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * sigma * sigma)).astype(np.float32)
    return bump


def middle(box: Box) -> tuple[int, int]:
    """The middle (x, y) of a box, in whole pixels or cells; rounded up for even sides, as released.

    >>> middle(Box(top=100, bottom=200, left=100, right=250))
    (175, 150)
    """
    return (box.left + box.right) // 2, (box.top + box.bottom) // 2


def centre_of(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The true centre of a mask, (H, W): the middle of its bounding box, (2,), or of the frame if it is empty."""
    height, width = mask.shape
    return np.array(middle(Box.around(mask) or Box(0, height, 0, width)), dtype=np.float32)


def splat_mask(mask: NDArray[np.bool_], size: tuple[int, int]) -> tuple[Map, int] | None:
    """The target of a mask: a Gauss on the middle of its bounding box, with CenterNet's radius.

    Args:
        mask: (H, W).
        size: (h, w) of the heat map; the mask is resized to it by nearest neighbours, which may move the middle by
            a cell and a half from `centre_of`.

    Returns:
        the map (h, w) and its radius in cells; None for an empty mask, which has no centre.
    """
    height, width = size
    small = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    box = Box.around(small > 0)
    if box is None:
        return None
    reach = radius(box.bottom - box.top, box.right - box.left)
    return splat(size, middle(box), reach), reach


@dataclass(frozen=True, slots=True)
class Track:
    """What the next frame needs to know of the previous ones.

    Attributes:
        centres: the latest centres, in pixels; (m, 2), m ≤ history + 1.
        gauss: the previous frame's Gauss map on the heat map's grid, (h, w); zeros before the first frame.
        reach: radius of the last map made from a mask, in cells; −1 if there was none.
    """

    centres: Points
    gauss: Map
    reach: int = -1

    @classmethod
    def begin(cls, heat: tuple[int, int]) -> "Track":
        """The track before the first frame, for heat maps of size (h, w)."""
        return cls(np.zeros((0, 2)), np.zeros(heat, dtype=np.float32))

    def after(self, centre: Points, mask: NDArray[np.bool_], image: tuple[int, int], guide: Guide) -> "Track":
        """The track after a frame.

        Args:
            centre: chosen in this frame, (2,) pixels.
            mask: predicted for this frame, (H, W).
            image: size (H, W) of the input.
            guide: what to pass on. If the mask is empty, it is a map around the centre with the last radius, or zeros
                if all masks were empty.
        """
        size = self.gauss.shape
        cell = to_cells(centre, size, image)
        gauss, reach = np.zeros(size, dtype=np.float32), self.reach
        if guide.previous == "centre":
            gauss = gauss_at(size, cell, guide.sigma * size[1] / image[1])
        elif guide.previous == "mask":
            target = splat_mask(mask, size)
            if target is not None:
                gauss, reach = target
            elif reach >= 0:
                gauss = splat(size, (round(cell[0]), round(cell[1])), reach)
        centres = np.concatenate([self.centres, centre[None]])[-(guide.history + 1) :]
        return Track(centres, gauss, reach)
