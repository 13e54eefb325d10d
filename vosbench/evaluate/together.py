"""Score several submissions to one dataset together: the annotations of each video are read once for all of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from vosbench.dataset.selection import Selection, with_annotations
from vosbench.engine import pool
from vosbench.engine.locks import scratch
from vosbench.errors import VosbenchError
from vosbench.evaluate.annotated import shared
from vosbench.evaluate.foreground import score_video
from vosbench.evaluate.notes import notes
from vosbench.evaluate.numbering import Numbering
from vosbench.evaluate.predictions import Predictions, settled
from vosbench.evaluate.score import find_masks, to_record
from vosbench.evaluate.task import Scored, Task
from vosbench.records.record import Record


@dataclass(frozen=True, slots=True)
class Submission:
    """Masks to score.

    Attributes:
        masks: a folder, an archive or another file of masks.
        method: the name of the method.
        codec: the codec that reads the masks; recognised from all of them if None.
        numbering: how numbers in file names are read.
    """

    masks: Path
    method: str
    codec: str | None = None
    numbering: Numbering = "auto"


Result = tuple[Record, list[Scored], list[str]]
"""The record, the scored videos, and notes on how masks were read."""
Tried = Scored | VosbenchError


def score_together(
    submissions: Sequence[Submission],
    selection: Selection,
    *,
    jobs: int = 1,
    advance: Callable[[str, int], None] = lambda _video, _done: None,
) -> list[Result | VosbenchError]:
    """Score several submissions; each has the record that `vosbench.evaluate.score.score` makes of it.

    Args:
        submissions: the submissions.
        selection: the videos and the protocol.
        jobs: number of processes; each scores one video of all submissions at a time.
        advance: called with a video that was scored, and their number so far.

    Returns:
        the result of each submission; or its error, which is not the others'.

    Raises:
        DataError: if the split has no annotations.
    """
    with_annotations(selection)
    with ExitStack() as stack:
        masks: dict[int, Predictions] = {}
        errors: dict[int, VosbenchError] = {}
        for index, each in enumerate(submissions):
            try:
                folder = stack.enter_context(scratch("masks"))
                masks[index] = find_masks(each.masks, selection, each.codec, each.numbering, folder)
            except VosbenchError as error:
                errors[index] = error
        names = [video.name for video in selection.videos]
        scored = _scored(masks, selection, dict.fromkeys(masks, names), jobs, errors, advance)
        again: dict[int, list[str]] = {}
        for index in [index for index in masks if masks[index].recognising and index not in errors]:
            try:
                looks = {name: each.looks for name, each in scored[index].items()}
                masks[index], again[index] = settled(masks[index], looks, soft=selection.protocol.soft)
            except VosbenchError as error:
                errors[index] = error
        for index, better in _scored(masks, selection, again, jobs, errors, lambda *_: None).items():
            scored[index] |= better
        return [
            errors[index] if index in errors else _result(each, selection, masks[index], scored[index])
            for index, each in enumerate(submissions)
        ]


def _result(each: Submission, selection: Selection, masks: Predictions, found: Mapping[str, Scored]) -> Result:
    scored = [found[video.name] for video in selection.videos]
    return to_record(scored, selection, masks, each.method), scored, notes(scored, selection, masks)


def _scored(
    masks: Mapping[int, Predictions],
    selection: Selection,
    videos: Mapping[int, Sequence[str]],
    jobs: int,
    errors: dict[int, VosbenchError],
    advance: Callable[[str, int], None],
) -> dict[int, dict[str, Scored]]:
    """Score some videos of each submission, the longest first; an error ends only its own submission."""
    found: dict[int, dict[str, Scored]] = {index: {} for index in videos}
    names = {index: {*those} for index, those in videos.items()}
    items: list[tuple[Task, ...]] = []
    of: list[list[int]] = []
    failed: dict[int, tuple[int, VosbenchError]] = {}
    order = {video.name: place for place, video in enumerate(selection.videos)}
    for video in sorted(selection.videos, key=len, reverse=True):
        wanted = [index for index in videos if index not in errors and video.name in names[index]]
        if wanted:
            items.append(tuple(Task(video, masks[index], selection.protocol) for index in wanted))
            of.append(wanted)
    for done, (results, wanted) in enumerate(zip(pool.each(score_video_of_all, items, jobs), of, strict=True), 1):
        for index, result in zip(wanted, results, strict=True):
            if isinstance(result, VosbenchError):
                place = order[items[done - 1][0].video.name]
                failed[index] = min(failed.get(index, (place, result)), (place, result), key=lambda each: each[0])
            else:
                found[index][result.video] = result
        advance(items[done - 1][0].video.name, done)
    errors |= {index: error for index, (_, error) in failed.items()}
    return found


def score_video_of_all(tasks: Iterable[Task]) -> list[Tried]:
    """Score one video of several submissions; what cannot be scored has its error instead."""
    found: list[Tried] = []
    with shared():
        for task in tasks:
            try:
                found.append(score_video(task))
            except VosbenchError as error:
                found.append(error)
    return found
