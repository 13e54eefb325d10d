"""Region similarity, contour accuracy and temporal stability along one video."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vosbench.dataset.fingerprint import Content
from vosbench.evaluate.task import Scored, Task
from vosbench.images import files as images
from vosbench.metrics.arrays import Mask
from vosbench.metrics.measures import MASKS, SALIENCY
from vosbench.metrics.packed import Packed, pack, unpack
from vosbench.metrics.packed_scores import contour_accuracy, frame_scores, region_similarity
from vosbench.records.record import Row

if TYPE_CHECKING:
    from vosbench.evaluate.saliency import SaliencyTaker
    from vosbench.metrics.saliency import Accumulator


class MaskTaker:
    """Takes J, F and T of the frames of a video, in order."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._measures = task.protocol.measures
        self._predictions = task.predictions.read(task.video.name, task.present, images.read_packed)
        self._stability = _Stability(task) if "T" in self._measures else None

    def take(self, index: int, annotation: Packed) -> Iterator[Row]:
        """The rows of the next frame that has a prediction."""
        name, protocol = self._task.video.name, self._task.protocol
        prediction = self._fit(next(self._predictions), annotation, index)
        if protocol.empty == "score" or annotation.any():
            if "J" in self._measures and "F" in self._measures:
                both = frame_scores(annotation, prediction, protocol.tolerance)
                yield Row(name, index, "J", both.region)
                yield Row(name, index, "F", both.contour)
            elif "J" in self._measures:
                yield Row(name, index, "J", region_similarity(annotation, prediction))
            elif "F" in self._measures:
                yield Row(name, index, "F", contour_accuracy(annotation, prediction, protocol.tolerance))
        if self._stability is not None:
            yield from self._stability.after(index, unpack(prediction))

    def _fit(self, prediction: Packed, annotation: Packed, index: int) -> Packed:
        """Bring a prediction to the annotation's size, by nearest neighbours, or refuse to."""
        if not self._task.differs(index, prediction.shape, annotation.shape):
            return prediction
        import cv2

        height, width = annotation.shape
        mask = unpack(prediction).view(np.uint8)
        resized = cv2.resize(mask, dsize=(width, height), interpolation=cv2.INTER_NEAREST_EXACT)
        return pack(resized.view(np.bool_))


class _Stability:
    """Temporal stability along a video: each mask is held against the one before."""

    def __init__(self, task: Task) -> None:
        from vosbench.metrics import stability

        self._metric = stability
        self._name = task.video.name
        self._order = task.protocol.junctions
        self._last: tuple[int, stability.Shape | None] | None = None
        if task.protocol.t_first == "gt" and min(task.scored, default=0) == 1:
            first = images.read_mask(task.video.annotations[0], task.video.codec)
            self._last = (0, stability.describe(first, self._order))

    def after(self, index: int, mask: Mask) -> Iterator[Row]:
        """The row of a frame and the one right before it; none where either has no usable contour."""
        shape = self._metric.describe(mask, self._order)
        last, self._last = self._last, (index, shape)
        if last is not None and last[0] == index - 1 and last[1] is not None and shape is not None:
            yield Row(self._name, index, "T", self._metric.FACTOR * self._metric.instability(last[1], shape))


def score_video(task: Task) -> Scored:
    """Score one video, frame by frame: memory does not grow with its length.

    Raises:
        DataError: where a file is corrupt, of another encoding, or of another size.
    """
    if task.protocol.unit == "objects":
        from vosbench.evaluate.proposals import object_rows

        rows, digest = object_rows(task)
        return _scored(task, rows, digest)
    if task.protocol.unit == "regions":
        from vosbench.evaluate.ochs_brox import region_scores

        regions, digest = region_scores(task)
        return replace(_scored(task, [], digest), regions=regions)
    content = Content(task.video.name)
    takers = _takers(task)
    rows = []
    for index in task.scored:
        annotation = images.read_packed(task.video.annotations[index], task.video.codec)
        content.add(index, annotation)
        if index in task.predictions.files[task.video.name]:
            for taker in takers:
                rows += taker.take(index, annotation)
    saliency = next((taker.summary() for taker in takers if not isinstance(taker, MaskTaker)), None)
    return _scored(task, rows, content.hexdigest(), saliency)


def _takers(task: Task) -> "list[MaskTaker | SaliencyTaker]":
    takers: list[Any] = []
    if any(name in MASKS for name in task.protocol.measures):
        takers.append(MaskTaker(task))
    if any(name in SALIENCY for name in task.protocol.measures):
        from vosbench.evaluate.saliency import SaliencyTaker

        takers.append(SaliencyTaker(task))
    return takers


def _scored(task: Task, rows: list[Row], digest: str, saliency: "Accumulator | None" = None) -> Scored:
    there = task.predictions.files[task.video.name]
    return Scored(
        video=task.video.name,
        rows=tuple(rows),
        missing=task.missing,
        unscored=sum(index not in there for index in range(len(task.video)) if index not in task.scored),
        annotations=digest,
        saliency=saliency,
    )
