"""Measure J, F, T and measures added by third parties for the frames of one video.

The built-in measures are not families like those of third parties: J and F of a frame are computed in one pass over
packed masks, T needs pairs of frames and an annotation that is not scored, and saliency pools curves over all videos.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vosbench.dataset.protocol import HALF as HALF_LEVEL
from vosbench.errors import MeasureError, VosbenchError, one_line, place
from vosbench.evaluate.annotated import Annotated
from vosbench.evaluate.predictions import Reading
from vosbench.evaluate.task import Scored, Scores, Task
from vosbench.images import files as images
from vosbench.images import read_annotation
from vosbench.metrics.arrays import Mask
from vosbench.metrics.measures import BOXES, MAPS, MASKS, Family
from vosbench.metrics.packed import Packed, pack, unpack
from vosbench.metrics.packed_scores import contour_accuracy, frame_scores, region_similarity, shared
from vosbench.metrics.statistics import mean
from vosbench.records.record import Row

if TYPE_CHECKING:
    from vosbench.evaluate.boxes import BoxScorer
    from vosbench.evaluate.saliency import SaliencyScorer
    from vosbench.metrics.saliency import Accumulator


HALF = 0.5
ONE = np.uint64(1)


class MaskScorer:
    """Computes J, F, T and added measures for the frames of a video, in order."""

    def __init__(self, task: Task, masks: Reading) -> None:
        self._task, self._masks = task, masks
        self._measures = task.protocol.measures
        self._empty = self._full = self._read = 0
        self._inverted: list[float] = []
        self._stability = _Stability(task) if "T" in self._measures else None
        self.added = [_Added(family, task) for family in task.protocol.families]

    def score(self, index: int, annotation: Packed) -> Iterator[Row]:
        """Score the next frame that has a prediction."""
        name, protocol = self._task.video.name, self._task.protocol
        prediction = read_prediction(self._task, self._masks, index, annotation.shape)
        self._read += 1
        if not prediction.any():
            self._empty += 1
        elif prediction.words[0, 0] & ONE and prediction.count() == prediction.height * prediction.width:
            self._full += 1
        empty = not annotation.any()
        if protocol.empty == "score" or not empty or (protocol.empty == "skip-both" and prediction.any()):
            if "J" in self._measures and "F" in self._measures:
                both = frame_scores(annotation, prediction, protocol.tolerance)
                yield Row(name, index, "J", both.region)
                yield Row(name, index, "F", both.contour)
                self._watch(annotation, prediction, both.region)
            elif "J" in self._measures:
                region = region_similarity(annotation, prediction)
                yield Row(name, index, "J", region)
                self._watch(annotation, prediction, region)
            elif "F" in self._measures:
                yield Row(name, index, "F", contour_accuracy(annotation, prediction, protocol.tolerance))
            for added in self.added:
                yield from added.after(index, unpack(annotation), unpack(prediction))
        if self._stability is not None:
            yield from self._stability.after(index, prediction)

    def _watch(self, annotation: Packed, prediction: Packed, region: float) -> None:
        """Add up J of the inverted prediction; that of one whose J is at least 0.5 is never larger, and counts as 0."""
        inverted = 0.0
        if region < HALF:
            both = shared(annotation, prediction)
            rest = prediction.height * prediction.width - prediction.count()
            inverted = (annotation.count() - both) / max(rest + both, 1)
        self._inverted.append(inverted)

    def watched(self) -> tuple[tuple[int, int, int], float | None]:
        """How many predictions are empty, are full, and there are; and the mean J of inverted predictions."""
        return (self._empty, self._full, self._read), mean(self._inverted)


def read_prediction(task: Task, masks: Reading, index: int, shape: tuple[int, int]) -> Packed:
    """Read the mask of a frame as it is scored: at the (H, W) of its annotation.

    Raises:
        DataError: if it is corrupt or has another encoding, or another size that the protocol does not resize.
    """
    check, above = task.checks(index, shape), task.protocol.maps_above
    if above == HALF_LEVEL:
        return _fit(task, masks.read(index, images.read_packed, check), index, shape)
    levels = masks.read(index, images.read_levels, check)
    if task.differs(index, (levels.shape[0], levels.shape[1]), shape):
        import cv2

        levels = cv2.resize(levels, shape[::-1]).astype(np.uint8)
    return pack(levels > above)


def _fit(task: Task, prediction: Packed, index: int, shape: tuple[int, int]) -> Packed:
    """Resize a prediction (nearest neighbour), if the protocol allows it."""
    if not task.differs(index, prediction.shape, shape):
        return prediction
    import cv2

    mask = unpack(prediction).view(np.uint8)
    resized = cv2.resize(mask, dsize=shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    return pack(resized.view(np.bool_))


class _Stability:
    """Temporal stability along a video: each mask is compared to the previous one."""

    def __init__(self, task: Task) -> None:
        from vosbench.metrics import stability

        self._metric = stability
        self._name = task.video.name
        self._order = task.protocol.junctions
        self._last: tuple[int, stability.Shape | None] | None = None
        starts = task.protocol.t_first == "gt" and min(task.scored, default=0) == 1
        if starts and 0 in task.video.annotations:
            first = read_annotation(task.video.annotations[0], task.video.codec)
            self._last = (0, stability.describe(first, self._order))

    def after(self, index: int, mask: Packed) -> Iterator[Row]:
        """The row of a frame and the one directly before it; none if either has no usable contour."""
        shape = self._metric.describe(mask, self._order)
        last, self._last = self._last, (index, shape)
        if last is not None and last[0] == index - 1 and last[1] is not None and shape is not None:
            yield Row(self._name, index, "T", self._metric.FACTOR * self._metric.instability(last[1], shape))


class _Added:
    """Measures of a third party along a video; errors in them are reported with their name and the frame."""

    def __init__(self, family: Family, task: Task) -> None:
        self._family, self._name = family, task.video.name
        self._reserved = {*MASKS, *MAPS, *BOXES}
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
        except (Exception, SystemExit) as error:
            said = str(error) if isinstance(error, VosbenchError) else one_line(error)
            at = place(error, getattr(self._family.start, "__module__", ""))
            raise MeasureError(
                f'the measure "{self._family.name}" fails on {where}{f" at {at}" if at else ""}: {said}'
            ) from error


def score_video(task: Task) -> Scored:
    """Score one video, frame by frame, so that memory does not grow with its length.

    Raises:
        DataError: if a file is corrupt or has another encoding or size.
    """
    if task.protocol.unit == "objects":
        from vosbench.evaluate.proposals import object_rows

        rows, annotations, predictions = object_rows(task)
        return _scored(task, rows, annotations, predictions)
    if task.protocol.unit == "regions":
        from vosbench.evaluate.ochs_brox import region_scores

        regions, annotations, predictions = region_scores(task)
        return replace(_scored(task, [], annotations, predictions), regions=regions)
    ground_truth = Annotated(task.video)
    rows = []
    with task.predictions.opened(task.video.name) as masks:
        scorers = _scorers(task, masks)
        for index in task.scored:
            annotation = ground_truth.read(index)
            if index in task.predictions.files[task.video.name]:
                for scorer in scorers:
                    rows += scorer.score(index, annotation)
    saliency = next((scorer.summary() for scorer in scorers if hasattr(scorer, "summary")), None)
    foreground = next((scorer for scorer in scorers if isinstance(scorer, MaskScorer)), None)
    uniform, complement = foreground.watched() if foreground else ((0, 0, 0), None)
    added = foreground.added if foreground else []
    scores = {name: value for each in added for name, value in each.finish().items()}
    counted = max((each.frames for each in added), default=0)
    return replace(
        _scored(task, rows, ground_truth.hexdigest(), masks.content.hexdigest(), saliency),
        added=scores,
        counted=counted,
        looks=masks.looks,
        uniform=uniform,
        complement=complement,
    )


def _scorers(task: Task, masks: Reading) -> "list[MaskScorer | BoxScorer | SaliencyScorer]":
    scorers: list[Any] = []
    if task.protocol.families or any(name in MASKS for name in task.protocol.measures):
        scorers.append(MaskScorer(task, masks))
    if any(name in BOXES for name in task.protocol.measures):
        from vosbench.evaluate.boxes import BoxScorer

        scorers.append(BoxScorer(task, masks))
    if any(name in MAPS for name in task.protocol.measures):
        from vosbench.evaluate.saliency import SaliencyScorer

        scorers.append(SaliencyScorer(task, masks))
    return scorers


def _scored(task: Task, rows: list[Row], annotations: str, masks: str, saliency: "Accumulator | None" = None) -> Scored:
    predicted, asked = task.predictions.files[task.video.name], set(task.scored)
    return Scored(
        video=task.video.name,
        rows=tuple(rows),
        missing=task.missing,
        unscored=sum(index not in predicted for index in range(len(task.video)) if index not in asked),
        annotations=annotations,
        masks=masks,
        saliency=saliency,
    )
