"""Predictions and annotations as arrays, which are written to files so that they are scored like any other masks.

Conventions:
    Arrays are (H, W), one per frame: booleans; integers 0 and 1, or 0 and 255, for background and object; or other
    integers as labels, with 0 for background. 8-bit integers are rejected if they could also be grey levels: if they
    are above `HIGHEST_LABEL`, many, or several without 0. Floats and grey levels are maps, which only saliency
    protocols accept.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vosbench.dataset import DatasetProtocol
from vosbench.dataset.protocol import GENERIC
from vosbench.errors import DataError
from vosbench.images import write_png
from vosbench.images.recognition import distinct

Kind = Literal["mask", "labels", "map"]
Masks = Iterable[ArrayLike]

HIGHEST_LABEL = 99
VIDEO = "video"
"""The name of the only video if arrays are given without names."""


def write_arrays(
    predictions: Masks | Mapping[str, Masks],
    annotations: Masks | Mapping[str, Masks],
    folder: Path,
    protocol: DatasetProtocol = GENERIC,
) -> tuple[Path, Path, str | None]:
    """Write arrays to files.

    Args:
        predictions: (H, W) arrays of one video, or video → arrays; see the conventions above.
        annotations: likewise.
        folder: the folder for the files, which must exist until they are scored.
        protocol: how they are scored.

    Returns:
        The folders of predictions and of annotations, and the codec of the predictions, if it is not recognised.

    Raises:
        DataError: if videos, counts or sizes differ, or an array is not a mask or is ambiguous.
    """
    theirs, ours = _videos(predictions, annotations)
    _refuse_unpaired(theirs, ours)
    labels: Kind = "mask" if protocol.unit == "foreground" else "labels"
    soft: Kind = "map" if protocol.soft else labels
    places = folder / "arrays", folder / "annotations"
    for video in ours:
        pairs = list(theirs[video]), list(ours[video])
        if len(pairs[0]) != len(pairs[1]):
            raise DataError(f'"{video}" has {len(pairs[0])} predictions and {len(pairs[1])} annotations')
        if not pairs[0]:
            raise DataError(f'"{video}" has no frames')
        for index, (one, other) in enumerate(zip(*pairs, strict=True)):
            where = f'frame {index} of "{video}"'
            prediction = _pixels(one, f"the prediction of {where}", soft)
            annotation = _pixels(other, f"the annotation of {where}", labels)
            if prediction.shape != annotation.shape and protocol.resize == "refuse":
                raise DataError(f"{where}: the prediction is {_size(prediction)}, the annotation {_size(annotation)}")
            for place, pixels in zip(places, (prediction, annotation), strict=True):
                write_png(place / video / f"{index:05d}.png", pixels)
    codecs: dict[Kind, str | None] = {"mask": "binary255", "labels": None, "map": "map"}
    return *places, codecs[soft]


def _refuse_unpaired(theirs: Mapping[str, object], ours: Mapping[str, object]) -> None:
    for one, other, names in (
        (theirs, ours, ("predictions", "annotations")),
        (ours, theirs, ("annotations", "predictions")),
    ):
        unpaired = sorted(one.keys() - other.keys())
        if unpaired:
            listed = ", ".join(f'"{name}"' for name in unpaired[:5]) + (", …" if len(unpaired) > 5 else "")
            raise DataError(f"video without a partner: {listed} is in the {names[0]}, but not in the {names[1]}")


def _videos(
    predictions: Masks | Mapping[str, Masks], annotations: Masks | Mapping[str, Masks]
) -> tuple[Mapping[str, Masks], Mapping[str, Masks]]:
    if isinstance(predictions, Mapping) != isinstance(annotations, Mapping):
        raise DataError("predictions and annotations must both be mappings of videos, or both be sequences")
    if isinstance(predictions, Mapping) and isinstance(annotations, Mapping):
        return predictions, annotations
    assert not isinstance(predictions, Mapping)
    assert not isinstance(annotations, Mapping)
    return {VIDEO: predictions}, {VIDEO: annotations}


def _pixels(values: ArrayLike, where: str, kind: Kind) -> NDArray[np.uint8]:
    """Convert an array to pixels: a mask to 0 and 255, labels to numbers, a map to levels."""
    array: NDArray[Any] = np.asarray(values)
    if array.ndim != 2 or array.size == 0:
        raise DataError(f"{where} is an array of shape {array.shape}; pass one of shape (H, W) per frame")
    if np.issubdtype(array.dtype, np.floating):
        return _levels(array, where, kind)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(1 if kind == "labels" else 255)
    if not np.issubdtype(array.dtype, np.integer):
        raise DataError(f"{where} is an array of {array.dtype}; pass booleans, integers or, for a map, floats")
    if kind == "map" and array.dtype == np.uint8:
        return np.asarray(array * np.uint8(255) if array.max() == 1 else array, np.uint8)
    low, high = int(array.min()), int(array.max())
    binary = high == 255 and not ((array != 0) & (array != 255)).any()
    few = array.dtype.itemsize > 1 or (high <= HIGHEST_LABEL and distinct(array) is not None)
    if low < 0 or not (binary or few) or (array.dtype.itemsize == 1 and low > 0 and low != high):
        raise DataError(
            f"{where} has {array.dtype} values from {low} to {high}, which may be labels or grey levels; pass a mask "
            "of booleans, such as map > 127, or labels from 0 as int32"
        )
    if kind != "labels":
        return np.asarray((array != 0) * np.uint8(255), np.uint8)
    if high > 254 and not binary:
        raise DataError(f"{where} has label {high}; labels must be at most 254")
    return np.asarray(array != 0 if binary else array, np.uint8)


def _levels(array: NDArray[Any], where: str, kind: Kind) -> NDArray[np.uint8]:
    if kind != "map":
        raise DataError(f"{where} has floats; pass a mask of booleans, such as map > 0.5, or use a saliency protocol")
    if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
        raise DataError(f"{where} is a map with values outside [0, 1]")
    return np.asarray(np.rint(array.astype(np.float64) * 255), np.uint8)


def _size(array: NDArray[np.uint8]) -> str:
    return f"{array.shape[1]}×{array.shape[0]}"
