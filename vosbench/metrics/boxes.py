"""Overlap of boxes around masks, for datasets whose annotations are boxes.

Conventions:
    A box is (left, top, right, bottom) in pixels; the last row and column are those before bottom and right. The box of
    a soft map: if more than half of the pixels of its border are above 127.5, the map is inverted, since a method that
    finds no object in the foreground has swapped the two; levels above a tenth of 255 are the object; of the boxes
    around its parts, the one with the largest area counts. Parts touch at edges or corners, and holes do not matter.
    The overlap is the IoU of two boxes, 0 if the map has no object; range [0, 1], higher is better.
    Source: Yang et al., "Self-supervised Video Object Segmentation by Motion Grouping", ICCV 2021, section 4 and its
    evaluation of MoCA. A border of one row or column counts its corners twice in the denominator there; not here.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vosbench.metrics.arrays import Mask

Edges = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""
LEVEL = 25.5
BORDER = 127.5


def box_of_map(levels: NDArray[Any]) -> Edges | None:
    """The box around the object of a soft map.

    Args:
        levels: (H, W) in 0…255.

    Returns:
        left, top, right and bottom; None if there is no object.

    >>> levels = np.zeros((6, 8), np.uint8)
    >>> levels[2:5, 3:5], levels[1, 6] = 200, 26
    >>> box_of_map(levels)
    (3.0, 2.0, 5.0, 5.0)
    >>> box_of_map(255 - levels) == box_of_map(levels)
    True
    """
    return largest_box((255 - levels if _bordered(levels) else levels) > LEVEL)


def largest_box(mask: Mask) -> Edges | None:
    """The largest of the boxes around a mask's parts; None if it is empty.

    Args:
        mask: (H, W) bool.

    Returns:
        left, top, right and bottom; of equal ones, that of the part whose outline OpenCV lists first.
    """
    import cv2

    outlines = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
    boxes = [cv2.boundingRect(outline) for outline in outlines]
    if not boxes:
        return None
    left, top, width, height = max(boxes, key=lambda box: box[2] * box[3])
    return float(left), float(top), float(left + width), float(top + height)


def scaled(box: Edges, size: tuple[int, int], to: tuple[int, int]) -> Edges:
    """A box in an image of another size.

    Args:
        box: in an image of (H, W) ``size``.
        size: of that image.
        to: (H, W) of the other.
    """
    x, y = to[1] / size[1], to[0] / size[0]
    return box[0] * x, box[1] * y, box[2] * x, box[3] * y


def box_overlap(one: Edges | None, other: Edges | None) -> float:
    """The IoU of two boxes; 0 if there is none.

    >>> box_overlap((0, 0, 2, 2), (1, 0, 3, 2)), box_overlap((0, 0, 2, 2), None)
    (0.3333333333333333, 0.0)
    """
    if one is None or other is None:
        return 0.0
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return float(shared / (_area(one) + _area(other) - shared))


def _area(box: Edges) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _bordered(levels: NDArray[Any]) -> bool:
    """Whether more than half of the border is above the middle."""
    inside = np.zeros(levels.shape, np.bool_)
    inside[1:-1, 1:-1] = True
    return bool(np.mean(levels[~inside] > BORDER) > 0.5)
