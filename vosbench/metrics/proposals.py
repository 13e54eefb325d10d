"""Unsupervised segmentation of multiple objects: scores of a sequence's proposals against its annotated objects.

Conventions:
    Objects are labelled 1…N, where N is the highest label of the first frame; higher labels in later frames are
    background, and 255 is void. Proposals are labelled 1…K in all frames of a sequence, with K at most 20. Void
    pixels are set to background in prediction and annotation first. J and F are measured between every proposal and
    every object in all frames, including the first and the last. Each object is paired with one proposal to maximise
    the sum of J and F, averaged over frames. If K < N, empty proposals are added: an object without a proposal
    scores 0 in frames that show it and 1 in frames that do not.
    The scores of a sequence are means over its objects, those of a dataset means over all objects of all sequences.
    F is that of `vosbench.metrics.boundary`. For speed, the boundary of each label is found and dilated only once,
    within the box around it, and two labels are compared only where their boxes overlap.
    Source: Caelles et al., "The 2019 DAVIS Challenge on VOS: Unsupervised Multi-Object Segmentation",
    arXiv 1905.00737; frames, void, empty proposals and the number of objects as in davis2017-evaluation. That tool
    lists objects in the order of their proposals; here they keep their labels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vosbench.errors import MeasureError
from vosbench.metrics.arrays import Labels, Mask, check_labels
from vosbench.metrics.boundary import boundary_map, disk, enclosing_box, harmonic_mean, radius
from vosbench.metrics.statistics import decay, mean, recall


@dataclass(frozen=True, slots=True)
class Outline:
    """The boundary of one label.

    Attributes:
        top: the first row of its box within the frame.
        left: the first column.
        boundary: (h, w) bool, the boundary pixels, all of which are within the box.
        near: (h, w) bool, the boundary dilated by the matching disk, all of which is within the box.
        size: number of boundary pixels.
    """

    top: int
    left: int
    boundary: Mask
    near: Mask
    size: int


def trace(mask: Mask, reach: int) -> Outline:
    """Find the outline of a mask, for matching within a radius of ``reach`` pixels."""
    box = enclosing_box(mask, reach + 1)  # a boundary pixel may lie one pixel outside the mask
    boundary = boundary_map(mask[box])
    near = cv2.dilate(boundary.view(np.uint8), disk(reach)).view(np.bool_)
    return Outline(box[0].start, box[1].start, boundary, near, int(np.count_nonzero(boundary)))


def trace_labels(labels: Labels, highest: int, reach: int) -> list[Outline]:
    """Find the outlines of labels 1 to the highest, which are empty for labels that are not in the frame."""
    counts = np.bincount(labels.ravel(), minlength=highest + 1)
    empty = trace(np.zeros((1, 1), np.bool_), reach)
    return [trace(labels == label, reach) if counts[label] else empty for label in range(1, highest + 1)]


def match_outlines(annotation: Outline, prediction: Outline) -> float:
    """Measure F of two outlines of one frame, traced with the same radius."""
    if annotation.size == 0 or prediction.size == 0:
        return float(annotation.size == prediction.size)
    precision = _shared(prediction.boundary, prediction, annotation.near, annotation) / prediction.size
    recall = _shared(annotation.boundary, annotation, prediction.near, prediction) / annotation.size
    return harmonic_mean(precision, recall)


def contour_matrix(
    annotation: Labels, prediction: Labels, shape: tuple[int, int], tolerance: float
) -> NDArray[np.float64]:
    """Measure F between proposals 1…K and objects 1…N in one frame.

    Args:
        annotation: (H, W), the labels of the objects.
        prediction: (H, W), the labels of the proposals.
        shape: (K, N).
        tolerance: a fraction of the image diagonal, or pixels if it is 1 or more.

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
    scores = [[match_outlines(of_object, of_proposal) for of_object in objects] for of_proposal in proposals]
    return np.array(scores, np.float64).reshape(shape)


def _shared(boundary: Mask, of_boundary: Outline, near: Mask, of_near: Outline) -> int:
    """Count the pixels of a boundary that are near another one; each is given within its own box."""
    down, right = of_near.top - of_boundary.top, of_near.left - of_boundary.left
    ours = boundary[max(0, down) :, max(0, right) :]
    theirs = near[max(0, -down) :, max(0, -right) :]
    height, width = min(ours.shape[0], theirs.shape[0]), min(ours.shape[1], theirs.shape[1])
    return int(np.count_nonzero(ours[:height, :width] & theirs[:height, :width]))


VOID = 255


@dataclass(frozen=True, slots=True)
class ObjectScore:
    """One annotated object.

    Attributes:
        label: its label in the annotation.
        proposal: the label of its proposal, or None if there is none for it.
        J: one value per frame.
        F: one value per frame.
        scores: ``J_mean``, ``J_recall``, ``J_decay``, the same for F, and ``JF_mean``.
    """

    label: int
    proposal: int | None
    J: tuple[float, ...]
    F: tuple[float, ...]
    scores: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class SequenceScores:
    """The objects of a sequence by label, and their mean scores, which are None if there are no objects."""

    objects: tuple[ObjectScore, ...]
    scores: dict[str, float | None]


class Proposals:
    """The proposals of one sequence, compared to its objects frame by frame.

    Args:
        limit: the highest label a proposal may have.
        tolerance: for F, a fraction of the image diagonal, or pixels if it is 1 or more.

    >>> proposals = Proposals()
    >>> proposals.add(np.array([[1, 1, 2, 255]]), np.array([[2, 2, 1, 1]]))
    >>> [(score.label, score.proposal, score.J) for score in proposals.result().objects]
    [(1, 2, (1.0,)), (2, 1, (1.0,))]
    """

    def __init__(self, limit: int = 20, tolerance: float = 0.008) -> None:
        self._limit, self._tolerance = limit, tolerance
        self._objects: int | None = None
        self._proposals = 0
        self._J: list[NDArray[np.float64]] = []
        self._F: list[NDArray[np.float64]] = []

    def add(self, annotation: Labels, prediction: Labels) -> None:
        """Measure one frame; the first frame determines the number of objects.

        Args:
            annotation: (H, W) integers: 0 background, 1…N objects, 255 void.
            prediction: (H, W) integers: 0 background, 1…K proposals.

        Raises:
            MeasureError: if the arrays are not label maps of the same size, or a label is negative or above the limit.
        """
        check_labels(annotation, prediction, ("annotation", "prediction"))
        if min(annotation.min(), prediction.min()) < 0:
            raise MeasureError("a label is negative; objects and proposals are numbered from 1, the background is 0")
        highest = int(prediction.max())
        if highest > self._limit:
            raise MeasureError(f"the prediction has the label {highest}; the highest allowed is {self._limit}")
        void = annotation == VOID
        objects = np.where(void, 0, annotation)
        if self._objects is None:
            self._objects = int(objects.max())
        objects[objects > self._objects] = 0
        objects = objects.astype(np.min_scalar_type(self._objects))
        proposals = np.where(void, 0, prediction).astype(np.min_scalar_type(self._limit))
        shape = max(self._limit, self._objects), self._objects
        self._proposals = max(self._proposals, highest)
        self._J.append(region_matrix(objects, proposals, shape))
        self._F.append(contour_matrix(objects, proposals, shape, self._tolerance))

    def result(self) -> SequenceScores:
        """Pair objects with proposals and score the sequence.

        Raises:
            MeasureError: if no frame was added.
        """
        from scipy.optimize import linear_sum_assignment

        if self._objects is None:
            raise MeasureError("the sequence has no frames")
        rows = max(self._proposals, self._objects)
        J, F = np.stack(self._J)[:, :rows], np.stack(self._F)[:, :rows]
        paired = linear_sum_assignment(J.mean(axis=0) + F.mean(axis=0), maximize=True)
        objects = []
        for column, row in sorted(zip(paired[1].tolist(), paired[0].tolist(), strict=True)):
            j, f = tuple(J[:, row, column].tolist()), tuple(F[:, row, column].tolist())
            proposal = row + 1 if row < self._proposals else None
            objects.append(ObjectScore(column + 1, proposal, j, f, _statistics(j, f)))
        return SequenceScores(tuple(objects), _means(objects))


def region_matrix(annotation: Labels, prediction: Labels, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Measure J between proposals 1…K and objects 1…N in one frame.

    Args:
        annotation: (H, W), labels 0…N.
        prediction: (H, W), labels 0…K.
        shape: (K, N).

    Returns:
        (K, N) in [0, 1], 1 where both are empty.

    >>> region_matrix(np.array([[1, 1, 0]]), np.array([[0, 1, 0]]), (2, 1))
    array([[0.5],
           [0. ]])
    """
    rows, columns = shape[0] + 1, shape[1] + 1
    codes = np.multiply(prediction, columns, dtype=np.intp) + annotation
    shared = np.bincount(codes.ravel(), minlength=rows * columns).reshape(rows, columns)
    union = shared.sum(axis=1)[1:, None] + shared.sum(axis=0)[None, 1:] - shared[1:, 1:]
    return np.where(union == 0, 1.0, shared[1:, 1:] / np.maximum(union, 1))


def dataset_proposals(sequences: Sequence[SequenceScores]) -> dict[str, float | None]:
    """Average over all objects of all sequences; None if there are no objects."""
    return _means([score for sequence in sequences for score in sequence.objects])


def _statistics(J: Sequence[float], F: Sequence[float]) -> dict[str, float | None]:
    scores = {
        f"{name}_{statistic.__name__}": statistic(values)
        for name, values in (("J", J), ("F", F))
        for statistic in (mean, recall, decay)
    }
    return {**scores, "JF_mean": (math.fsum(J) / len(J) + math.fsum(F) / len(F)) / 2}


def _means(objects: Sequence[ObjectScore]) -> dict[str, float | None]:
    names = objects[0].scores if objects else _statistics([0.0], [0.0])
    return {name: mean([value for score in objects if (value := score.scores[name]) is not None]) for name in names}
