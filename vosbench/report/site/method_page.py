"""The page of a method: records next to published numbers, weaknesses by attribute, videos, speed, and provenance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from vosbench.metrics.measures import measure_of
from vosbench.metrics.statistics import mean
from vosbench.records.published import UNKNOWN, Published, published
from vosbench.records.record import Record
from vosbench.report.site import cite
from vosbench.report.site.data import ALL_ROWS, raw_record
from vosbench.report.site.keys import key_of, shown
from vosbench.report.site.model import Row, Site, SiteDataset, SiteMethod, SiteVideo
from vosbench.report.site.numbers import lines, ranked_by, ranks, usual_rows, weaknesses
from vosbench.report.site.pages import render

SPARK = 160, 28
"""Size of small curves."""
HALF = 78
"""Of the width of a bar."""
SHOWN_OF_VIDEOS = ("JF_mean", "J_mean", "F_mean", "T_mean", "S", "maxF", "MAE")
SPEEDS = ("fps", "seconds_per_frame")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows of a method on one dataset and split under one signature."""

    dataset: SiteDataset
    split: str
    signature: str
    task: str
    measure: str
    columns: list[str]
    rows: list[Row]
    rank: tuple[int, int] | None
    differences: list[tuple[str, dict[str, float]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoLine:
    """A method on one video; ``apart`` is how much better than the mean of methods; ``curve`` is None without rows."""

    video: SiteVideo
    numbers: list[float | None]
    apart: float | None
    curve: list[str] | None


def write(site: Site) -> None:
    """Write the pages of all methods."""
    by_method: dict[str, list[Row]] = {}
    by_board: dict[tuple[str, str, str], list[Row]] = {}
    for row in site.rows:
        by_method.setdefault(row.method, []).append(row)
        by_board.setdefault((row.dataset, row.split, row.signature), []).append(row)
    boards = _Boards(by_board)
    means = {dataset.key: _means(usual_rows(site, dataset)) for dataset in site.datasets.values()}
    for method in site.methods.values():
        _write(site, method, by_method[method.key], boards, means)


class _Boards:
    """Ranks on every board, which are computed once."""

    def __init__(self, rows: Mapping[tuple[str, str, str], Sequence[Row]]) -> None:
        self._rows = rows
        self._known: dict[tuple[str, str, str, str], tuple[dict[str, int], dict[str, int]]] = {}

    def rank(self, row: Row, measure: str) -> tuple[int, int] | None:
        """The rank of a row, and how many methods are ranked."""
        board = (row.dataset, row.split, row.signature)
        if (*board, measure) not in self._known:
            found = ranks(self._rows[board], measure)
            methods: dict[str, set[str]] = {}
            for each in self._rows[board]:
                if each.key in found:
                    methods.setdefault(each.task, set()).add(each.method)
            self._known[*board, measure] = found, {task: len(of) for task, of in methods.items()}
        found, counts = self._known[*board, measure]
        return (found[row.key], counts[row.task]) if row.key in found else None


def _means(rows: Sequence[Row]) -> dict[tuple[str, str], float]:
    """(Video, measure) → mean over methods."""
    values: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        for video, scores in row.measured.videos.items():
            for name, value in scores.items():
                if value is not None:
                    values.setdefault((video, name), []).append(value)
    return {key: average for key, of in values.items() if (average := mean(of)) is not None}


def _write(
    site: Site,
    method: SiteMethod,
    rows: Sequence[Row],
    boards: _Boards,
    means: Mapping[str, Mapping[tuple[str, str], float]],
) -> None:
    measured = [row for row in rows if row.record is not None]
    usual = [row for row in measured if row.split == site.datasets[row.dataset].split]
    weak = [(row, *weaknesses(row, site.datasets[row.dataset])) for row in usual if not row.left_out]
    path = f"method/{method.key}.html"
    render(
        site,
        path,
        "method.html",
        method=method,
        about=_about(method, rows),
        trainings=list(dict.fromkeys(row.training.text for row in measured if row.training.text)),
        groups=_groups(site, rows, boards),
        weak=[
            (row, name, found, HALF / (max(abs(each.gain) for each in found) or HALF))  # all may be equal
            for row, name, found in weak
            if found
        ],
        videos=[_videos(site, row, means[row.dataset]) for row in usual if row.measured.videos],
        speeds=[(row, row.measured.speed) for row in measured if row.measured.speed is not None],
        printed_speeds=_speeds().get(method.key, []) if site.options.published else [],
        provenance=[(row, _provenance(row.measured)) for row in measured],
        raw=raw_record,
        bibtex="\n\n".join(
            [
                *([cite.of_paper(method.title, method.title, method.paper)] if method.paper else []),
                cite.of_site(site, path),
            ]
        ),
        downloads=[
            *((f"Record of {row.title} on {site.datasets[row.dataset].title}", raw_record(row)) for row in measured),
            ("All rows, as CSV", ALL_ROWS),
        ],
    )


def _about(method: SiteMethod, rows: Sequence[Row]) -> list[tuple[str, str]]:
    year = next((str(row.year) for row in rows if row.year), "")
    venue = next((row.venue for row in rows if row.venue), "")
    tasks = dict.fromkeys(row.task for row in rows if row.task != UNKNOWN)
    names = dict.fromkeys(row.title for row in rows if row.record is not None and row.title != method.title)
    return [
        ("Task", ", ".join(tasks) or "not stated"),
        ("Published", f"{venue} {year}".strip()),
        ("Paper", method.paper),
        ("Records", ", ".join(names)),
        ("Licence", method.licence),
    ]


def _groups(site: Site, rows: Sequence[Row], boards: _Boards) -> list[Group]:
    places = list(site.datasets)

    def place(row: Row) -> tuple[bool, int, str, bool, str, bool, str]:
        of = site.datasets[row.dataset]
        measured = any(each.record is not None and each.dataset == row.dataset for each in rows)
        away = (row.split, row.signature) != (of.split, of.usual)
        return (not measured, places.index(row.dataset), row.split, away, row.signature, row.record is None, row.title)

    found = []
    for (key, split, name), own in groupby(
        sorted(rows, key=place), key=lambda row: (row.dataset, row.split, row.signature)
    ):
        of = list(own)
        measure = ranked_by(of)
        ranked = next((row for row in of if boards.rank(row, measure) is not None), None)
        columns = list(dict.fromkeys(value for row in of for value in row.values))
        columns = [measure, *(value for value in columns if value != measure)]
        found.append(
            Group(
                dataset=site.datasets[key],
                split=split,
                signature=name,
                task=of[0].task,
                measure=measure,
                columns=columns,
                rows=of,
                rank=None if ranked is None else boards.rank(ranked, measure),
                differences=_differences(of) if name else [],
            )
        )
    return found


def _differences(rows: Sequence[Row]) -> list[tuple[str, dict[str, float]]]:
    """Of the first measured row and each published one under the same signature: measured − published."""
    own = next((row for row in rows if row.record is not None), None)
    if own is None:
        return []
    found = []
    for row in rows:
        if row.record is None:
            both = {name: own.values[name] - value for name, value in row.values.items() if name in own.values}
            found += [(row.source, both)] if both else []
    return found


def _videos(
    site: Site, row: Row, means: Mapping[tuple[str, str], float]
) -> tuple[Row, str, list[str], list[VideoLine]]:
    """The videos of a measured row, worst first, by the measure that ranks it if videos have it."""
    dataset, record = site.datasets[row.dataset], row.measured
    held = dict.fromkeys(name for scores in record.videos.values() for name in scores)
    names = [name for name in SHOWN_OF_VIDEOS if name in held][:4] or list(held)[:4]
    measure = names[0]
    frames = site.frames.get(f"{row.dataset}/{row.key}")
    gain = measure_of(measure).gain
    found = []
    for video in dataset.videos:
        scores = record.videos.get(video.name)
        if scores is None:
            continue
        value, average = scores.get(measure), means.get((video.name, measure))
        apart = None if value is None or average is None or row.signature != dataset.usual else gain(value - average)
        curve = None if frames is None else lines(frames.get(video.name, {}).get("J", []), *SPARK)
        numbers = [scores.get(name) for name in names]
        found.append(VideoLine(video=video, numbers=numbers, apart=apart, curve=curve))
    found.sort(key=lambda line: (line.numbers[0] is None, gain(line.numbers[0] or 0.0), line.video.name))
    return row, measure, names, found


@cache
def _speeds() -> dict[str, list[Published]]:
    """Key of a method → its published speeds."""
    found: dict[str, list[Published]] = {}
    for number in published():
        if number.measure in SPEEDS and not number.category:
            found.setdefault(key_of(number.method), []).append(number)
    return found


def _provenance(record: Record) -> list[tuple[str, str]]:
    of = record.provenance
    options = ", ".join(f"{name}={value}" for name, value in of.options.items() if value)
    texts = {
        "Scored": f"{of.date} by vosbench {of.vosbench}" + (f", commit {of.commit[:12]}" if of.commit else ""),
        "Signature": record.signature,
        "Predictions": of.predictions or "",
        "Read as": of.codec,
        "Hash of the masks": of.masks,
        "Hash of the annotations": of.annotations,
        "Layout": of.layout,
        "Weights": of.weights or "",
        "Trained on": of.training or "",
        "Device": ", ".join(filter(None, (of.device, of.precision))),
        "Options": options,
        "Network sees": ", ".join(of.inputs),
        "Packages": ", ".join(f"{name} {version}" for name, version in of.packages.items()),
        "Missing": ", ".join(record.missing[:20]) + (" …" if len(record.missing) > 20 else ""),
    }
    return [(label, shown(text)) for label, text in texts.items()]
