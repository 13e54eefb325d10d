"""Score masks that are on disk: names in, record out. torch is never imported."""

from collections.abc import Callable, Sequence
from pathlib import Path

from vosbench import __version__
from vosbench.dataset.selection import Selection
from vosbench.engine import pool as engine
from vosbench.errors import DataError
from vosbench.evaluate import predictions
from vosbench.evaluate.aggregate import dataset_scores, video_scores
from vosbench.evaluate.foreground import score_video
from vosbench.evaluate.predictions import Predictions
from vosbench.evaluate.task import Scored, Task
from vosbench.files import combined, write_whole
from vosbench.records import provenance
from vosbench.records.record import Provenance, Record, Row

CARD = "run.json"


def score(
    origin: Path | Predictions,
    selection: Selection,
    *,
    method: str | None = None,
    codec: str | None = None,
    jobs: int = 1,
    advance: Callable[[int], None] = lambda _: None,
) -> tuple[Record, list[Scored], list[str]]:
    """Score a folder or zip of masks.

    Args:
        origin: the folder or zip file, or the predictions that were found there.
        selection: the videos and the protocol.
        method: what to call the masks' method; the file's name where None.
        codec: how masks are read; recognised where None.
        jobs: processes at once, a video each.
        advance: called with the number of videos that are done.

    Returns:
        the record, what it was averaged from, and notes on what was read how.

    Raises:
        DataError: where the masks are not these videos', corrupt, or of another encoding or size.
    """
    found = origin if isinstance(origin, Predictions) else _find(origin, selection, codec)
    scored: list[Scored] = []
    tasks = [Task(video, found, selection.protocol) for video in selection.videos]
    for each in engine.each(score_video, tasks, jobs):
        scored.append(each)
        advance(len(scored))
    record = to_record(scored, selection, found, method or found.origin.stem)
    return record, scored, notes(scored, selection, found)


def _find(origin: Path, selection: Selection, codec: str | None) -> Predictions:
    if codec is None and (origin / CARD).is_file():
        codec = "map"
    if codec is None:
        codec = {"objects": "ids", "regions": "nonzero"}.get(selection.protocol.unit)
    return predictions.find(origin, selection.videos, codec)


def all_rows(scored: Sequence[Scored]) -> list[Row]:
    """The rows of all videos, in order."""
    return [row for each in scored for row in each.rows]


def to_record(scored: list[Scored], selection: Selection, found: Predictions, method: str) -> Record:
    """Average what was scored, and say where it comes from."""
    videos = {each.video: video_scores(each, selection.protocol) for each in scored}
    missing = [name for name in selection.expected if name not in videos]
    for video, each in zip(selection.videos, scored, strict=True):
        missing += [f"{video.name}/{video.frames[index].stem}" for index in each.missing]
    commit, dirty = provenance.source_state()
    return Record(
        method=method,
        dataset=selection.dataset.name,
        split=selection.split,
        protocol=f"{selection.protocol.name}@{selection.protocol.version}",
        signature=selection.signature(),
        scores=dataset_scores(scored, selection.protocol, selection.listing),
        videos=videos,
        missing=missing,
        provenance=Provenance(
            date=provenance.today(),
            vosbench=__version__,
            commit=commit,
            dirty=dirty,
            packages=provenance.package_versions(),
            annotations=combined(each.annotations for each in scored),
            layout=selection.videos[0].layout,
            annotation_codecs=sorted({video.codec for video in selection.videos}),
            predictions=found.origin.name,
            codec=found.codec,
            limit=selection.limit,
        ),
    )


def notes(scored: list[Scored], selection: Selection, found: Predictions) -> list[str]:
    """What a reader of the numbers should know, a line each."""
    lines = [f'masks are read as "{found.codec}"']
    unscored = sum(each.unscored for each in scored)
    if unscored:
        lines.append(f'{unscored} frames have no mask, none of which protocol "{selection.protocol.name}" scores')
    return lines


def write_curve(path: Path, scored: Sequence[Scored], selection: Selection) -> None:
    """Write the precision-recall curve of all scored videos as CSV: level 0…255, precision and recall at it.

    Raises:
        DataError: where a video is incomplete.
    """
    from vosbench.evaluate.saliency import merged

    if any(each.missing or each.saliency is None for each in scored):
        raise DataError("there is no precision-recall curve of incomplete videos")
    whole = merged([each.saliency for each in scored if each.saliency is not None], selection.protocol)
    _, precision, recall = whole.pr()
    rates = zip(precision.tolist(), recall.tolist(), strict=True)
    lines = [f"{level},{p},{r}" for level, (p, r) in enumerate(rates)]
    write_whole(path, "\n".join(["level,precision,recall", *lines, ""]).encode())
