"""Score masks on disk and make a record. torch is never imported."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from vosbench import __version__
from vosbench.dataset import DatasetProtocol, Video
from vosbench.dataset.selection import Selection
from vosbench.engine import pool as engine
from vosbench.errors import DataError
from vosbench.evaluate import predictions
from vosbench.evaluate.aggregate import dataset_scores, video_scores
from vosbench.evaluate.foreground import score_video
from vosbench.evaluate.numbering import Numbering
from vosbench.evaluate.predictions import Predictions, settled
from vosbench.evaluate.task import Scored, Task
from vosbench.files import combined, write_whole
from vosbench.images.codecs import codec as codec_of
from vosbench.metrics.statistics import mean
from vosbench.records import provenance
from vosbench.records.record import Provenance, Record, Row

CARD = "run.json"
FAR = 0.2
"""Difference of J that makes inverted masks far better."""


def score(  # noqa: PLR0913 - what is scored, and how masks are read
    origin: Path | Predictions,
    selection: Selection,
    *,
    method: str | None = None,
    codec: str | None = None,
    numbering: Numbering = "auto",
    jobs: int = 1,
    advance: Callable[[int], None] = lambda _: None,
) -> tuple[Record, list[Scored], list[str]]:
    """Score masks.

    Args:
        origin: a folder, an archive or another file of masks, or the predictions that were found there.
        selection: the videos and the protocol.
        method: the name of the method; if None, the file's name.
        codec: the codec that reads the masks; recognised from all of them if None.
        numbering: how numbers in file names are read.
        jobs: number of processes; each scores one video at a time.
        advance: called with the number of videos scored so far.

    Returns:
        The record, the scored videos, and notes on how masks were read.

    Raises:
        DataError: if the masks are corrupt, belong to other videos, do not tell their encoding, or have another size.
        UsageError: if the codec is unknown, or a package is needed that is not installed.
    """
    with TemporaryDirectory(prefix="vosbench-masks-") as scratch:
        masks = _find(origin, selection, codec, numbering, Path(scratch)) if isinstance(origin, Path) else origin
        scored = _score(masks, selection, selection.videos, jobs, advance)
        if masks.recognising:
            # Reading every mask twice would take a quarter longer, and the guess is almost always right.
            soft = selection.protocol.saliency is not None
            masks, changed = settled(masks, {video.video: video.looks for video in scored}, soft=soft)
            again = [video for video in selection.videos if video.name in changed]
            better = {video.video: video for video in _score(masks, selection, again, jobs, lambda _: None)}
            scored = [better.get(video.video, video) for video in scored]
    record = to_record(scored, selection, masks, method or masks.origin.stem)
    return record, scored, notes(scored, selection, masks)


def _score(
    masks: Predictions, selection: Selection, videos: Sequence[Video], jobs: int, advance: Callable[[int], None]
) -> list[Scored]:
    scored: list[Scored] = []
    for video in engine.each(score_video, [Task(video, masks, selection.protocol) for video in videos], jobs):
        scored.append(video)
        advance(len(scored))
    return scored


def _find(origin: Path, selection: Selection, codec: str | None, numbering: Numbering, scratch: Path) -> Predictions:
    if codec is None and (origin / CARD).is_file():
        codec = "map"
    if codec is None:
        codec = {"objects": "ids", "regions": "nonzero"}.get(selection.protocol.unit)
    return predictions.find(origin, selection.videos, codec, numbering, scratch)


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
    lines = [
        *_readings(masks, recognised=masks.recognising),
        *masks.notes,
        *selection.notes(),
        *warnings(scored, masks),
    ]
    unscored = sum(video.unscored for video in scored)
    if unscored:
        lines.append(f'{unscored} frames have no mask, but protocol "{selection.protocol.name}" does not score them')
    return lines + slowness(selection.protocol)


def _readings(masks: Predictions, *, recognised: bool) -> list[str]:
    """How masks were read, and how to say otherwise."""
    videos: dict[str, list[str]] = {}
    for video, name in masks.codecs.items():
        videos.setdefault(name, []).append(video)
    usual = max(videos, key=lambda name: len(videos[name]), default="map")
    otherwise = "; otherwise pass --codec" if recognised else ""
    lines = [f'masks are read as "{usual}" ({codec_of(usual).meaning}){otherwise}']
    for name, some in videos.items():
        if name != usual:
            lines.append(f'but those of {listed(some)} as "{name}" ({codec_of(name).meaning})')
    return lines


def warnings(scored: Sequence[Scored], masks: Predictions) -> list[str]:
    """What makes it likely that masks were misread: their numbers should not be trusted before a look at the masks."""
    lines = []
    faint = [
        (found.times, found.example)
        for video in scored
        for look, found in video.looks.items()
        if look.faint and codec_of(masks.codecs[video.video]).soft
    ]
    if faint:
        count = sum(each for each, _ in faint)
        lines.append(
            f"warning: {count} soft map{'s' * (count != 1)} with values above 0, but none in the upper half of the "
            f'range, such as "{faint[0][1]}", count{"s" * (count == 1)} as empty masks'
        )
    covered, pixels = (sum(video.coverage[at] for video in scored) for at in (0, 1))
    if pixels and covered in {0, pixels}:
        lines.append(f"warning: all masks are {'empty' if covered == 0 else 'full: they cover every pixel'}")
    inverted = [video.video for video in scored if _better_inverted(video)]
    if len(inverted) * 2 > len(scored) and 0 < covered < pixels:
        lines.append(
            f"warning: inverted, the masks would score far better on {len(inverted)} of {len(scored)} videos "
            f"({listed(inverted)}); are object and background swapped?"
        )
    return lines


def _better_inverted(video: Scored) -> bool:
    """Whether J, or MAE if only saliency is measured, of the inverted masks is far better."""
    region = mean([row.value for row in video.rows if row.measure == "J"])
    if region is not None and video.complement is not None:
        return video.complement > region + FAR
    error = mean([row.value for row in video.rows if row.measure == "MAE"])
    return error is not None and error > (1 + FAR) / 2


def listed(names: Sequence[str]) -> str:
    """The first names of a list.

    >>> listed(["a", "b", "c", "d"])
    '"a", "b", "c", …'
    """
    return ", ".join(f'"{name}"' for name in names[:3]) + (", …" if len(names) > 3 else "")


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
