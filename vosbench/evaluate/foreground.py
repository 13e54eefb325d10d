"""Region similarity, contour accuracy, temporal stability and third parties' measures along one video.

Ours are not families as third parties add them: J and F of a frame are found in one pass over packed masks, T is of
pairs of frames and of an annotation that is not scored, and saliency measures pool curves over all videos.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vosbench.dataset.fingerprint import Content
from vosbench.errors import MeasureError, VosbenchError, one_line, place
from vosbench.evaluate.task import Scored, Scores, Task
from vosbench.images import files as images
from vosbench.metrics.arrays import Mask
from vosbench.metrics.measures import MASKS, SALIENCY, Family
from vosbench.metrics.packed import Packed, pack, unpack
from vosbench.metrics.packed_scores import contour_accuracy, frame_scores, region_similarity
from vosbench.records.record import Row

if TYPE_CHECKING:
    from vosbench.evaluate.saliency import SaliencyTaker
    from vosbench.metrics.saliency import Accumulator


class MaskTaker:
    """Takes J, F, T and added measures of the frames of a video, in order."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._measures = task.protocol.measures
        self._predictions = task.predictions.read(task.video.name, task.present, images.read_packed)
        self._stability = _Stability(task) if "T" in self._measures else None
        self.added = [_Added(family, task) for family in task.protocol.families]

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
            for added in self.added:
                yield from added.after(index, unpack(annotation), unpack(prediction))
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


class _Added:
    """Measures of a third party along a video: what goes wrong in them is an error that names them and the frame."""

    def __init__(self, family: Family, task: Task) -> None:
        self._family, self._name = family, task.video.name
        self._reserved = {*MASKS, *SALIENCY}
        self.frames = 0
        with self._guarded(f'"{self._name}"'):
            self._accumulation = family.start()

    def after(self, index: int, annotation: Mask, prediction: Mask) -> Iterator[Row]:
        """The rows of a frame."""
        self.frames += 1
        with self._guarded(f'frame {index} of "{self._name}"'):
            values = {name: float(value) for name, value in self._accumulation.add(annotation, prediction).items()}
            for name, value in values.items():
                if not math.isfinite(value) or name in self._reserved:
                    raise MeasureError(
                        f'it gives "{name}" = {value}' + ("" if name not in self._reserved else ", our name")
                    )
        for name, value in values.items():
            yield Row(self._name, index, name, value)

    def finish(self) -> Scores:
        """The scores of the video, in the order of the family's measures."""
        with self._guarded(f'"{self._name}"'):
            found = self._accumulation.finish()
            names = [each.name for each in self._family.measures]
            if found.keys() != set(names):
                raise MeasureError(f"it finishes with {', '.join(found) or 'nothing'}, not {', '.join(names)}")
            scores = {name: None if (value := found[name]) is None else float(value) for name in names}
            wrong = next((name for name, value in scores.items() if value is not None and not math.isfinite(value)), "")
            if wrong:
                raise MeasureError(f'it gives "{wrong}" = {scores[wrong]}')
        return scores

    @contextmanager
    def _guarded(self, where: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            said = str(error) if isinstance(error, VosbenchError) else one_line(error)
            at = place(error, getattr(self._family.start, "__module__", ""))
            raise MeasureError(
                f'the measure "{self._family.name}" fails on {where}{f" at {at}" if at else ""}: {said}'
            ) from error


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
    added = [each for taker in takers if isinstance(taker, MaskTaker) for each in taker.added]
    scores = {name: value for each in added for name, value in each.finish().items()}
    counted = max((each.frames for each in added), default=0)
    return replace(_scored(task, rows, content.hexdigest(), saliency), added=scores, counted=counted)


def _takers(task: Task) -> "list[MaskTaker | SaliencyTaker]":
    takers: list[Any] = []
    if task.protocol.families or any(name in MASKS for name in task.protocol.measures):
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
