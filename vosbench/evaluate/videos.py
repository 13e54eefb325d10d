"""Score one video: files in, rows out."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vosbench import images
from vosbench.evaluate.content import Content
from vosbench.evaluate.masks import MaskTaker
from vosbench.evaluate.rows import Row, Scored
from vosbench.evaluate.task import Task
from vosbench.protocol import MASK_MEASURES, SALIENCY_MEASURES

if TYPE_CHECKING:
    from vosbench.evaluate.saliency import SaliencyTaker
    from vosbench.metrics.saliency import Accumulator


def score_video(task: Task) -> Scored:
    """Score one video, frame by frame: memory does not grow with its length.

    Raises:
        DataError: where a file is corrupt, of another encoding, or of another size.
    """
    if task.protocol.unit == "objects":
        from vosbench.evaluate.objects import object_rows

        rows, digest = object_rows(task)
        return _scored(task, rows, digest)
    if task.protocol.unit == "regions":
        from vosbench.evaluate.regions import region_scores

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
    if any(name in MASK_MEASURES for name in task.protocol.measures):
        takers.append(MaskTaker(task))
    if any(name in SALIENCY_MEASURES for name in task.protocol.measures):
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
