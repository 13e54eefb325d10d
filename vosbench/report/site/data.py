"""The data scripts of a site: rows of all leaderboards, and of each dataset and video what its pages show.

Conventions:
    ``data/board.js`` holds each name once, and rows refer to it by its place, so that ten thousand rows stay below
    five megabytes; ``assets/board.js`` puts them together again. Unknown numbers are null, never 0.
"""

import csv
import io
import json
from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import vosbench
from vosbench.files import write_whole
from vosbench.metrics.measures import MEASURES, measure_of
from vosbench.report.escape import csv_cell
from vosbench.report.site.keys import key_of, shown
from vosbench.report.site.model import Row, Site
from vosbench.report.site.numbers import LEADING

SCHEMA = "vosbench/site@1"
ALL_ROWS = "records/leaderboard.csv"
DIGITS = 5
Thing = TypeVar("Thing", bound=Hashable)


class Places(dict[Thing, int]):
    """Things in the order in which they were first seen, each with its place."""

    def __missing__(self, thing: Thing) -> int:
        """Give a new thing the next place."""
        self[thing] = len(self)
        return self[thing]


def write_script(path: Path, call: str, value: object) -> None:
    """Write a data script that calls a function of ``VB`` with one value."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    write_whole(path, f"VB.{call}({text});\n".encode())


def formatted(value: float | None, digits: int = 3, *, signed: bool = False) -> str:
    """A number as pages show it, as ``VB.format`` does in scripts; a dash if it is unknown.

    >>> formatted(-0.25), formatted(0.25, 2, signed=True), formatted(-0.00001), formatted(None)
    ('−0.250', '+0.25', '0.000', '–')
    """
    if value is None:
        return "–"
    text = f"{value:{'+' if signed else ''}.{digits}f}"
    return (text.lstrip("+-") if float(text) == 0 else text).replace("-", "−")


def rounded(value: float | None, digits: int = DIGITS) -> float | None:
    """A number as the pages need it."""
    return None if value is None else round(value, digits)


def write_board(site: Site) -> None:
    """Write the rows of all leaderboards."""
    write_script(site.out / "data" / "board.js", "board", board(site))


def board(site: Site) -> dict[str, Any]:
    """The rows of all leaderboards; see `vosbench.report.site.model.Row`.

    Each of ``rows`` is a list: key, title, 1 if measured, places of method, dataset, split, protocol, task, year,
    venue, training and set of measures, values in the set's order, ends of their intervals or 0, sources, and why it
    is not ranked.
    """
    measured_first = [name for name in MEASURES if any(name in row.values for row in site.rows)]
    others = sorted({name for row in site.rows for name in row.values} - {*measured_first})
    measures = [*measured_first, *others]
    place = {name: at for at, name in enumerate(measures)}
    methods, datasets = list(site.methods), list(site.datasets)
    splits, tasks, venues, sources = Places[str](), Places[str](), Places[str](), Places[str]()
    protocols, trainings, sets = Places[tuple[str, str]](), Places[Any](), Places[tuple[int, ...]]()

    def line(row: Row) -> list[Any]:
        names = [name for name in measures if name in row.values]
        ends = [[rounded(end) for end in row.ends[name]] if name in row.ends else 0 for name in names]
        return [
            row.key,
            0 if row.title == site.methods[row.method].title else row.title,
            int(row.record is not None),
            at_method[row.method],
            at_dataset[row.dataset],
            splits[row.split],
            protocols[row.protocol, row.signature],
            tasks[row.task],
            row.year,
            venues[row.venue],
            trainings[row.training],
            sets[tuple(place[name] for name in names)],
            [rounded(row.values[name]) for name in names],
            ends if any(ends) else 0,
            sources[row.source],
            row.left_out or 0,
        ]

    at_method = {key: at for at, key in enumerate(methods)}
    at_dataset = {key: at for at, key in enumerate(datasets)}
    usual = [protocols[_protocol(site, each.key), each.usual] for each in site.datasets.values()]
    rows = [line(row) for row in site.rows]
    return {
        "schema": SCHEMA,
        "built": site.date,
        "vosbench": vosbench.__version__,
        "leading": LEADING,
        "measures": [
            {
                "name": name,
                "heading": shown(measure_of(name).heading),
                "better": measure_of(name).better,
                "unit": measure_of(name).unit,
                "main": measure_of(name).video_tolerance is not None and measure_of(name).measured,
            }
            for name in measures
        ],
        "datasets": [
            {"key": each.key, "name": shown(each.name), "title": shown(each.title), "split": each.split, "usual": at}
            for each, at in zip(site.datasets.values(), usual, strict=True)
        ],
        "protocols": [
            {"key": key_of(signature) if signature else "", "name": shown(name), "signature": shown(signature)}
            for name, signature in protocols
        ],
        "methods": [
            {"key": each.key, "title": each.title, "paper": {"title": each.paper, "url": each.url}}
            for each in site.methods.values()
        ],
        "splits": [*splits],
        "tasks": [*tasks],
        "venues": [*venues],
        "trainings": [{"text": each.text, "tags": each.tags, "short": each.short} for each in trainings],
        "sources": [*map(shown, sources)],
        "sets": [*sets],
        "rows": rows,
    }


def _protocol(site: Site, dataset: str) -> str:
    """The name of a dataset's usual protocol."""
    usual = site.datasets[dataset].usual
    return next(row.protocol for row in site.rows if (row.dataset, row.signature) == (dataset, usual))


def write_records(site: Site) -> None:
    """Write what can be downloaded: the records as they are, and the rows of all leaderboards as CSV."""
    for row in site.rows:
        if row.record is not None:
            write_whole(site.out / raw_record(row), row.record.path.read_bytes())
    names = list(dict.fromkeys(name for row in site.rows for name in row.values))
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    heads = [
        "method",
        "from",
        "dataset",
        "split",
        "protocol",
        "signature",
        "task",
        "year",
        "venue",
        "trained on",
        "source",
    ]
    table.writerow([*heads, *names])
    for row in site.rows:
        said = (row.title, row.kind, site.datasets[row.dataset].name, row.split, row.protocol, row.signature, row.task)
        more = ("" if row.year is None else str(row.year), row.venue, row.training.text, row.source)
        table.writerow([*map(csv_cell, (*said, *more)), *(row.values.get(name, "") for name in names)])
    write_whole(site.out / ALL_ROWS, text.getvalue().encode())


def raw_record(row: Row) -> str:
    """The path of a measured row's record below the site."""
    return f"records/{row.dataset}/{row.key}.json"
