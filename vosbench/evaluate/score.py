"""Score masks on disk and make a record. torch is never imported."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from vosbench import __version__
from vosbench.dataset import DatasetProtocol
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
        method: the name of the method; if None, the file's name.
        codec: the codec that reads the masks; recognised if None.
        jobs: number of processes; each scores one video at a time.
        advance: called with the number of videos scored so far.

    Returns:
        The record, the scored videos, and notes on how masks were read.

    Raises:
        DataError: if the masks are corrupt, belong to other videos, or have another encoding or size.
    """
    masks = origin if isinstance(origin, Predictions) else _find(origin, selection, codec)
    scored: list[Scored] = []
    tasks = [Task(video, masks, selection.protocol) for video in selection.videos]
    for video in engine.each(score_video, tasks, jobs):
        scored.append(video)
        advance(len(scored))
    record = to_record(scored, selection, masks, method or masks.origin.stem)
    return record, scored, notes(scored, selection, masks)


def _find(origin: Path, selection: Selection, codec: str | None) -> Predictions:
    if codec is None and (origin / CARD).is_file():
        codec = "map"
    if codec is None:
        codec = {"objects": "ids", "regions": "nonzero"}.get(selection.protocol.unit)
    return predictions.find(origin, selection.videos, codec)


def all_rows(scored: Sequence[Scored]) -> list[Row]:
    """The rows of all videos, in order."""
    return [row for video in scored for row in video.rows]


def to_record(scored: list[Scored], selection: Selection, masks: Predictions, method: str) -> Record:
    """Average the scored videos and record their provenance."""
    videos = {result.video: video_scores(result, selection.protocol) for result in scored}
    missing = [
        f"{video.name}/{video.frames[index].stem}"
        for video, result in zip(selection.videos, scored, strict=True)
        for index in result.missing
    ]
    commit, dirty = provenance.source_state()
    return Record(
        method=method,
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
            layout=selection.videos[0].layout,
            annotation_codecs=sorted({video.codec for video in selection.videos}),
            predictions=masks.origin.name,
            codec=masks.codec,
            limit=selection.limit,
        ),
    )


def notes(scored: list[Scored], selection: Selection, masks: Predictions) -> list[str]:
    """Notes for readers of the numbers, one per line."""
    lines = [f'masks are read as "{masks.codec}"', *selection.notes()]
    unscored = sum(video.unscored for video in scored)
    if unscored:
        lines.append(f'{unscored} frames have no mask, but protocol "{selection.protocol.name}" does not score them')
    return lines + slowness(selection.protocol)


def slowness(protocol: DatasetProtocol) -> list[str]:
    """A note if measures of the protocol take their slower form, because Numba is not installed."""
    if find_spec("numba") is not None or not (protocol.saliency or "T" in protocol.measures):
        return []
    return ['T and saliency take longer without Numba; for the same numbers sooner: pip install "vosbench[fast]"']


def write_curve(path: Path, scored: Sequence[Scored], selection: Selection) -> None:
    """Write the precision-recall curve of all scored videos as CSV: precision and recall at each level 0…255.

    Raises:
        DataError: if a video is incomplete.
    """
    from vosbench.evaluate.saliency import merged

    if any(video.missing or video.saliency is None for video in scored):
        raise DataError("incomplete videos have no precision-recall curve")
    whole = merged([video.saliency for video in scored if video.saliency is not None], selection.protocol)
    _, precision, recall = whole.pr()
    rates = zip(precision.tolist(), recall.tolist(), strict=True)
    lines = [f"{level},{p},{r}" for level, (p, r) in enumerate(rates)]
    write_whole(path, "\n".join(["level,precision,recall", *lines, ""]).encode())
