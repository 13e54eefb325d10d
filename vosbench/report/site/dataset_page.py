"""The page of a dataset: its results, its videos by difficulty, and its protocols in words."""

from collections.abc import Sequence

from vosbench.metrics.measures import measure_of
from vosbench.report.site import cite
from vosbench.report.site.data import ALL_ROWS, raw_record
from vosbench.report.site.explain import Explained, explain
from vosbench.report.site.keys import shown
from vosbench.report.site.model import Row, Site, SiteDataset
from vosbench.report.site.numbers import ATTRIBUTES, best_first, difficulty, ranked_by, ranks, usual_rows
from vosbench.report.site.pages import render

COLUMNS = 5
"""Measures besides the one that ranks."""


def write(site: Site) -> None:
    """Write the pages of all datasets."""
    for dataset in site.datasets.values():
        _write(site, dataset)


def _write(site: Site, dataset: SiteDataset) -> None:
    measured = usual_rows(site, dataset)
    hard_by, hard = difficulty(measured, dataset)
    order = {name: found.place for name, found in hard.items()}
    videos = sorted(dataset.videos, key=lambda video: (order.get(video.name, len(order) + 1), video.name))
    own = [row for row in site.rows if row.dataset == dataset.key]
    on_board = [row for row in own if (row.split, row.signature) == (dataset.split, dataset.usual)]
    measure = ranked_by(measured or on_board)
    rows = measured or best_first(on_board, measure)
    tasks = {row.task for row in rows}
    placed = ranks(on_board, measure) if measure else {}
    path = f"dataset/{dataset.key}.html"
    paper = dataset.known.paper if dataset.known is not None else ""
    render(
        site,
        path,
        "dataset.html",
        dataset=dataset,
        about=_about(dataset, own),
        rows=rows,
        measured=len(measured),
        total=len(own),
        measure=measure,
        columns=main_measures(rows, measure)[:COLUMNS],
        domain=domain(rows, measure),
        ranks=placed,
        counts={task: len({row.method for row in own if row.key in placed and row.task == task}) for task in tasks},
        videos=[(video, hard.get(video.name)) for video in videos],
        difficulty_measure=hard_by,
        attributes=ATTRIBUTES,
        protocols=_protocols(dataset, own),
        bibtex="\n\n".join(
            [*([cite.of_paper(dataset.name, dataset.title, paper)] if paper else []), cite.of_site(site, path)]
        ),
        downloads=[
            ("All rows, as CSV", ALL_ROWS),
            *((f"Record of {row.title}", raw_record(row)) for row in measured),
        ],
    )


def main_measures(rows: Sequence[Row], first: str) -> list[str]:
    """The measures of rows that a table shows besides the first one: no recall and no decay, which are coarse."""
    names = dict.fromkeys(name for row in rows for name in row.values)
    return [name for name in names if name != first and measure_of(name).video_tolerance is not None]


def domain(rows: Sequence[Row], measure: str) -> tuple[float, float]:
    """The ends of an axis that shows a measure of rows with its intervals: tenths, 0.2 long or more."""
    ends = [end for row in rows if measure in row.values for end in (row.values[measure], *row.ends.get(measure, ()))]
    if not ends:
        return 0.0, 1.0
    low, high = int(min(ends) * 10 // 1) / 10, -int(-max(ends) * 10 // 1) / 10
    return (low, high) if high - low >= 0.2 else (low, low + 0.2)


def _about(dataset: SiteDataset, rows: Sequence[Row]) -> list[tuple[str, str]]:
    known = dataset.known
    frames = [video.listed.frames for video in dataset.videos]
    whole = sum(count for count in frames if count is not None) if None not in frames else 0
    measured = sum(row.record is not None for row in rows)
    return [
        ("To type", shown(dataset.name)),
        ("Split shown", shown(dataset.split)),
        ("Videos", str(len(dataset.videos)) if dataset.videos else ""),
        ("Frames", f"{whole:,}".replace(",", "\u202f") if whole else ""),
        ("Results", f"{measured} measured, {len(rows) - measured} published"),
        ("Licence", shown(known.licence) if known is not None else ""),
    ]


def _protocols(dataset: SiteDataset, rows: Sequence[Row]) -> list[Explained]:
    """The dataset's protocols that rows are under, or all if there are none."""
    if dataset.known is None:
        return []
    first, *others = dataset.known.protocols
    used = {row.protocol for row in rows}
    found = [explain(first, None)]
    found += [explain(each, first) for each in others if f"{each.name}@{each.version}" in used]
    return found
