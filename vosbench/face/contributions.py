"""Contributions: a folder with the card, the records and some pictures of a method.

Conventions:
    ``card.yaml``, ``<dataset>/<method>.json`` with its values of frames, ``thumbnails/<dataset>/<video>.jpg``, and
    masks if they are packed, ``masks/<dataset>.zip``; nothing else. Tables and sites find records in the folders of
    ``results/contributions/``, too.
"""

import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vosbench.dataset import Dataset
from vosbench.dataset.selection import Selection
from vosbench.errors import DataError, UsageError
from vosbench.evaluate.numbering import Numbering
from vosbench.face.functions import dataset_of, score
from vosbench.face.options import SILENT, AnyPath, Listener, paths_of
from vosbench.face.result import Result
from vosbench.files import write_whole
from vosbench.images.sheets import resized
from vosbench.metrics.measures import leading
from vosbench.records import record as records
from vosbench.records import store
from vosbench.records.card import FILE, MASKS, THUMBNAILS, MethodCard, read_card, write_card
from vosbench.report import overlays

PICTURES, WIDTH, QUALITY = 6, 240, 80
"""Thumbnails of a dataset, their width in pixels, and the quality of their JPEG files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What `submit` wrote.

    Attributes:
        folder: the contribution.
        files: all files written, in order.
        result: the scores.
    """

    folder: Path
    files: Sequence[Path]
    result: Result


def submit(  # noqa: PLR0913 - the options of the command line
    masks: AnyPath,
    dataset: AnyPath | Dataset,
    card: AnyPath,
    *,
    out: AnyPath,
    root: AnyPath | None = None,
    split: str | None = None,
    layout: str | None = None,
    protocol: str | None = None,
    codec: str | None = None,
    numbering: Numbering = "auto",
    pack: bool = False,
    overwrite: bool = False,
    jobs: int = 1,
    plugins: Iterable[AnyPath] = (),
    listener: Listener = SILENT,
) -> Contribution:
    """Score masks, and pack the record, the card and thumbnails into a folder; nothing is written unless all is well.

    Args:
        masks: as in `vosbench.score`.
        dataset: likewise.
        card: a file, see `vosbench.records.card.MethodCard`; the method's name is the record's.
        out: the folder: new, empty, or an earlier contribution with the same card, to which a dataset is added.
        root: the dataset's folder.
        split: of the dataset.
        layout: of its folder.
        protocol: one of its protocols.
        codec: as in `vosbench.score`.
        numbering: likewise.
        pack: whether the masks are packed too, so that they can be scored again by whoever has the dataset.
        overwrite: replace a record of other predictions, and another card.
        jobs: number of processes.
        plugins: files with datasets.
        listener: callbacks for progress and notes.

    Raises:
        DataError: if the card is not valid, or masks are missing or unusable.
        UsageError: if the folder holds something else.
    """
    told, target, origin = read_card(Path(card)), Path(out), Path(masks)
    _check_target(target, told, overwrite=overwrite)
    plugged = paths_of(plugins)
    found = dataset_of(dataset, plugged)
    if found.root is not None:
        raise UsageError(f'"{found.root}" is a folder of your own, with which others cannot compare')
    result = score(
        origin,
        dataset=found,
        name=told.method,
        codec=codec,
        numbering=numbering,
        jobs=jobs,
        plugins=plugged,
        listener=listener,
        root=root,
        split=split,
        layout=layout,
        protocol=protocol,
    )
    record = result.record
    if result.problem or record.shortcomings:
        raise DataError(f"not a contribution: {result.problem or ', '.join(record.shortcomings)}")
    pictures = _thumbnails(origin, result, codec, numbering) if not _frameless(result.selection) else {}
    if not pictures:
        listener.note(f"{found.title} has no frames here, so there are no thumbnails")
    path = store.save(target, record, records.compact(result.rows), overwrite=overwrite)
    files = [target / FILE, path, path.with_suffix(".csv.gz")]
    write_card(target / FILE, told)
    for name, picture in pictures.items():
        files.append(target / THUMBNAILS / record.dataset / f"{name}.jpg")
        write_whole(files[-1], picture)
    if pack:
        files.append(_packed(origin, target / MASKS / record.dataset))
    return Contribution(folder=target, files=files, result=result)


def _check_target(folder: Path, card: MethodCard, *, overwrite: bool) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / FILE).is_file():
        raise UsageError(f'"{folder}" is not an earlier contribution; choose a new folder')
    earlier = read_card(folder / FILE)
    if earlier.method != card.method:
        raise UsageError(f'"{folder}" is the contribution of "{earlier.method}"; choose a new folder')
    if earlier != card and not overwrite:
        raise UsageError(f'"{folder / FILE}" says something else than the card; pass --overwrite to replace it')


def _frameless(selection: Selection) -> bool:
    return any(video.frameless for video in selection.videos)


def _thumbnails(masks: Path, result: Result, codec: str | None, numbering: Numbering) -> dict[str, bytes]:
    """The masks over a frame in the middle of some videos, from the best to the worst: name → JPEG file."""
    from vosbench.report.site.media import jpeg

    selection, record = result.selection, result.record
    measure = leading(list(record.scores))
    ranked = sorted(record.videos, key=lambda name: (record.videos[name].get(measure) or 0.0, name))
    few = min(PICTURES, len(ranked))
    chosen = {ranked[round(at * (len(ranked) - 1) / max(1, few - 1))] for at in range(few)}
    some = replace(selection, videos=tuple(video for video in selection.videos if video.name in chosen))
    style = overlays.Style(annotation=False, labels=False, numbers=False)
    pictures = {}
    with overlays.opened({record.method: masks}, some, style=style, codec=codec, numbering=numbering) as shown:
        for video in some.videos:
            scored = selection.protocol.scored(video)
            (tile,) = next(iter(shown.tiles(video.name, [scored[len(scored) // 2]])))
            small = resized(tile, (max(1, round(tile.shape[0] * WIDTH / tile.shape[1])), WIDTH))
            pictures[re.sub(r"[^\w.-]", "_", video.name)] = jpeg(small, QUALITY)
    return pictures


def _packed(masks: Path, to: Path) -> Path:
    """Copy an archive, or pack a folder into one; a single file is copied too."""
    to.parent.mkdir(parents=True, exist_ok=True)
    if masks.is_dir():
        return Path(shutil.make_archive(str(to), "zip", masks))
    suffixes = "".join(masks.suffixes[-2:]) if masks.suffixes[-2:-1] == [".tar"] else masks.suffix
    return Path(shutil.copyfile(masks, to.with_name(to.name + suffixes)))
