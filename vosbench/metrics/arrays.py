"""Checks of what measures take: a pair of masks, or a pair of label maps."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vosbench.errors import MeasureError

Mask = NDArray[np.bool_]


def check_pair(annotation: NDArray[Any], prediction: NDArray[Any]) -> None:
    """Check that two arrays are masks of the same size.

    Args:
        annotation: (H, W) bool.
        prediction: (H, W) bool.

    Raises:
        MeasureError: if either is not a 2-D boolean array or is empty, or the shapes differ.
    """
    for name, mask in (("annotation", annotation), ("prediction", prediction)):
        if mask.ndim != 2 or mask.dtype != np.bool_ or mask.size == 0:
            shape = "×".join(str(side) for side in mask.shape)
            raise MeasureError(f"the {name} is a {shape} array of {mask.dtype}; a mask is an H×W array of bool")
    if annotation.shape != prediction.shape:
        raise MeasureError(f"the annotation is {annotation.shape}, the prediction {prediction.shape}; resize first")


Labels = NDArray[np.integer[Any]]
HIGHEST = 2**31 - 1


def check_labels(first: NDArray[Any], second: NDArray[Any], names: tuple[str, str]) -> None:
    """Check that two arrays are label maps of the same size.

    Args:
        first: (H, W) integers.
        second: (H, W) integers.
        names: what to call the two in an error message.

    Raises:
        MeasureError: if either is not a 2-D array of integers, is empty or has a label above 2³¹ − 1, or the
            shapes differ.
    """
    for name, labels in zip(names, (first, second), strict=True):
        if labels.ndim != 2 or labels.size == 0 or not np.issubdtype(labels.dtype, np.integer):
            shape = "×".join(str(side) for side in labels.shape)
            raise MeasureError(f"{name}: a {shape} array of {labels.dtype}; a label map is an H×W array of integers")
        if labels.max() > HIGHEST:
            raise MeasureError(f"{name}: label {labels.max()} is above {HIGHEST}")
    if first.shape != second.shape:
        raise MeasureError(f"{names[0]} are {first.shape}, {names[1]} {second.shape}; resize first")
