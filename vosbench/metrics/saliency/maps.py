"""Checks of what the saliency measures take, and conversion of floats to levels.

Conventions:
    A map has the integer levels of a grey PNG file, 0…255 (uint8) or 0…65535 (uint16); the highest stands for 1.
    Floats in [0, 1] are rounded to the nearest of 256 levels, halves to even, as `vosbench.images.files.write_map`
    does, so that an array and the file written from it have equal scores.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vosbench.errors import MeasureError
from vosbench.metrics.arrays import Mask

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
