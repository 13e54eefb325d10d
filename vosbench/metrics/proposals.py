"""Unsupervised segmentation of several objects: proposals of a sequence against its annotated objects.

Conventions:
    Objects are labelled 1…N, where N is the highest label of the first frame; higher labels of later frames are
    background, 255 is void. Proposals are labelled 1…K in every frame of a sequence, K at most 20. Void pixels are
    taken from prediction and annotation before anything is counted or traced. J and F are taken of every proposal
    and object in all frames, the first and the last among them. Objects are paired with one proposal each so that
    the sum of J and F, as means over frames, is highest. If K < N, empty proposals make up for the rest: an
    object without a proposal scores 0 in every frame that shows it, and 1 in those that do not.
    A sequence's scores are means over its objects, a dataset's are means over all objects of all sequences.
    F is that of `vosbench.metrics.boundary`: each label's boundary is found and dilated once, in the box around the
    label, and of two labels only the part that their boxes share is compared.
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


VOID = 255


@dataclass(frozen=True, slots=True)
class ObjectScore:
    """One annotated object.

    Attributes:
        label: in the annotation.
        proposal: the label that it is paired with, or None where there is no such proposal.
        J: of each frame.
        F: of each frame.
        scores: ``J_mean``, ``J_recall``, ``J_decay``, the same of F, and ``JF_mean``.
    """

    label: int
    proposal: int | None
    J: tuple[float, ...]
    F: tuple[float, ...]
    scores: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class SequenceScores:
    """The objects of a sequence by label, and the means of their scores; None where there is no object."""

    objects: tuple[ObjectScore, ...]
    scores: dict[str, float | None]


class Proposals:
    """The proposals of one sequence, measured against its objects frame by frame.

    Args:
        limit: the highest label of a proposal.
        tolerance: of contour accuracy, as a fraction of the image diagonal, or pixels where it is 1 or more.

    >>> proposals = Proposals()
    >>> proposals.add(np.array([[1, 1, 2, 255]]), np.array([[2, 2, 1, 1]]))
    >>> [(found.label, found.proposal, found.J) for found in proposals.result().objects]
    [(1, 2, (1.0,)), (2, 1, (1.0,))]
    """

    def __init__(self, limit: int = 20, tolerance: float = 0.008) -> None:
        self._limit, self._tolerance = limit, tolerance
        self._objects: int | None = None
        self._proposals = 0
        self._J: list[NDArray[np.float64]] = []
        self._F: list[NDArray[np.float64]] = []

    def add(self, annotation: Labels, prediction: Labels) -> None:
        """Measure one frame; the first that is added tells the number of objects.

        Args:
            annotation: (H, W) integers: 0 background, 1…N objects, 255 void.
            prediction: (H, W) integers: 0 background, 1…K proposals.

        Raises:
            MeasureError: where the arrays are no pair of label maps, or a label is negative or above the limit.
        """
        check_labels(annotation, prediction, ("annotation", "prediction"))
        if min(annotation.min(), prediction.min()) < 0:
            raise MeasureError("a label is negative; objects and proposals are labelled from 1, background is 0")
        highest = int(prediction.max())
        if highest > self._limit:
            raise MeasureError(f"the prediction has a proposal {highest}; at most {self._limit} are allowed, from 1")
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
            MeasureError: where no frame was added.
        """
        from scipy.optimize import linear_sum_assignment

        if self._objects is None:
            raise MeasureError("the sequence has no frame")
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
    """Measure J of proposals 1…K against objects 1…N of one frame.

    Args:
        annotation: (H, W), labels 0…N.
        prediction: (H, W), labels 0…K.
        shape: (K, N).

    Returns:
        (K, N) in [0, 1]; 1 where both are empty.

    >>> region_matrix(np.array([[1, 1, 0]]), np.array([[0, 1, 0]]), (2, 1))
    array([[0.5],
           [0. ]])
    """
    rows, columns = shape[0] + 1, shape[1] + 1
    codes = np.multiply(prediction, columns, dtype=np.intp) + annotation
    shared = np.bincount(codes.ravel(), minlength=rows * columns).reshape(rows, columns)
    either = shared.sum(axis=1)[1:, None] + shared.sum(axis=0)[None, 1:] - shared[1:, 1:]
    return np.where(either == 0, 1.0, shared[1:, 1:] / np.maximum(either, 1))


def dataset_proposals(sequences: Sequence[SequenceScores]) -> dict[str, float | None]:
    """The means over all objects of all sequences; None where there is no object."""
    return _means([found for sequence in sequences for found in sequence.objects])


def _statistics(J: Sequence[float], F: Sequence[float]) -> dict[str, float | None]:
    scores = {
        f"{name}_{statistic.__name__}": statistic(values)
        for name, values in (("J", J), ("F", F))
        for statistic in (mean, recall, decay)
    }
    return {**scores, "JF_mean": (math.fsum(J) / len(J) + math.fsum(F) / len(F)) / 2}


def _means(objects: Sequence[ObjectScore]) -> dict[str, float | None]:
    names = objects[0].scores if objects else _statistics([0.0], [0.0])
    return {name: mean([value for found in objects if (value := found.scores[name]) is not None]) for name in names}
