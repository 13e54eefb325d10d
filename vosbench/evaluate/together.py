"""Score several submissions to one dataset together: the annotations of each video are read once for all of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vosbench.dataset import Video
from vosbench.dataset.selection import Selection, with_annotations
from vosbench.engine import pool
from vosbench.engine.engine import Engine, gathered
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
        selection: the videos and the protocol.
        codec: the codec that reads the masks; recognised from all of them if None.
        numbering: how numbers in file names are read.
    """

    masks: Path
    method: str
    selection: Selection
    codec: str | None = None
    numbering: Numbering = "auto"


Result = tuple[Record, list[Scored], list[str]]
"""The record, the scored videos, and notes on how masks were read."""
Tried = Scored | VosbenchError


def videos_of(submissions: Iterable[Submission]) -> int:
    """How many videos are scored, each for all submissions to it."""
    return len({_key(video) for each in submissions for video in each.selection.videos})


def score_together(
    submissions: Sequence[Submission],
    *,
    jobs: int = 1,
    engine: Engine | None = None,
    advance: Callable[[int], None] = lambda _done: None,
) -> list[Result | VosbenchError]:
    """Score several submissions; each has the record that `vosbench.evaluate.score.score` makes of it.

    Args:
        submissions: the submissions, under one protocol or several.
        jobs: number of processes; each scores one video of all submissions at a time.
        engine: where videos are scored instead, such as on a cluster.
        advance: called with the number of videos scored so far.

    Returns:
        the result of each submission; or its error, which is not the others'.

    Raises:
        DataError: if a split has no annotations.
        WorkerError: if a process was killed.
    """
    for each in submissions:
        with_annotations(each.selection)
    with ExitStack() as stack:
        masks: dict[int, Predictions] = {}
        errors: dict[int, VosbenchError] = {}
        folders = [stack.enter_context(scratch("masks")) for _ in submissions]
        # Processes that must import everything anew would take longer than they save; and engines have threads.
        finding = jobs if engine is None and pool.forks() else 1
        for index, found in enumerate(pool.each(_find, list(zip(submissions, folders, strict=True)), finding)):
            if isinstance(found, VosbenchError):
                errors[index] = found
            else:
                masks[index] = found
        names = {index: [video.name for video in submissions[index].selection.videos] for index in masks}
        where = partial(_scored, submissions, jobs=jobs, engine=engine, errors=errors)
        scored = where(masks, names, advance=advance)
        again: dict[int, list[str]] = {}
        for index in [index for index in masks if masks[index].recognising and index not in errors]:
            soft = submissions[index].selection.protocol.soft
            try:
                looks = {name: each.looks for name, each in scored[index].items()}
                masks[index], again[index] = settled(masks[index], looks, soft=soft)
            except VosbenchError as error:
                errors[index] = error
        for index, better in where(masks, again, advance=lambda _: None).items():
            scored[index] |= better
        return [
            errors[index] if index in errors else _result(each, masks[index], scored[index])
            for index, each in enumerate(submissions)
        ]


def _find(of: tuple[Submission, Path]) -> Predictions | VosbenchError:
    """The masks of a submission, unpacked to a folder if need be; or why there are none."""
    each, folder = of
    try:
        return find_masks(each.masks, each.selection, each.codec, each.numbering, folder)
    except VosbenchError as error:
        return error


def _result(each: Submission, masks: Predictions, found: Mapping[str, Scored]) -> Result:
    scored = [found[video.name] for video in each.selection.videos]
    return to_record(scored, each.selection, masks, each.method), scored, notes(scored, each.selection, masks)


def _scored(  # noqa: PLR0913 - what is scored, where, and where its errors go
    submissions: Sequence[Submission],
    masks: Mapping[int, Predictions],
    names: Mapping[int, Sequence[str]],
    *,
    jobs: int,
    engine: Engine | None,
    errors: dict[int, VosbenchError],
    advance: Callable[[int], None],
) -> dict[int, dict[str, Scored]]:
    """Score some videos of each submission, the longest first; an error ends only its own submission."""
    found: dict[int, dict[str, Scored]] = {index: {} for index in names}
    failed: dict[int, dict[str, VosbenchError]] = {index: {} for index in names}
    ordered = _grouped(submissions, masks, {index: those for index, those in names.items() if index not in errors})
    items = [tuple(task for _, task in group) for group in ordered]
    if engine is not None:
        every: Iterable[list[Tried]] = gathered(
            engine,
            score_video_of_all,
            items,
            name=lambda tasks: f"{tasks[0].video.name} ({len(tasks[0].video.annotations)} {tasks[0].video.codec})",
            cost=lambda tasks: float(sum(len(task.present) for task in tasks)),
            advance=advance,
        )
    else:
        every = pool.each(score_video_of_all, items, jobs, advance=advance)
    for results, group in zip(every, ordered, strict=True):
        for (index, task), result in zip(group, results, strict=True):
            if isinstance(result, VosbenchError):
                failed[index][task.video.name] = result
            else:
                found[index][result.video] = result
    for index, those in failed.items():
        if those:  # the error of the first video, as if they were scored in order
            errors[index] = next(those[name] for name in names[index] if name in those)
    return found


def _grouped(
    submissions: Sequence[Submission], masks: Mapping[int, Predictions], names: Mapping[int, Sequence[str]]
) -> list[list[tuple[int, Task]]]:
    """What is scored of each video, with the submission's index; the longest video first."""
    groups: dict[object, list[tuple[int, Task]]] = {}
    for index, those in names.items():
        wanted, selection = {*those}, submissions[index].selection
        for video in selection.videos:
            if video.name in wanted:
                task = Task(video, masks[index].only(video.name), selection.protocol)
                groups.setdefault(_key(video), []).append((index, task))
    return sorted(groups.values(), key=lambda group: -len(group[0][1].video))


def _key(video: Video) -> object:
    """Equal for videos whose annotations are the same, and are read in one way."""
    return video.frames[0], video.name, video.codec, len(video.annotations)


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
