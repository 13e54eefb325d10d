"""Every figure by its name: what it shows, what it is made of, and which options it takes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vosbench.errors import UsageError, suggest
from vosbench.records.store import Warn
from vosbench.registry import load_dataset, load_families
from vosbench.report.figures.sources import Shown, alike, chosen, labelled, measured, origin, read, rows_of
from vosbench.report.figures.style import Sheet, Width

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FRAMES = ("J", "F")
"""Measures of frames that are shown over time."""
FORMS = ("bars", "radar")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A figure by its name.

    Attributes:
        about: what it shows, in a line.
        sources: what it is made of.
        uses: the options that it takes beyond those of all figures.
        width: its usual width.
        reading: how to read it, for its caption.
    """

    about: str
    sources: str = "records"
    uses: tuple[str, ...] = ()
    width: Width = "column"
    reading: str = ""


OF_RECORDS = ("results", "protocol")
PICTURES = ("root", "layout", "videos")
KINDS: Mapping[str, Kind] = {
    "pr": Kind(
        about="precision over recall of soft maps, a panel for each dataset (AD-Net, Figure 4)",
        uses=OF_RECORDS,
        reading="dot: the maximum of F, maxF; faint lines: equal F",
    ),
    "f-threshold": Kind(
        about="F over the threshold of soft maps", uses=OF_RECORDS, reading="dot: maxF; dotted: one half"
    ),
    "frames": Kind(
        about="J and F over time, of --videos or averaged, with the quarters that make decay",
        uses=(*OF_RECORDS, "measure", "videos", "per-frame"),
        width="page",
        reading="bars: means of the first and the last quarter; decay is the first minus the last",
    ),
    "videos": Kind(
        about="the score of each video, sorted; two methods in pairs",
        uses=(*OF_RECORDS, "measure", "videos", "per-frame"),
    ),
    "attributes": Kind(
        about="the mean over the videos with each attribute, as --form bars or radar",
        uses=(*OF_RECORDS, "measure", "form"),
        width="page",
        reading="below an attribute: its videos",
    ),
    "success": Kind(
        about="share of frames whose J is above a threshold",
        uses=(*OF_RECORDS, "measure", "per-frame"),
        reading="all scored frames; number: their mean, which is the area below the line",
    ),
    "speed": Kind(
        about="a score over frames per second, as run --profile measures them", uses=(*OF_RECORDS, "measure")
    ),
    "jf": Kind(about="F over J, a point for each method", uses=OF_RECORDS, reading="dashed: equal J&F"),
    "heatmap": Kind(about="a score of methods by videos", uses=(*OF_RECORDS, "measure", "videos"), width="page"),
    "centres": Kind(
        about="centres of objects over frames (F2Net, Figure 6), from a folder that --set heatmaps=FOLDER has filled",
        sources="a folder of heat maps",
        uses=(*PICTURES, "frames"),
        width="page",
        reading="heat: score relative to the highest one of the frame",
    ),
    "similarity": Kind(
        about="similarity of a pixel to the first frame (AD-Net, Figure 1), of methods that offer embeddings",
        sources="methods",
        uses=(*PICTURES, "frames", "point"),
        width="page",
        reading="cosine of the embedding at the dot and those of the first frame",
    ),
    "drift": Kind(
        about="similarity of foreground and background to the first frame over time (AD-Net, Figure 3)",
        sources="methods",
        uses=PICTURES,
        reading="mean cosine of all pairs of embeddings, of a frame and the first one; band: middle half of the videos",
    ),
    "qualitative": Kind(
        about="masks over frames: a row for each method, a column for each of --frames of --videos",
        sources="folders or archives of masks",
        uses=(*PICTURES, "frames", "codec"),
        width="page",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsRequest:
    """A request for a figure of records.

    Attributes:
        name: one of `KINDS` whose sources are records.
        sources: paths of records, folders of records, and names of records.
        results: the folder that names are looked up in.
        dataset: only records of this dataset; any if None.
        split: likewise.
        protocol: likewise.
        labels: what methods are called, in order of the records.
        measure: the score; the one that ranks if None. Of frames, symbols separated by commas.
        videos: only these videos.
        per_frame: files of values of frames, in order of the records.
        form: of attributes.
        plugins: files with more datasets and measures.
        warn: called with a line for each file that cannot be read as a record.
    """

    name: str
    sources: tuple[str, ...]
    results: Path
    dataset: str | None = None
    split: str | None = None
    protocol: str | None = None
    labels: tuple[str, ...] = ()
    measure: str | None = None
    videos: tuple[str, ...] = ()
    per_frame: tuple[Path, ...] = ()
    form: str = "bars"
    plugins: tuple[Path, ...] = ()
    warn: Warn = lambda _: None


def kind_of(name: str, given: Sequence[str]) -> Kind:
    """Look up a figure, and check that it takes the options that are given.

    Raises:
        UsageError: if there is no such figure, or an option would change nothing.
    """
    if name not in KINDS:
        raise UsageError(f'there is no figure "{name}"; {suggest(name, list(KINDS))}')
    unused = next((option for option in given if option not in KINDS[name].uses), None)
    if unused is not None:
        others = ", ".join(other for other, kind in KINDS.items() if unused in kind.uses)
        raise UsageError(f'the figure "{name}" does not use --{unused}; these do: {others}')
    return KINDS[name]


def of_records(request: RecordsRequest, width: Width, *, caption: bool) -> "tuple[Figure, list[str]]":
    """Draw a figure of records, within its `vosbench.report.figures.style.style_sheet`.

    Returns:
        the figure, and a line for each record that is left out.

    Raises:
        UsageError: if a name is unknown, or numbers of options do not fit.
        DataError: if records cannot be compared, or what the figure needs is not in them.
    """
    load_families(request.plugins)
    shown = labelled(read(request.sources, request.results, request.warn), request.labels, request.per_frame)
    shown = chosen(shown, request.dataset, request.split, request.protocol)
    notes = list[str]()
    if request.name != "pr":
        shown, notes = alike(shown)
    reading = KINDS[request.name].reading
    if request.name == "videos":
        parts = (
            ["line: score of the split, with the 95 % interval of a mean over these videos"] if len(shown) <= 2 else []
        )
        parts += ["whiskers: 10th to 90th percentile of frames"] if request.per_frame else []
        reading = "; ".join(parts)
    said = f"{origin(shown)}. {reading[:1].upper()}{reading[1:]}." if reading else f"{origin(shown)}."
    sheet = Sheet(width=width, caption=said if caption else "")
    return DRAW[request.name](request, shown, sheet), notes


def _of_videos(request: RecordsRequest, shown: Sequence[Shown]) -> list[Shown]:
    """The records with the chosen videos only."""
    if not request.videos:
        return list(shown)
    for name in request.videos:
        other = next((each for each in shown if name not in each.record.videos), None)
        if other is not None:
            known = list(other.record.videos)
            raise UsageError(f'"{other.label}" has no video "{name}"; {suggest(name, known)}')
    return [each.only(request.videos) for each in shown]


def _pr(_request: RecordsRequest, shown: Sequence[Shown], sheet: Sheet) -> "Figure":
    from vosbench.report.figures.curves import pr

    return pr(shown, sheet)


def _f_threshold(_request: RecordsRequest, shown: Sequence[Shown], sheet: Sheet) -> "Figure":
    from vosbench.report.figures.curves import f_threshold

    return f_threshold(shown, sheet)


def _success(request: RecordsRequest, shown: Sequence[Shown], sheet: Sheet) -> "Figure":
    from vosbench.report.figures.curves import success

    (measure,) = _of_frames(request, shown, ("J",))
    return success(shown, sheet, measure)


def _frames(request: RecordsRequest, shown: Sequence[Shown], sheet: Sheet) -> "Figure":
    from vosbench.report.figures.frames import frames

    return frames(shown, sheet, _of_frames(request, shown, FRAMES), request.videos)


def _of_frames(request: RecordsRequest, shown: Sequence[Shown], usual: Sequence[str]) -> list[str]:
    """The measures of frames that are asked for, or the usual ones that all records have."""
    having = [name for name in FRAMES if all(f"{name}_mean" in each.record.scores for each in shown)]
    asked = [name.strip() for name in request.measure.split(",")] if request.measure else []
    if len(usual) == 1 and len(asked) > 1:
        raise UsageError(f'the figure "{request.name}" is of one measure; pass one of {", ".join(having)}')
    unknown = next((name for name in asked if name not in having), None)
    found = asked or [name for name in usual if name in having]
    if unknown is not None or not found:
        of = unknown or " and ".join(usual)
        raise UsageError(f'these records have no values of frames of "{of}"; available: {", ".join(having) or "none"}')
    return found


def _videos(request: RecordsRequest, shown: Sequence[Shown], sheet: Sheet) -> "Figure":
    from vosbench.report.figures.videos import videos

    key = measured(shown, request.measure)
    spread = []
    if request.per_frame:
        symbol = key.removesuffix("_mean")
        if symbol not in FRAMES:
            raise UsageError(f"whiskers are of values of frames; pass --measure J_mean or F_mean, not {key}")
        spread = rows_of(shown, symbol)
    return videos(_of_videos(request, shown), sheet, key, spread)


def _heatmap(request: RecordsRequest, shown: Sequence[Shown], sheet: Sheet) -> "Figure":
    from vosbench.report.figures.videos import heatmap

    return heatmap(_of_videos(request, shown), sheet, measured(shown, request.measure))


def _attributes(request: RecordsRequest, shown: Sequence[Shown], sheet: Sheet) -> "Figure":
    from vosbench.report.figures.attributes import attributes

    if request.form not in FORMS:
        raise UsageError(f'there is no form "{request.form}"; available: {", ".join(FORMS)}')
    dataset = load_dataset(shown[0].record.dataset, request.plugins)
    return attributes(shown, sheet, measured(shown, request.measure), dataset, request.form)


def _speed(request: RecordsRequest, shown: Sequence[Shown], sheet: Sheet) -> "Figure":
    from vosbench.report.figures.scatter import speed

    return speed(shown, sheet, measured(shown, request.measure))


def _jf(_request: RecordsRequest, shown: Sequence[Shown], sheet: Sheet) -> "Figure":
    from vosbench.report.figures.scatter import jf

    return jf(shown, sheet)


DRAW: Mapping[str, Callable[[RecordsRequest, Sequence[Shown], Sheet], "Figure"]] = {
    "pr": _pr,
    "f-threshold": _f_threshold,
    "frames": _frames,
    "videos": _videos,
    "attributes": _attributes,
    "success": _success,
    "speed": _speed,
    "jf": _jf,
    "heatmap": _heatmap,
}
