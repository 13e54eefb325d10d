"""Numbers of pages that no record holds: ranks, difficulty of videos, weaknesses by attribute, values over time."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vosbench.errors import DataError
from vosbench.evaluate.aggregate import VideoScores
from vosbench.metrics.measures import MEASURES, measure_of
from vosbench.records.published import UNKNOWN
from vosbench.records.record import ROWS
from vosbench.report.site.model import Row, Site, SiteDataset

OVER_TIME = ("J", "F")
"""Measures that pages show over time."""
DIFFICULTY = "J_mean"
"""What videos are difficult by, if rows have it."""
LEADING = ("JF_mean", "J_mean", "maxF", "S", "MAE")
"""Measures that order rows, the first that there is."""
ATTRIBUTES = {
    "AC": "appearance change",
    "BC": "background clutter",
    "CS": "camera shake",
    "DB": "dynamic background",
    "DEF": "deformation",
    "EA": "edge ambiguity",
    "FM": "fast motion",
    "HO": "heterogeneous object",
    "IO": "interacting objects",
    "LR": "low resolution",
    "MB": "motion blur",
    "OCC": "occlusion",
    "OV": "out of view",
    "ROT": "rotation",
    "SC": "shape complexity",
    "SV": "scale variation",
}
"""What attributes of DAVIS mean. Source: Perazzi et al., CVPR 2016, Table 1."""


def ranks(rows: Iterable[Row], measure: str) -> dict[str, int]:
    """Key of a row → its rank among rows of its dataset, split, signature and task; as ``VB.ranks`` in the pages.

    A method counts once, with its best row. Rows whose signature or task nobody states, and incomplete ones, have none.
    """
    gain = measure_of(measure).gain
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        if row.signature and not row.left_out and row.task != UNKNOWN and measure in row.values:
            groups.setdefault((row.dataset, row.split, row.signature, row.task), []).append(row)
    found: dict[str, int] = {}
    for own in groups.values() if measure_of(measure).better else ():
        seen: dict[str, int] = {}
        rank, last = 0, math.nan
        for row in sorted(own, key=lambda row: -gain(row.values[measure])):
            if row.method not in seen:
                value = round(row.values[measure], 5)
                rank = rank if value == last else len(seen) + 1
                last = value
                seen[row.method] = rank
            found[row.key] = seen[row.method]
    return found


def ranked_by(rows: Sequence[Row]) -> str:
    """The measure that orders rows unless another is asked for, as ``VB.leading`` in pages; empty if there is none."""
    names = dict.fromkeys(name for row in rows for name in row.values)
    known = (name for name in (*LEADING, *MEASURES) if name in names)
    return next(known, min(names, default=""))


def best_first(rows: Iterable[Row], measure: str) -> list[Row]:
    """Rows sorted by a measure; those without it last."""
    gain = measure_of(measure).gain
    return sorted(rows, key=lambda row: (measure not in row.values, -gain(row.values.get(measure, 0.0)), row.title))


def usual_rows(site: Site, dataset: SiteDataset) -> list[Row]:
    """The complete measured rows of a dataset under the signature that its pages show first, best first."""
    rows = [
        row
        for row in site.measured(dataset.key)
        if (row.split, row.signature, row.left_out) == (dataset.split, dataset.usual, "")
    ]
    return best_first(rows, ranked_by(rows))


@dataclass(frozen=True, slots=True)
class Difficulty:
    """How difficult a video is: its measure over methods.

    Attributes:
        mean: over the methods.
        low: of the worst method.
        high: of the best.
        best: the row of the best.
        place: 1 for the most difficult video.
    """

    mean: float
    low: float
    high: float
    best: Row
    place: int


def difficulty(rows: Sequence[Row], dataset: SiteDataset) -> tuple[str, dict[str, Difficulty]]:
    """The measure that videos are difficult by, and name of a video → its difficulty, the most difficult one first."""
    own = {name for row in rows for name in row.values}
    measure = DIFFICULTY if DIFFICULTY in own else ranked_by(rows)
    gain = measure_of(measure).gain
    found: list[tuple[float, list[tuple[float, Row]], str]] = []
    for video in dataset.videos:
        values = [
            (value, row) for row in rows if (value := row.measured.videos.get(video.name, {}).get(measure)) is not None
        ]
        if values:
            ordered = sorted(values, key=lambda each: gain(each[0]))
            found.append((math.fsum(value for value, _ in values) / len(values), ordered, video.name))
    found.sort(key=lambda each: (gain(each[0]), each[2]))
    return measure, {
        name: Difficulty(average, of[0][0], of[-1][0], of[-1][1], place)
        for place, (average, of, name) in enumerate(found, 1)
    }


@dataclass(frozen=True, slots=True)
class Weakness:
    """How a method does on the videos with an attribute.

    Attributes:
        attribute: its name.
        meaning: in words; empty if nobody says.
        videos: how many have it.
        value: the mean over these.
        gain: the mean over the other videos minus it, in the measure's direction: above 0 the attribute is a weakness.
    """

    attribute: str
    meaning: str
    videos: int
    value: float
    gain: float


def weaknesses(row: Row, dataset: SiteDataset) -> tuple[str, list[Weakness]]:
    """The measure, and the attributes of a measured row's videos, the worst weakness first."""
    listing = {video.name: video.listed for video in dataset.videos}
    measure = DIFFICULTY if DIFFICULTY in row.values else ranked_by([row])
    scores = VideoScores.of(row.measured, listing)
    found = []
    for name in sorted({attribute for listed in listing.values() for attribute in listed.attributes}):
        value, gain = scores.by_attribute(measure, name)
        if value is not None and gain is not None:
            count = sum(name in listed.attributes for listed in listing.values())
            found.append(Weakness(name, ATTRIBUTES.get(name, ""), count, value, measure_of(measure).gain(gain)))
    return measure, sorted(found, key=lambda each: (-each.gain, each.attribute))


def over_time(site: Site, row: Row) -> Mapping[str, Mapping[str, list[float | None]]]:
    """Name of a video → ``"J"`` and ``"F"`` → value of each frame, None if it was not scored.

    Nothing if no file of values lies next to the record; if it holds those of other masks, there is also a warning.
    """
    shown = row.record
    if shown is None or not (shown.rows or any(shown.path.with_suffix(end).is_file() for end in ROWS)):
        return {}
    lengths = {video.name: video.listed.frames or 0 for video in site.datasets[row.dataset].videos}
    found: dict[str, dict[str, list[float | None]]] = {}
    for measure in OVER_TIME:
        try:
            values = shown.of_frames(measure)
        except DataError as error:
            site.options.warn(f"{error}; its curves over time are left out")
            return {}
        for video, frames in values.items():
            length = max(lengths.get(video, 0), max(frames) + 1)
            found.setdefault(video, {})[measure] = [frames.get(frame) for frame in range(length)]
    return found


def lines(values: Sequence[float | None], width: float, height: float) -> list[str]:
    """Values over time as points of SVG lines, 1 at the top; a new line begins behind each gap.

    >>> lines([None, 0.0, 1.0, None, 0.5], 40, 10)
    ['10,10 20,0', '40,5']
    """
    step = width / max(len(values) - 1, 1)
    found: list[list[str]] = [[]]
    for at, value in enumerate(values):
        if value is None:
            found.append([])
        else:
            found[-1].append(f"{round(at * step, 1):g},{round((1 - min(max(value, 0), 1)) * height, 1):g}")
    return [" ".join(points) for points in found if points]
