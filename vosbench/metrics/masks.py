"""What every measure on a pair of masks asks of its arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vosbench.errors import MeasureError

Mask = NDArray[np.bool_]


def check_pair(annotation: NDArray[Any], prediction: NDArray[Any]) -> None:
    """Refuse arrays that are no pair of masks.

    Args:
        annotation: (H, W) bool.
        prediction: (H, W) bool.

    Raises:
        MeasureError: where either is not a 2-D boolean array, is empty, or the shapes differ.
    """
    for name, mask in (("annotation", annotation), ("prediction", prediction)):
        if mask.ndim != 2 or mask.dtype != np.bool_ or mask.size == 0:
            shape = "×".join(str(side) for side in mask.shape)
            raise MeasureError(f"the {name} is a {shape} array of {mask.dtype}; a mask is an H×W array of bool")
    if annotation.shape != prediction.shape:
        raise MeasureError(f"the annotation is {annotation.shape}, the prediction {prediction.shape}; resize first")
