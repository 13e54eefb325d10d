"""Saliency measures of a video's soft maps."""

from collections.abc import Iterator, Sequence

import numpy as np

from vosbench.dataset import DatasetProtocol
from vosbench.evaluate.predictions import Reading
from vosbench.evaluate.task import Task
from vosbench.images.levels import read_levels
from vosbench.metrics.measures import MAPS
from vosbench.metrics.packed import Packed, unpack
from vosbench.metrics.saliency import Accumulator, convention, measure_frame
from vosbench.records.record import Curves, Row


class SaliencyScorer:
    """Computes the saliency measures of the frames of a video, in order."""

    def __init__(self, task: Task, masks: Reading) -> None:
        self._task, self._masks = task, masks
        self._names = measures(task.protocol)
        self._convention = convention(task.protocol.saliency or "davsod")
        self._accumulator = Accumulator(self._convention, self._names)

    def score(self, index: int, annotation: Packed) -> Iterator[Row]:
        """Score the next frame that has a prediction; rows have the measures defined for a single frame."""
        levels = self._masks.read(index, read_levels, self._task.checks(index, annotation.shape))
        height, width = annotation.shape
        if self._task.differs(index, (levels.shape[0], levels.shape[1]), annotation.shape):
            import cv2

            levels = cv2.resize(levels, dsize=(width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
        if self._task.protocol.empty == "skip" and not annotation.any():
            return
        name = self._task.video.name
        frame = measure_frame(levels, unpack(annotation), self._convention, self._names)
        self._accumulator.add(name, frame)
        for measure, value in frame.values.items():
            yield Row(name, index, measure, value)

    def summary(self) -> Accumulator:
        """The sums from which averages are computed."""
        return self._accumulator


def measures(protocol: DatasetProtocol) -> tuple[str, ...]:
    """The saliency measures of a protocol."""
    return tuple(name for name in protocol.measures if name in MAPS)


def average(videos: Sequence[Accumulator | None], protocol: DatasetProtocol) -> dict[str, float | None]:
    """Average over videos under the protocol's convention; all None if a video is missing or incomplete."""
    names = measures(protocol)
    known = [video for video in videos if video is not None]
    if len(known) < len(videos) or not known:
        return dict.fromkeys(names)
    return {name: value for name, value in merged(known, protocol).result().items() if name in names}


def curves(videos: Sequence[Accumulator | None], protocol: DatasetProtocol) -> Curves | None:
    """The curves over all videos; None if one is incomplete, no frame was scored, or the protocol has none."""
    known = [video for video in videos if video is not None]
    if len(known) < len(videos) or not known or not {"maxF", "meanF"}.intersection(measures(protocol)):
        return None
    total = merged(known, protocol)
    if not total.videos:
        return None
    return Curves.model_validate({name: curve.tolist() for name, curve in total.curves().items()})


def merged(videos: Sequence[Accumulator], protocol: DatasetProtocol) -> Accumulator:
    """Merge the accumulators of several videos into one."""
    total = Accumulator(convention(protocol.saliency or "davsod"), measures(protocol))
    for video in videos:
        total.merge(video)
    return total
