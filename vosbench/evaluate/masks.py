"""Region similarity, contour accuracy and temporal stability along one video."""

from collections.abc import Iterator

import numpy as np

from vosbench import images
from vosbench.evaluate.rows import Row
from vosbench.evaluate.task import Task
from vosbench.metrics.masks import Mask
from vosbench.metrics.packed import contour_accuracy, frame_scores, region_similarity
from vosbench.packed import Packed, pack, unpack


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
