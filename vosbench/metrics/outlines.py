"""Contour accuracy F of every object against every proposal of a frame.

Conventions:
    As `vosbench.metrics.boundary`, whose numbers these are. Each label's boundary is found and dilated once, in
    the box around the label; of two labels only the part that their boxes share is compared.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vosbench.metrics.boundary import boundary_map, disk, enclosing_box, harmonic_mean, radius
from vosbench.metrics.labels import Labels
from vosbench.metrics.masks import Mask


@dataclass(frozen=True, slots=True)
class Outline:
    """The boundary of one label.

    Attributes:
        top: the first row of its box within the frame.
        left: the first column.
        boundary: (h, w) bool, within the box; nothing is outside.
        near: (h, w) bool, what a boundary pixel may match; nothing is outside.
        size: boundary pixels.
    """

    top: int
    left: int
    boundary: Mask
    near: Mask
    size: int


def trace(mask: Mask, reach: int) -> Outline:
    """Find the outline of a mask, to be matched within a radius of ``reach`` pixels."""
    box = enclosing_box(mask, reach + 1)
    boundary = boundary_map(mask[box])
    near = cv2.dilate(boundary.view(np.uint8), disk(reach)).view(np.bool_)
    return Outline(box[0].start, box[1].start, boundary, near, int(np.count_nonzero(boundary)))


def trace_labels(labels: Labels, highest: int, reach: int) -> list[Outline]:
    """Find the outlines of labels 1 to the highest; those that the frame does not show are empty."""
    counts = np.bincount(labels.ravel(), minlength=highest + 1)
    nothing = trace(np.zeros((1, 1), np.bool_), reach)
    return [trace(labels == label, reach) if counts[label] else nothing for label in range(1, highest + 1)]


def match_outlines(annotation: Outline, prediction: Outline) -> float:
    """F of two outlines of one frame, traced with the same radius."""
    if annotation.size == 0 or prediction.size == 0:
        return float(annotation.size == prediction.size)
    precision = _shared(prediction.boundary, prediction, annotation.near, annotation) / prediction.size
    recall = _shared(annotation.boundary, annotation, prediction.near, prediction) / annotation.size
    return harmonic_mean(precision, recall)


def contour_matrix(
    annotation: Labels, prediction: Labels, shape: tuple[int, int], tolerance: float
) -> NDArray[np.float64]:
    """Measure F of proposals 1…K against objects 1…N of one frame.

    Args:
        annotation: (H, W), the objects' labels.
        prediction: (H, W), the proposals' labels.
        shape: (K, N).
        tolerance: a fraction of the image diagonal, or pixels where it is 1 or more.

    Returns:
        (K, N) in [0, 1].

    >>> labels = np.array([[0, 1, 1, 0, 0, 0, 0, 2, 2, 0]])
    >>> contour_matrix(labels, labels[:, ::-1], (3, 2), tolerance=1)
    array([[0., 1.],
           [1., 0.],
           [0., 0.]])
    """
    height, width = annotation.shape
    reach = radius((height, width), tolerance)
    objects, proposals = trace_labels(annotation, shape[1], reach), trace_labels(prediction, shape[0], reach)
    found = [[match_outlines(of_object, of_proposal) for of_object in objects] for of_proposal in proposals]
    return np.array(found, np.float64).reshape(shape)


def _shared(boundary: Mask, of_boundary: Outline, near: Mask, of_near: Outline) -> int:
    """The pixels of a boundary that lie near another, each given within its own box."""
    down, right = of_near.top - of_boundary.top, of_near.left - of_boundary.left
    ours = boundary[max(0, down) :, max(0, right) :]
    theirs = near[max(0, -down) :, max(0, -right) :]
    height, width = min(ours.shape[0], theirs.shape[0]), min(ours.shape[1], theirs.shape[1])
    return int(np.count_nonzero(ours[:height, :width] & theirs[:height, :width]))
