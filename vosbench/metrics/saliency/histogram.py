"""Maps as levels, and the joint histogram of a map and its annotation, from which most measures follow exactly.

Conventions:
    A map has the integer levels of a grey PNG file, 0…255 (uint8) or 0…65535 (uint16); the highest stands for 1.
    Floats in [0, 1] are rounded to the nearest of 256 levels, halves to even, as `vosbench.images.files.write_map`
    does, so that an array and the file written from it have equal scores.
    A histogram is (2, L) int64 with L = 256 or 65536; row 0 counts the background pixels by level, row 1 those of the
    foreground. Level l stands for the value s = (l − offset) / span; min-max normalisation only changes offset and
    span, so nothing is rounded. A constant map is not stretched, as in Matlab's ``mapminmax``.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vosbench.errors import MeasureError
from vosbench.metrics.arrays import Mask
from vosbench.metrics.compiled import compiled_or

Levels = NDArray[np.uint8] | NDArray[np.uint16]


def quantise(values: NDArray[np.floating[Any]], bits: int = 8) -> Levels:
    """Round a soft map to integer levels.

    Args:
        values: floats in [0, 1].
        bits: 8 or 16 per pixel.

    Returns:
        An array of the same shape, uint8 or uint16.

    Raises:
        MeasureError: if a value is NaN or outside [0, 1].

    >>> quantise(np.array([[0.0, 0.5, 1.0]])).tolist()
    [[0, 128, 255]]
    """
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise MeasureError("the map has values outside [0, 1] or NaN; a soft map has one probability per pixel")
    rounded = np.rint(values.astype(np.float64) * (2**bits - 1))
    levels: Levels = rounded.astype(np.uint8 if bits == 8 else np.uint16)
    return levels


def check_map(levels: NDArray[Any], annotation: NDArray[Any]) -> tuple[Levels, Mask]:
    """Check that two arrays are a map and its annotation, and make them contiguous.

    Args:
        levels: (H, W) uint8, uint16, or floats in [0, 1].
        annotation: (H, W) bool.

    Returns:
        Levels and annotation as writable C-ordered arrays, copied only if necessary.

    Raises:
        MeasureError: if either has another rank or dtype or is empty, or the shapes differ.
    """
    if annotation.ndim != 2 or annotation.dtype != np.bool_ or annotation.size == 0:
        raise MeasureError(f"the annotation is {_kind(annotation)}; an annotation is an H×W array of bool")
    if levels.ndim != 2 or not (levels.dtype in (np.uint8, np.uint16) or levels.dtype.kind == "f"):
        raise MeasureError(f"the map is {_kind(levels)}; a map is an H×W array of uint8, uint16, or floats in [0, 1]")
    if levels.shape != annotation.shape:
        raise MeasureError(f"the annotation is {annotation.shape}, the map {levels.shape}; resize first")
    whole = quantise(levels) if levels.dtype.kind == "f" else levels
    return np.require(whole, requirements=["C", "W"]), np.require(annotation, requirements=["C", "W"])


def _kind(array: NDArray[Any]) -> str:
    return f"a {'×'.join(str(side) for side in array.shape)} array of {array.dtype}"


Counts = NDArray[np.int64]

EIGHT_TRUE = np.uint64(0x0101010101010101)  # eight pixels of value 1; times a level, eight pixels of that level
LOWEST = np.uint64(255)  # selects the first of eight pixels


def joint_histogram(levels: Levels, annotation: Mask) -> Counts:
    """Count the pixels of background and foreground by level.

    Args:
        levels: (H, W) uint8 or uint16, in C order.
        annotation: (H, W) bool, in C order.

    Returns:
        (2, 256) or (2, 65536) int64; row 1 is the foreground.

    >>> joint_histogram(np.array([[7, 7, 9]], np.uint8), np.array([[True, False, True]]))[:, 7:10]
    array([[1, 0, 0],
           [1, 0, 1]])
    """
    if levels.dtype == np.uint16:
        return _count(levels, annotation, 65536)
    flat, inside = levels.ravel().view(np.uint8), annotation.ravel().view(np.uint8)
    whole = flat.size // 8 * 8
    return _count_bytes(flat, inside, flat[:whole].view(np.uint64), inside[:whole].view(np.uint64))


def _count(levels: Levels, annotation: Mask | NDArray[np.uint8], size: int) -> Counts:
    places = levels.ravel() + annotation.ravel() * np.int64(size)
    return np.bincount(places, minlength=2 * size).reshape(2, size).astype(np.int64, copy=False)


@compiled_or(lambda levels, annotation, _eights, _labels: _count(levels, annotation, 256))
def _count_bytes(
    levels: NDArray[np.uint8], annotation: NDArray[np.uint8], eights: NDArray[np.uint64], labels: NDArray[np.uint64]
) -> Counts:
    """Count eight equal pixels at once, and others in four tables, so that no count waits for the previous one."""
    tables = np.zeros((4, 2, 256), np.int64)
    for index in range(eights.size):
        eight, label = eights[index], labels[index]
        if eight == (eight & LOWEST) * EIGHT_TRUE and (label == 0 or label == EIGHT_TRUE):  # noqa: PLR1714 -- numba
            tables[0, np.int64(label & LOWEST), np.int64(eight & LOWEST)] += 8
        else:
            for place in range(8 * index, 8 * index + 8):
                tables[place & 3, annotation[place], levels[place]] += 1
    for place in range(8 * eights.size, levels.size):
        tables[0, annotation[place], levels[place]] += 1
    total: Counts = tables.sum(axis=0)
    return total


@dataclass(frozen=True, slots=True)
class Scale:
    """The value of a level: s = (level − offset) / span."""

    offset: int
    span: int

    def steps(self, histogram: Counts) -> Counts:
        """The distance of each level from the offset: (L,) int64; negative only for levels that have no pixels."""
        return np.arange(histogram.shape[1], dtype=np.int64) - self.offset


def scale(histogram: Counts, normalise: str) -> Scale:
    """Find the scale of a map.

    Args:
        histogram: (2, L).
        normalise: ``"minmax"`` or ``"none"``.

    >>> scale(joint_histogram(np.array([[3, 9]], np.uint8), np.array([[True, False]])), "minmax")
    Scale(offset=3, span=6)
    """
    if normalise == "minmax":
        used = np.flatnonzero(histogram.any(axis=0))
        if used.size > 1:
            return Scale(int(used[0]), int(used[-1] - used[0]))
    return Scale(0, histogram.shape[1] - 1)


def mean_absolute_error(histogram: Counts, scale: Scale) -> float:
    """The mean of |s − g| over all pixels; range [0, 1], lower is better.

    Source: Perazzi et al., "Saliency Filters", CVPR 2012, equation 10.
    """
    steps = scale.steps(histogram)
    wrong = int(steps @ histogram[0]) + int((scale.span - steps) @ histogram[1])
    return wrong / (scale.span * int(histogram.sum()))
