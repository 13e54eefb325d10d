"""Figures by the Python face: records, masks or methods to a file."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from vosbench import registry, runner
from vosbench.dataset.selection import Selection, select, with_frames
from vosbench.errors import UsageError, extras_needed
from vosbench.face.options import (
    SILENT,
    AnyPath,
    Listener,
    Names,
    RunOptions,
    choice_of,
    names_of,
    paths_of,
    refuse_unknown,
    setup_of,
)
from vosbench.method.loading import loaded
from vosbench.method.method import Embedder
from vosbench.report.figures import named, style
from vosbench.report.figures.pictures import spots
from vosbench.report.figures.style import Sheet, Width

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FEW, MANY = 4, 6
"""Frames that are shown if none are named: of methods' embeddings and centres, and of masks."""
MOST = 4
"""Videos that a caption names."""


def figure(  # noqa: PLR0913 - the options of the command line
    name: str,
    sources: AnyPath | Sequence[AnyPath],
    out: AnyPath | None = None,
    *,
    dataset: str | None = None,
    width: Width | None = None,
    caption: bool = True,
    labels: Names = (),
    measure: str | None = None,
    frames: str = "",
    form: str | None = None,
    point: tuple[int, int] | None = None,
    per_frame: Sequence[AnyPath] = (),
    codec: str | None = None,
    results: AnyPath = "results",
    plugins: Iterable[AnyPath] = (),
    listener: Listener = SILENT,
    **options: Unpack[RunOptions],
) -> "Figure":
    """Draw a figure for a paper.

    Args:
        name: one of `vosbench.report.figures.named.KINDS`.
        sources: records (paths, folders, or names below ``results``); for ``qualitative`` masks, for ``centres`` a
            folder of heat maps, for ``similarity`` and ``drift`` names of methods.
        out: a .pdf, .svg or .png file to write.
        dataset: of masks, heat maps and methods; of records, which to show.
        width: ``"column"`` or ``"page"`` of a page with two columns; by default what suits the figure.
        caption: whether a small line says dataset, protocol and how to read the figure.
        labels: names of the methods, in order of the sources.
        measure: the score that is shown; the one that ranks by default.
        frames: which frames are shown, such as ``"0,12,40"`` or ``"every:10"``.
        form: of attributes, ``"bars"`` or ``"radar"``.
        point: the pixel (x, y) of ``similarity``.
        per_frame: files of ``vosbench score --per-frame``, in order of the records; found next to these by default.
        codec: encoding of masks; recognised by default.
        results: the folder that names of records are looked up in.
        plugins: Python files with methods, datasets or measures.
        listener: callbacks for progress and notes.
        options: see `RunOptions`; the setup is that of the methods.

    Returns:
        a matplotlib figure.

    Raises:
        UsageError: if a name or option is unknown or not used by the figure, or matplotlib is not installed.
        DataError: if something that the figure needs is missing, with the command that makes it.
    """
    refuse_unknown(options, RunOptions.__optional_keys__, "figure")
    given = {
        "measure": measure,
        "frames": frames,
        "form": form,
        "point": point,
        "per-frame": per_frame,
        "codec": codec,
        "videos": options.get("videos"),
        "root": options.get("root"),
        "layout": options.get("layout"),
        "protocol": options.get("protocol"),
    }
    kind = named.kind_of(name, [option for option, value in given.items() if value])
    if out is not None:
        style.check_suffix(Path(out))
    wanted = (
        [os.fspath(sources)] if isinstance(sources, str | os.PathLike) else [os.fspath(source) for source in sources]
    )
    if not wanted:
        raise UsageError(f'the figure "{name}" is made of {kind.sources}; name at least one')
    width = width or kind.width
    with style.style_sheet(width):
        if name in named.DRAW:
            protocol = options.get("protocol")
            request = named.RecordsRequest(
                name=name,
                sources=tuple(wanted),
                results=Path(results),
                dataset=dataset,
                split=options.get("split"),
                protocol=protocol if protocol is None or isinstance(protocol, str) else protocol.name,
                labels=names_of(labels),
                measure=measure,
                videos=names_of(options.get("videos", ())),
                per_frame=paths_of(per_frame),
                form=form or named.FORMS[0],
                plugins=paths_of(plugins),
                warn=listener.note,
            )
            drawn, notes = named.of_records(request, width, caption=caption)
            for line in notes:
                listener.note(line)
        else:
            pictures = _Pictures(
                name, tuple(wanted), dataset, names_of(labels), frames, point, codec, paths_of(plugins)
            )
            drawn = _of_pictures(pictures, options, width, listener, caption=caption)
        if out is not None:
            style.write(Path(out), drawn)
    return drawn


@dataclass(frozen=True, slots=True)
class _Pictures:
    """A request for a figure of frames; see `figure`."""

    name: str
    sources: tuple[str, ...]
    dataset: str | None
    labels: tuple[str, ...]
    frames: str
    point: tuple[int, int] | None
    codec: str | None
    plugins: tuple[Path, ...]


def _of_pictures(
    request: _Pictures, options: RunOptions, width: Width, listener: Listener, *, caption: bool
) -> "Figure":
    if request.dataset is None:
        raise UsageError(f'the figure "{request.name}" shows frames; name their dataset with --dataset')
    dataset = registry.load_dataset(request.dataset, request.plugins)
    selection = with_frames(select(dataset, choice_of(options)))
    videos = selection.videos if request.name == "drift" or options.get("videos") else selection.videos[:1]
    reading = named.KINDS[request.name].reading
    names = ", ".join(video.name for video in videos) if len(videos) <= MOST else f"{len(videos)} videos"
    said = f"{dataset.name} {selection.split}, {names}"
    said += f". {reading[:1].upper()}{reading[1:]}." if reading else "; frames are numbered from 0."
    sheet = Sheet(width=width, caption=said if caption else "")
    if request.name == "qualitative":
        return _qualitative(request, replace(selection, videos=tuple(videos)), sheet)
    if request.name == "centres":
        from vosbench.report.figures.centres import centres

        if len(request.sources) > 1:
            raise UsageError("centres are of one folder of heat maps")
        return centres(Path(request.sources[0]), spots(videos, request.frames, FEW), sheet)
    from vosbench.report.figures import embeddings

    methods = _embedders(request, options)
    if request.name == "drift":
        return embeddings.drift(methods, videos, sheet, listener.advance)
    if len(videos) > 1:
        raise UsageError("similarity is of frames of one video; name one with --videos")
    return embeddings.similarity(methods, spots(videos, request.frames, FEW), sheet, request.point, listener.advance)


def _qualitative(request: _Pictures, selection: Selection, sheet: Sheet) -> "Figure":
    from vosbench.report import overlays, showing
    from vosbench.report.figures.qualitative import qualitative

    named = overlays.names_of([Path(source) for source in request.sources], request.labels)
    with overlays.opened(named, selection, codec=request.codec) as shown:
        chosen = spots(selection.videos, "", max(MANY // len(selection.videos), 1))
        if request.frames:
            picked = showing.pick(shown, request.frames)
            chosen = [(shown.video(name), index) for name, indices in picked.items() for index in indices]
        names = ", ".join(dict.fromkeys(video.name for video, _ in chosen))
        said = f"{selection.dataset.name} {selection.split}, {names}; frames are numbered from 0."
        return qualitative(shown, chosen, replace(sheet, caption=said if sheet.caption else ""))


def _labelled(request: _Pictures, names: Sequence[str]) -> list[tuple[str, str]]:
    if request.labels and len(request.labels) != len(request.sources):
        raise UsageError(f"--labels is for each of these {len(request.sources)}: {', '.join(request.sources)}")
    labels = request.labels or names
    twice = next((label for label in labels if list(labels).count(label) > 1), None)
    if twice is not None:
        raise UsageError(f'two of these are called "{twice}"; name them with --labels')
    return list(zip(labels, request.sources, strict=True))


def _embedders(request: _Pictures, options: RunOptions) -> dict[str, Embedder]:
    """Label → predictor that offers embeddings."""
    if options.get("weights") and len(request.sources) > 1:
        raise UsageError("--weights are of one method; draw a figure of each")
    found: dict[str, Embedder] = {}
    for label, source in _labelled(request, request.sources):
        method, setup = runner.resolve_method(
            source, setup_of(options), plugins=request.plugins, untrained=options.get("untrained", False)
        )
        with extras_needed():
            predictor = loaded(method, setup)
        if not isinstance(predictor, Embedder):
            raise UsageError(f'"{source}" offers no embeddings in this setup (vosbench.method.Embedder)')
        found[label] = predictor
    return found
