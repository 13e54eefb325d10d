"""Score masks on disk and make a record. torch is never imported."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from vosbench import __version__
from vosbench.dataset import Video
from vosbench.dataset.selection import Selection, with_annotations
from vosbench.engine import pool
from vosbench.engine.engine import Engine, gathered
from vosbench.engine.locks import scratch
from vosbench.errors import DataError
from vosbench.evaluate import predictions
from vosbench.evaluate.aggregate import dataset_scores, video_scores
from vosbench.evaluate.containers import name_of, whole_name
from vosbench.evaluate.foreground import score_video
from vosbench.evaluate.notes import notes
from vosbench.evaluate.numbering import Numbering
from vosbench.evaluate.predictions import Predictions, settled
from vosbench.evaluate.task import Scored, Task
from vosbench.files import combined, write_whole
from vosbench.images.recognition import Looks
from vosbench.records import provenance
from vosbench.records.record import Curves, Provenance, Record, Row

CARD = "run.json"


def score(  # noqa: PLR0913 - what is scored, and how masks are read
    origin: Path | Predictions,
    selection: Selection,
    *,
    method: str | None = None,
    codec: str | None = None,
    numbering: Numbering = "auto",
    jobs: int = 1,
    engine: Engine | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> tuple[Record, list[Scored], list[str]]:
    """Score masks.

    Args:
        origin: a folder, an archive or another file of masks, or the predictions that were found there.
        selection: the videos and the protocol.
        method: the name of the method; if None, that of `default_name`.
        codec: the codec that reads the masks; recognised from all of them if None.
        numbering: how numbers in file names are read.
        jobs: number of processes; each scores one video at a time.
        engine: where videos are scored instead, such as on a cluster.
        advance: called with the number of videos scored so far.

    Returns:
        The record, the scored videos, and notes on how masks were read.

    Raises:
        DataError: if the split has no annotations, or the masks are corrupt, belong to other videos, do not tell their
            encoding, or have another size.
        UsageError: if the codec is unknown, or a package is needed that is not installed.
        WorkerError: if a process was killed, or the cluster broke down.
    """
    with measured(
        score_video,
        origin,
        selection,
        codec=codec,
        numbering=numbering,
        jobs=jobs,
        engine=engine,
        advance=advance,
    ) as (masks, scored):
        record = to_record(scored, selection, masks, default_name(masks.origin) if method is None else method)
        return record, scored, notes(scored, selection, masks)


class Measured(Protocol):
    """What is found out about a video's masks, with what tells their codec."""

    @property
    def video(self) -> str:
        """Name of the video."""
        ...

    @property
    def looks(self) -> Looks:
        """What the scored masks contain, if codecs are being recognised."""
        ...


Of = TypeVar("Of", bound=Measured)


@contextmanager
def measured(  # noqa: PLR0913 - what is measured, and how masks are read
    measure: Callable[[Task], Of],
    origin: Path | Predictions,
    selection: Selection,
    *,
    codec: str | None = None,
    numbering: Numbering = "auto",
    jobs: int = 1,
    engine: Engine | None = None,
    advance: Callable[[int], None] = lambda _: None,
    annotated: bool = True,
) -> Iterator[tuple[Predictions, list[Of]]]:
    """Find masks, measure each video, and settle how they are read; inside the block they can be read again so.

    Scoring is this with `score_video`; whoever shows masks, or reports on them, reads the same.

    Args:
        measure: what is done with a video, in other processes if there are several jobs.
        origin: as in `score`, like the other arguments.
        selection: the videos and the protocol.
        codec: as in `score`.
        numbering: as in `score`.
        jobs: number of processes.
        engine: as in `score`.
        advance: called with the number of videos measured so far.
        annotated: whether annotations are needed.

    Yields:
        the masks with their codecs, and what was measured of each video.

    Raises:
        DataError: as `score`.
        UsageError: as `score`.
    """
    if annotated:
        with_annotations(selection)
    with scratch("masks") as folder:
        masks = find_masks(origin, selection, codec, numbering, folder) if isinstance(origin, Path) else origin
        found = _measure(measure, masks, selection, selection.videos, jobs, engine, advance)
        if masks.recognising:
            # Reading every mask twice would take a quarter longer, and the guess is almost always right.
            soft = selection.protocol.soft
            masks, changed = settled(masks, {video.video: video.looks for video in found}, soft=soft)
            again = [video for video in selection.videos if video.name in changed]
            anew = _measure(measure, masks, selection, again, jobs, engine, lambda _: None)
            better = {each.video: each for each in anew}
            found = [better.get(video.video, video) for video in found]
        yield masks, found


def default_name(origin: Path) -> str:
    """What to call the method of masks: as ``vosbench run`` has noted next to its maps, or as the folder or file."""
    noted = noted_name(origin)
    return name_of(origin) if noted is None else noted


def noted_name(maps: Path) -> str | None:
    """The name of the method that ``vosbench run`` has noted next to its maps; None if there is none."""
    try:
        noted = json.loads((maps / CARD).read_bytes())["method"]
    except (OSError, ValueError, TypeError, LookupError):
        return None
    return noted if isinstance(noted, str) else None


def _measure(  # noqa: PLR0913, PLR0917 - what is measured, and where
    measure: Callable[[Task], Of],
    masks: Predictions,
    selection: Selection,
    videos: Sequence[Video],
    jobs: int,
    engine: Engine | None,
    advance: Callable[[int], None],
) -> list[Of]:
    tasks = [Task(video, masks.only(video.name), selection.protocol) for video in videos]
    if engine is not None:
        return gathered(engine, measure, tasks, name=lambda task: task.video.name, cost=_cost, advance=advance)
    return list(pool.each(measure, tasks, jobs, cost=_cost, advance=advance))


def _cost(task: Task) -> float:
    return float(len(task.present))


def find_masks(
    origin: Path, selection: Selection, codec: str | None, numbering: Numbering, scratch: Path
) -> Predictions:
    """Find the masks of a selection's videos; arguments and errors are those of `score`.

    Args:
        origin: as in `score`.
        selection: likewise.
        codec: likewise.
        numbering: likewise.
        scratch: a folder for what is unpacked.
    """
    if codec is None and (origin / CARD).is_file():
        codec = "map"
    if codec is None:
        codec = {"objects": "ids", "regions": "nonzero"}.get(selection.protocol.unit)
    videos = selection.whole or selection.videos
    alone = selection.dataset.root is not None and all(video.frameless for video in videos)
    found = predictions.find(origin, videos, codec, numbering, scratch, alone=alone)
    return found if selection.limit is None else found.first(selection.limit)


def unscored(maps: Path, selection: Selection, method: str) -> Record:
    """The record of maps that nothing can be scored of: every score is None."""
    return to_record([], selection, Predictions(maps, {}, {}), method)


def all_rows(scored: Sequence[Scored]) -> list[Row]:
    """The rows of all videos, in order."""
    return [row for video in scored for row in video.rows]


def to_record(scored: list[Scored], selection: Selection, masks: Predictions, method: str) -> Record:
    """Average the scored videos and record their provenance."""
    videos = {result.video: video_scores(result, selection.protocol) for result in scored}
    missing = [
        f"{video.name}/{video.frames[index].stem}"
        for video, result in zip(selection.videos, scored, strict=bool(scored))
        for index in result.missing
    ]
    commit, dirty = provenance.source_state()
    return Record(
        method=method,
        apart=selection.apart,
        dataset=selection.dataset.name,
        split=selection.split,
        protocol=f"{selection.protocol.name}@{selection.protocol.version}",
        signature=selection.signature(),
        scores=dataset_scores(scored, selection.protocol, selection.chosen),
        videos=videos,
        missing=missing,
        split_size=selection.split_size,
        unannotated={name: list(frames) for name, frames in selection.unannotated.items()},
        provenance=Provenance(
            date=provenance.today(),
            vosbench=__version__,
            commit=commit,
            dirty=dirty,
            packages=provenance.package_versions(),
            annotations=combined(video.annotations for video in scored),
            masks=combined(video.masks for video in scored),
            layout=selection.videos[0].layout,
            annotation_codecs=sorted({video.codec for video in selection.videos}),
            predictions=whole_name(masks.origin),
            codec=masks.codec,
            limit=selection.limit,
        ),
        curves=_curves(scored, selection),
    )


def _curves(scored: Sequence[Scored], selection: Selection) -> Curves | None:
    """The curves over the chosen videos; None if one is incomplete, or the protocol has none."""
    if not selection.protocol.soft:
        return None
    from vosbench.evaluate.saliency import curves

    complete = {video.video: video.saliency for video in scored if not video.missing}
    return curves([complete.get(name) for name in selection.chosen], selection.protocol)


def write_curve(path: Path, record: Record) -> None:
    """Write the precision-recall curve of a record as CSV: precision and recall at each level 0…255.

    Raises:
        DataError: if a video is incomplete, or neither maxF nor meanF was measured.
    """
    if record.curves is None:
        reason = "incomplete videos have" if record.missing else "measures without maxF and meanF have"
        raise DataError(f"{reason} no precision-recall curve")
    rates = zip(record.curves.precision, record.curves.recall, strict=True)
    lines = [f"{level},{p},{r}" for level, (p, r) in enumerate(rates)]
    write_whole(path, "\n".join(["level,precision,recall", *lines, ""]).encode())
