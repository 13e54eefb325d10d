"""Masks that records were scored from: where they are, whether they are the same, and their runs.

Conventions:
    Masks are read by scoring's own reader, under the record's protocol and codec. They are a record's if the hash of
    the predictions is that of the record; records of old versions have none, and their J must be the same.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vosbench.dataset import Video
from vosbench.dataset.selection import Selection
from vosbench.errors import DataError, UsageError, suggest
from vosbench.evaluate import score as scoring
from vosbench.evaluate.containers import SUFFIX, name_of
from vosbench.evaluate.foreground import read_prediction, score_video
from vosbench.evaluate.predictions import Reading
from vosbench.evaluate.task import Task
from vosbench.files import combined, hidden
from vosbench.images import read_annotation, size
from vosbench.images.recognition import Looks
from vosbench.metrics.measures import MASKS
from vosbench.metrics.packed import Packed
from vosbench.metrics.packed_scores import region_similarity
from vosbench.metrics.statistics import mean
from vosbench.records.record import Record
from vosbench.report.site.masks import deflate, encode_mask

SAME = 1e-9
"""Difference of J of equal masks, whose sums may be of another order."""


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of a video's masks.

    Attributes:
        video: its name.
        size: (height, width) of all masks; None if they have several.
        data: what `vosbench.report.site.masks.encode` returns.
        masks: hash of the scored predictions, as in `vosbench.evaluate.task.Scored`.
        J: mean J of the scored frames; None if there are none.
        looks: what the masks contain, if codecs are being recognised.
    """

    video: str
    size: tuple[int, int] | None
    data: bytes
    masks: str = ""
    J: float | None = None
    looks: Looks = field(default_factory=dict)


def annotated(video: Video) -> Runs:
    """The runs of a video's annotations; of several objects, of all together."""
    frames, sizes = [], set()
    for index in range(len(video)):
        mask = read_annotation(video.annotations[index], video.codec) if index in video.annotations else None
        frames.append(None if mask is None else encode_mask(mask))
        sizes |= set() if mask is None else {mask.shape}
    return Runs(video.name, sizes.pop() if len(sizes) == 1 else None, deflate(frames))


def predicted(task: Task) -> Runs:
    """The runs of a video's predictions, at the size of the annotations; of several objects, of all together.

    Raises:
        DataError: if a scored prediction is corrupt or has another encoding or size.
    """
    video, files = task.video, task.predictions.files[task.video.name]
    scored = set(task.scored)
    shape = _usual_shape(video)
    frames: list[bytes | None] = []
    sizes, overlaps = set(), []
    plain = task.protocol.unit == "foreground" and set(task.protocol.measures) <= set(MASKS)
    with task.predictions.opened(video.name) as reading, task.predictions.opened(video.name) as others:
        for index in range(len(video)):
            if index not in files:
                frames.append(None)
                continue
            if index in scored:
                annotation = read_annotation(video.annotations[index], video.codec)
                mask = read_prediction(task, reading, index, annotation.shape)
                overlaps.append(region_similarity(annotation, mask))
            else:
                found = _unscored(task, others, index, shape)
                if found is None:
                    frames.append(None)
                    continue
                mask = found
            frames.append(encode_mask(mask))
            sizes.add(mask.shape)
        looks, digest = reading.looks, reading.content.hexdigest()
    if not plain:  # other measures read soft maps or numbers, whose hash is another
        digest = score_video(task).masks
    return Runs(video.name, sizes.pop() if len(sizes) == 1 else None, deflate(frames), digest, mean(overlaps), looks)


def _usual_shape(video: Video) -> tuple[int, int] | None:
    for index in video.annotations:
        return read_annotation(video.annotations[index], video.codec).shape
    return None if video.frameless else size(video.frames[0])


def _unscored(task: Task, masks: Reading, index: int, shape: tuple[int, int] | None) -> Packed | None:
    """A mask that nobody scores; None if it cannot be shown, which is no reason to refuse the others."""
    if shape is None:
        return None
    try:
        return read_prediction(task, masks, index, shape)
    except DataError:
        return None


def origins(places: Sequence[str], records: Iterable[Record]) -> dict[tuple[str, str], Path]:
    """Where the masks of records are.

    Args:
        places: ``name=path`` or ``dataset/name=path``; or a folder that holds masks of several methods, named after
            them, or folders of datasets that do. A name is that of a record, or of a method: its masks are those of
            all its records of the same frames.
        records: the records of the site.

    Returns:
        (dataset, name of the record) → a folder, an archive or another file of masks.

    Raises:
        UsageError: if a name is not that of a record, or a place holds no masks of any, or two of one.
    """
    known = [*records]
    found: dict[tuple[str, str], Path] = {}
    for place in places:
        name, sign, path = place.partition("=")
        named = _named(name, Path(path), known) if sign and not Path(place).exists() else _below(Path(place), known)
        for of, origin in named.items():
            if of in found:
                raise UsageError(f'there are two places of masks of "{of[1]}", "{found[of]}" and "{origin}"; keep one')
            found[of] = origin
    return found


def _called(name: str, record: Record) -> bool:
    """Whether masks of a name are those of a record."""
    if name != record.method:
        return name == record.name
    apart = record.apart.split("+")[1:]  # maps of another split, or of the first frames, have a folder of their own
    return record.split not in apart and not any(re.fullmatch(r"limit\d+", each) for each in apart)


def _named(name: str, origin: Path, records: Sequence[Record]) -> dict[tuple[str, str], Path]:
    """Masks that are passed by name."""
    dataset, slash, method = name.rpartition("/")
    own = [each for each in records if _called(method if slash else name, each)]
    own = [each for each in own if not slash or each.dataset == dataset]
    if not own:
        names = sorted({each.name for each in records})
        raise UsageError(f'there is no record "{name}" to show masks of; {suggest(method, names)}')
    datasets = sorted({each.dataset for each in own})
    if len(datasets) > 1:
        raise UsageError(f'"{name}" has records of {" and ".join(datasets)}; pass masks as {datasets[0]}/{name}=PATH')
    return {(each.dataset, each.name): origin for each in own}


def _below(folder: Path, records: Sequence[Record]) -> dict[tuple[str, str], Path]:
    """Masks in a folder that are named after records, or after their methods if none are named after a record."""
    if not folder.is_dir():
        raise UsageError(f'masks are name=path or a folder with masks of several methods; "{folder}" is neither')
    found: dict[tuple[str, str], Path] = {}
    for dataset in sorted({record.dataset for record in records}):
        own = folder / dataset if (folder / dataset).is_dir() else folder
        named: dict[str, Path] = {}
        for entry in sorted(own.iterdir()):
            other = named.setdefault(_name(entry), entry)
            if other != entry and any(_called(_name(entry), each) for each in records):
                name = _name(entry)
                raise UsageError(f'"{other}" and "{entry}" may both be the masks of "{name}"; pass {name}=PATH')
        for record in records:
            names = [name for name in (record.name, record.method) if name in named and _called(name, record)]
            if record.dataset == dataset and names:
                found[dataset, record.name] = named[names[0]]
    if not found:
        raise UsageError(f'"{folder}" holds no masks that are named after a record')
    return found


def _name(entry: Path) -> str:
    """What masks are named; empty if it is not masks, but for example a record."""
    if hidden(entry.name) or not (entry.is_dir() or SUFFIX.search(entry.name)) or entry.suffix == ".json":
        return ""
    return name_of(entry)


def encoded(
    record: Record,
    origin: Path,
    selection: Selection,
    *,
    jobs: int = 1,
    advance: Callable[[int], None] = lambda _: None,
) -> list[Runs]:
    """The runs of all masks of a record.

    Args:
        record: the record.
        origin: a folder, an archive or another file of masks.
        selection: the record's videos and protocol.
        jobs: number of processes.
        advance: called with the number of videos done.

    Raises:
        DataError: if the masks are not those of the record, or cannot be read.
    """
    codec = record.provenance.codec
    with scoring.measured(
        predicted,
        origin,
        selection,
        codec=codec if codec and " " not in codec else None,
        jobs=jobs,
        advance=advance,
    ) as (_, found):
        _check(record, origin, found)
        return found


def _check(record: Record, origin: Path, found: Sequence[Runs]) -> None:
    """Refuse masks that the record was not scored from."""
    known = record.provenance.masks
    if known:
        same = combined(video.masks for video in found) == known
        why = "their hash is not the record's"
    else:
        same = all(_agrees(record.videos, video) for video in found)
        why = "their J is not the record's"
    if not same:
        raise DataError(
            f'"{origin}" holds other masks than those that "{record.name}" on {record.dataset} was scored from: {why}; '
            "score them again, or pass the right ones"
        )


def _agrees(videos: Mapping[str, Mapping[str, float | None]], found: Runs) -> bool:
    known = videos.get(found.video, {}).get("J_mean")
    return known is None or (found.J is not None and bool(np.isclose(known, found.J, rtol=0, atol=SAME)))
