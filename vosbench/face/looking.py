"""The functions `vosbench.overlay` and `vosbench.inspect`.

The other functions do not need this module, so `vosbench.face` does not import it.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Unpack

from vosbench import registry
from vosbench.dataset import Dataset
from vosbench.dataset.selection import Selection, select
from vosbench.errors import UsageError, counted
from vosbench.evaluate.numbering import Numbering
from vosbench.face.functions import dataset_of
from vosbench.face.options import (
    SILENT,
    AnyPath,
    Listener,
    Names,
    SelectOptions,
    choice_of,
    names_of,
    paths_of,
    refuse_unknown,
)
from vosbench.images import write_png
from vosbench.report import inspection, overlays, showing
from vosbench.report.inspection import Inspection
from vosbench.report.overlays import Style
from vosbench.report.showing import Kind

__all__ = ["Inspection", "OverlayResult", "inspect", "overlay"]

RATE = 10


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class OverlayResult:
    """The files that show masks; prints as a line for each, or for each folder of pictures.

    Attributes:
        files: file → number of pictures in it.
        notes: notes for the reader, one line each.
    """

    files: Mapping[Path, int]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """A line for each film or sheet, and for each folder of pictures."""
        folders: dict[Path, int] = {}
        lines = []
        for path, number in self.files.items():
            if path.suffix == ".png" and number == 1:
                folders[path.parent] = folders.get(path.parent, 0) + 1
            else:
                lines.append(f"{path}: {counted(number, 'frame')}")
        return "\n".join(lines + [f"{folder}: {counted(number, 'picture')}" for folder, number in folders.items()])


def overlay(  # noqa: PLR0913 - the options of the command line
    masks: AnyPath | Iterable[AnyPath],
    dataset: AnyPath | Dataset,
    *,
    out: AnyPath,
    frames: str = "all",
    kind: Kind = "png",
    style: Style | None = None,
    rate: float = RATE,
    names: Names = (),
    codec: str | None = None,
    numbering: Numbering = "auto",
    jobs: int = 1,
    overwrite: bool = False,
    plugins: Iterable[AnyPath] = (),
    listener: Listener = SILENT,
    **selecting: Unpack[SelectOptions],
) -> OverlayResult:
    """Draw masks over frames, as scoring reads them: of one method, or of several next to each other.

    Args:
        masks: predictions in any form that `vosbench.score` takes, or several of them.
        dataset: as in `vosbench.score`.
        out: a ``.png`` file, with a row for each frame; a ``.gif``, ``.mp4``, ``.mov`` or ``.mkv`` file of one video;
            or a folder, for pictures ``<out>/<video>/<frame>.png`` or a film of each video.
        frames: see `vosbench.report.overlays.pick`.
        kind: what is written to a folder.
        style: how masks are drawn.
        rate: frames per second of films.
        names: a name for each of the methods.
        codec: as in `vosbench.score`.
        numbering: as in `vosbench.score`.
        jobs: as in `vosbench.score`.
        overwrite: replace files instead of refusing.
        plugins: Python files with datasets.
        listener: callbacks for progress and notes.
        selecting: see `SelectOptions`.

    Raises:
        UsageError: if a name or option is unknown, or files exist.
        DataError: if files are missing or damaged, or there are no annotations.
    """
    refuse_unknown(selecting, SelectOptions.__optional_keys__, "overlay")
    if not 0 < rate <= 240:
        raise UsageError(f"the rate must be above 0 and at most 240 frames per second, not {rate:g}")
    target = Path(out)
    showing.check_target(target)
    origins = (Path(masks),) if isinstance(masks, str | os.PathLike) else paths_of(masks)
    named = overlays.names_of(origins, names_of(names))
    selection = _selection(dataset, selecting, plugins)
    workers = jobs or os.cpu_count() or 1
    done = 0
    with overlays.opened(named, selection, style=style, codec=codec, numbering=numbering, jobs=workers) as shown:
        for line in shown.notes:
            listener.note(line)
        files = showing.plan(shown, showing.pick(shown, frames), target, kind)
        counts = {path: sum(map(len, chosen.values())) for path, chosen in files.items()}
        existing = next((path for path in files if path.exists()), None)
        if existing is not None and not overwrite:
            raise UsageError(f'"{existing}" exists; overwrite replaces it')

        def advance(video: str) -> None:
            nonlocal done
            done += 1
            listener.advance(video, done, sum(counts.values()))

        showing.write(shown, files, Fraction(rate).limit_denominator(1000), advance)
    return OverlayResult(counts, tuple(shown.notes))


def inspect(  # noqa: PLR0913 - the options of the command line
    masks: AnyPath,
    dataset: AnyPath | Dataset,
    *,
    sheet: AnyPath | None = None,
    codec: str | None = None,
    numbering: Numbering = "auto",
    jobs: int = 1,
    overwrite: bool = False,
    plugins: Iterable[AnyPath] = (),
    listener: Listener = SILENT,
    **selecting: Unpack[SelectOptions],
) -> Inspection:
    """Look at masks before they are scored: how scoring reads them, and what may be wrong with them.

    Args:
        masks: predictions in any form that `vosbench.score` takes.
        dataset: as in `vosbench.score`; annotations are not needed.
        sheet: a ``.png`` file for a contact sheet: the most suspicious frames, and some of each video.
        codec: as in `vosbench.score`.
        numbering: as in `vosbench.score`.
        jobs: as in `vosbench.score`.
        overwrite: replace the sheet instead of refusing.
        plugins: Python files with datasets.
        listener: callbacks for progress and notes.
        selecting: see `SelectOptions`.

    Raises:
        UsageError: if a name or option is unknown, or the sheet exists.
        DataError: if there are no masks of these videos, or they do not tell their encoding.
    """
    refuse_unknown(selecting, SelectOptions.__optional_keys__, "inspect")
    target = None if sheet is None else Path(sheet)
    if target is not None and target.suffix.lower() != showing.PICTURE:
        raise UsageError(f'"{target}" should end in {showing.PICTURE}')
    if target is not None and target.exists() and not overwrite:
        raise UsageError(f'"{target}" exists; overwrite replaces it')
    selection = _selection(dataset, selecting, plugins)
    total = len(selection.videos)
    with inspection.inspected(
        Path(masks),
        selection,
        codec=codec,
        numbering=numbering,
        jobs=jobs or os.cpu_count() or 1,
        advance=lambda done: listener.advance(Path(masks).name, done, total),
    ) as found:
        if target is not None:
            write_png(target, inspection.contact_sheet(found))
    return found


def _selection(dataset: AnyPath | Dataset, selecting: SelectOptions, plugins: Iterable[AnyPath]) -> Selection:
    plugged = paths_of(plugins)
    return select(dataset_of(dataset, plugged), choice_of(selecting), registry.load_families(plugged))
