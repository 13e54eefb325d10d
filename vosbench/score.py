"""Score masks that are on disk: names in, record out. torch is never imported."""

from collections.abc import Callable
from pathlib import Path

from vosbench import __version__, predictions, provenance
from vosbench.evaluate import Row, Scored, dataset_scores, score_video, video_scores
from vosbench.predictions import Predictions
from vosbench.record import Provenance, Record
from vosbench.selection import Selection

CARD = "run.json"


def score(
    origin: Path,
    selection: Selection,
    *,
    method: str | None = None,
    codec: str | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> tuple[Record, list[Row], list[str]]:
    """Score a folder or zip of masks.

    Args:
        origin: the folder or zip file.
        selection: the videos and the protocol.
        method: what to call the masks' method; the file's name where None.
        codec: how masks are read; recognised where None.
        advance: called with the number of videos that are done.

    Returns:
        the record, its rows, and notes on what was read how.

    Raises:
        DataError: where the masks are not these videos', corrupt, or of another encoding or size.
    """
    if codec is None and (origin / CARD).is_file():
        codec = "map"
    found = predictions.find(origin, selection.videos, codec)
    scored = []
    for done, video in enumerate(selection.videos, start=1):
        scored.append(score_video(video, found, selection.protocol))
        advance(done)
    record = to_record(scored, selection, found, method or origin.stem)
    return record, [row for each in scored for row in each.rows], notes(scored, selection, found)


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
        scores=dataset_scores(videos, selection.expected),
        videos=videos,
        missing=missing,
        provenance=Provenance(
            date=provenance.today(),
            vosbench=__version__,
            commit=commit,
            dirty=dirty,
            packages=provenance.package_versions(),
            annotations=provenance.combined(each.annotations for each in scored),
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
