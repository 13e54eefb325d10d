"""Overlap of the boxes around predictions with those of annotations (MoCA)."""

from collections.abc import Callable, Iterator, Sequence

from vosbench.evaluate.predictions import Reading
from vosbench.evaluate.task import Scored, Scores, Task
from vosbench.images import Box
from vosbench.images import files as images
from vosbench.metrics.boxes import box_of_map, box_overlap, largest_box, scaled
from vosbench.metrics.measures import MOTIONS, SUCCESS
from vosbench.metrics.packed import Packed, unpack
from vosbench.metrics.statistics import mean
from vosbench.records.record import Row

MEASURE = "box"
MOVING = tuple(f"box_J_{motion}" for motion in MOTIONS)
"""Scores that a video without frames of that motion does not have."""


class BoxScorer:
    """Computes the overlap of boxes for the frames of a video, in order."""

    def __init__(self, task: Task, masks: Reading) -> None:
        self._task, self._masks = task, masks

    def score(self, index: int, annotation: Packed) -> Iterator[Row]:
        """Score the next frame that has a prediction; a row more for the kind of its motion, if that is stated."""
        levels = self._masks.read(index, images.read_levels, self._task.checks(index, annotation.shape))
        given = self._task.video.annotations[index]
        wanted = given.edges if isinstance(given, Box) else largest_box(unpack(annotation))
        found = box_of_map(levels)
        if found is not None:
            found = scaled(found, (levels.shape[0], levels.shape[1]), annotation.shape)
        overlap, name = box_overlap(wanted, found), self._task.video.name
        yield Row(name, index, MEASURE, overlap)
        if isinstance(given, Box) and given.motion:
            yield Row(name, index, f"{MEASURE}_{given.motion}", overlap)


def box_scores(scored: Scored) -> Scores:
    """The scores of one video: the mean overlap, the shares of successes, and the mean for each kind of motion."""

    def mean_of(key: str) -> float | None:
        wanted = key.replace("box_J", MEASURE)
        return mean([row.value for row in scored.rows if row.measure == wanted])

    return average([scored], mean_of)


def average(scored: Sequence[Scored], mean_of: Callable[[str], float | None]) -> dict[str, float | None]:
    """The scores of a dataset: means over videos, but shares of successes over the frames of all videos.

    Args:
        scored: the videos.
        mean_of: the mean over videos of a score.
    """
    values = [row.value for video in scored for row in video.rows if row.measure == MEASURE]
    shares = {f"box_S{share}": mean([float(value > share / 100) for value in values]) for share in SUCCESS}
    return {"box_J": mean_of("box_J"), **shares, **{key: mean_of(key) for key in MOVING}}
