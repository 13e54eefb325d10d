"""Boundary IoU as a measure of vosbench: vosbench score MASKS --measures J,F,BIoU --plugin examples/boundary_iou.py.

Source: Cheng et al., "Boundary IoU: Improving Object-Centric Image Segmentation Evaluation", CVPR 2021: the IoU of the
two masks' bands, their pixels within d of their contours, where d is 2 % of the image diagonal. Outside the image is
background, so a mask cut by the border has a contour there. 1 if both masks are empty.
"""

import math

import cv2
import numpy as np

from vosbench.metrics import Family, Measure, mean
from vosbench.metrics.arrays import Mask

WIDTH = 0.02


def band(mask: Mask) -> Mask:
    """The pixels of a mask within d of its contour."""
    d = max(1, round(WIDTH * math.hypot(*mask.shape)))
    window = np.ones((2 * d + 1, 2 * d + 1), np.uint8)
    core = cv2.erode(mask.astype(np.uint8), window, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return mask & (core == 0)


class BoundaryIoU:
    """Boundary IoU of each frame of a video, and their mean."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def add(self, annotation: Mask, prediction: Mask) -> dict[str, float]:
        """The value of the next frame."""
        one, other = band(annotation), band(prediction)
        union = int(np.count_nonzero(one | other))
        self.values.append(int(np.count_nonzero(one & other)) / union if union else 1.0)
        return {"BIoU": self.values[-1]}

    def finish(self) -> dict[str, float | None]:
        """The mean over the frames; None without frames."""
        return {"BIoU": mean(self.values)}


family = Family(
    name="BIoU", measures=(Measure(name="BIoU", tolerance=0.003),), start=BoundaryIoU, conventions=f"d={WIDTH}"
)
