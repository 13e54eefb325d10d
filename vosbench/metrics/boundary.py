"""Contour accuracy F: precision and recall of boundary pixels within a tolerance.

Conventions:
    The boundary of a mask consists of the pixels that differ from their right, lower or lower right neighbour.
    The image border does not count, so a full mask has no boundary. A boundary pixel is matched if the other
    boundary has a pixel within a disk of radius r; matching is not one to one. F = 2PR / (P + R); it is 1 if both
    boundaries are empty and 0 if only one is. Range [0, 1], higher is better.
    Source: Perazzi et al., CVPR 2016, section 5; boundary and edge rules as in the DAVIS tools, whose boundary
    map is due to D. Martin's segmentation benchmark (2003).
"""

import math

import numpy as np
from numpy.typing import NDArray

from vosbench.metrics.arrays import Mask, check_pair


def radius(shape: tuple[int, int], tolerance: float = 0.008) -> int:
    """Convert a tolerance to the radius of the matching disk, in pixels.

    Args:
        shape: (H, W) of the frame.
        tolerance: a fraction of the image diagonal, or pixels if it is 1 or more.

    >>> radius((480, 854)), radius((1080, 1920)), radius((480, 854), tolerance=3)
    (8, 18, 3)
    """
    return math.ceil(tolerance if tolerance >= 1 else tolerance * math.hypot(*shape))


def boundary_map(mask: Mask) -> Mask:
    """Find the boundary pixels of a mask.

    Args:
        mask: (H, W) bool.

    Returns:
        (H, W) bool. The last row is compared only to the right and the last column only downwards; the last pixel is
        never a boundary.

    >>> boundary_map(np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]], bool)).astype(int)
    array([[1, 1, 0],
           [1, 1, 0],
           [0, 0, 0]])
    """
    boundary = np.zeros_like(mask)
    boundary[:, :-1] |= mask[:, :-1] != mask[:, 1:]
    boundary[:-1] |= mask[:-1] != mask[1:]
    boundary[:-1, :-1] |= mask[:-1, :-1] != mask[1:, 1:]
    return boundary


def disk(reach: int) -> NDArray[np.uint8]:
    """The (2r + 1, 2r + 1) matching disk, 1 where dx² + dy² ≤ r².

    >>> disk(1)
    array([[0, 1, 0],
           [1, 1, 1],
           [0, 1, 0]], dtype=uint8)
    """
    across = np.arange(-reach, reach + 1) ** 2
    return (across[:, None] + across[None, :] <= reach * reach).astype(np.uint8)


def contour_accuracy(annotation: Mask, prediction: Mask, tolerance: float = 0.008) -> float:
    """Measure the contour accuracy F of one frame.

    Only the box around both masks, padded by the radius, is compared. There is no boundary outside it, so the
    result equals that of the whole frame.

    Args:
        annotation: (H, W) bool.
        prediction: (H, W) bool.
        tolerance: a fraction of the image diagonal, or pixels if it is 1 or more.

    Returns:
        F in [0, 1].

    Raises:
        MeasureError: if the arrays are not masks of the same size.

    >>> square = np.zeros((12, 16), bool)
    >>> square[3:7, 4:9] = True
    >>> contour_accuracy(square, square), contour_accuracy(square, ~square & False)
    (1.0, 0.0)
    """
    check_pair(annotation, prediction)
    height, width = annotation.shape
    reach = radius((height, width), tolerance)
    box = enclosing_box(annotation | prediction, reach)
    return match_boundaries(boundary_map(annotation[box]), boundary_map(prediction[box]), reach)


def enclosing_box(mask: Mask, margin: int) -> tuple[slice, slice]:
    """The smallest box around a mask, padded by a margin within the frame; 1×1 if the mask is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return slice(0, 1), slice(0, 1)
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + margin + 1),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + margin + 1),
    )


def match_boundaries(annotation: Mask, prediction: Mask, reach: int) -> float:
    """Measure F of two boundary maps of the same shape, with a matching disk of radius ``reach`` in pixels."""
    import cv2

    of_annotation, of_prediction = int(np.count_nonzero(annotation)), int(np.count_nonzero(prediction))
    if of_annotation == 0 or of_prediction == 0:
        return float(of_annotation == of_prediction)
    element = disk(reach)
    near_annotation = cv2.dilate(annotation.view(np.uint8), element).view(np.bool_)
    near_prediction = cv2.dilate(prediction.view(np.uint8), element).view(np.bool_)
    precision = int(np.count_nonzero(prediction & near_annotation)) / of_prediction
    recall = int(np.count_nonzero(annotation & near_prediction)) / of_annotation
    return harmonic_mean(precision, recall)


def harmonic_mean(precision: float, recall: float) -> float:
    """2PR / (P + R), or 0 if both are 0.

    >>> harmonic_mean(1.0, 0.5)
    0.6666666666666666
    """
    total = precision + recall
    return 0.0 if total == 0 else 2 * precision * recall / total
