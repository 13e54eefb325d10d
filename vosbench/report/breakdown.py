"""One result taken apart: by video, category or attribute, under each average, with confidence intervals."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from vosbench.dataset.selection import Selection
from vosbench.errors import DataError
from vosbench.evaluate.aggregate import VOCABULARIES, attribute_scores, averages, by_measure
from vosbench.evaluate.task import Scored
from vosbench.metrics.measures import HEADINGS
from vosbench.metrics.significance import mean_interval
from vosbench.metrics.statistics import mean
from vosbench.records.record import Record, Row
from vosbench.report.table import Cell, Table

RESAMPLES, SEED = 9999, 0
By = Literal["video", "category", "attribute", "average", "interval"]


def breakdown(record: Record, scored: Sequence[Scored], selection: Selection, by: By) -> Table:
    """Take a result apart.

    Args:
        record: the result.
        scored: what it was averaged from.
        selection: the videos, with categories and attributes.
        by: ``"video"``: a line each; ``"category"``: means over its videos; ``"attribute"``: the mean over videos
            that have it, and how much better the others are; ``"average"``: means over frames, over videos and over
            categories side by side; ``"interval"``: means over videos with BCa bootstrap intervals.

    Raises:
        DataError: where the dataset has no categories or attributes, or videos are missing for the latter.
    """
    make: Mapping[str, Callable[[], tuple[tuple[str, ...], list[tuple[Cell, ...]]]]] = {
        "video": lambda: _by_video(record),
        "category": lambda: _by_category(record, selection),
        "attribute": lambda: _by_attribute(scored, selection),
        "average": lambda: _averages(scored, selection),
        "interval": lambda: _intervals(record, selection),
    }
    columns, rows = make[by]()
    notes = [f"{record.method}: {record.dataset} {record.split} by {by}, {record.signature}"]
    if by == "interval":
        notes.append(f"BCa bootstrap over videos, {RESAMPLES} resamples, seed {SEED}")
    return Table(columns=columns, rows=rows, notes=tuple(notes))


def _by_video(record: Record) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    keys = list(next(iter(record.videos.values()), {}))
    rows: list[tuple[Cell, ...]] = [(name, *(scores[key] for key in keys)) for name, scores in record.videos.items()]
    return ("video", *(HEADINGS.get(key, key) for key in keys)), rows


def _by_category(record: Record, selection: Selection) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    members: dict[str, list[str]] = {}
    for name, listed in selection.listing.items():
        if listed.category is None:
            raise DataError(f"{selection.dataset.title} has no categories")
        members.setdefault(listed.category, []).append(name)
    keys = list(next(iter(record.videos.values()), {}))
    rows: list[tuple[Cell, ...]] = []
    for category, names in members.items():
        known = [record.videos.get(name, {}) for name in names]
        values = [[scores.get(key) for scores in known] for key in keys]
        rows.append((category, str(len(names)), *(_complete_mean(column) for column in values)))
    return ("category", "videos", *(HEADINGS.get(key, key) for key in keys)), rows


def _by_attribute(scored: Sequence[Scored], selection: Selection) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    attributes = {name: listed.attributes for name, listed in selection.listing.items()}
    used = {attribute for held in attributes.values() for attribute in held}
    if not used:
        raise DataError(f"{selection.dataset.title} has no attributes")
    vocabulary = [name for name in VOCABULARIES["yaml"] if name in used]
    vocabulary += sorted(used - set(vocabulary))
    tables = {
        name: attribute_scores(by_measure(_rows(scored), name), attributes, vocabulary)
        for name in selection.protocol.measures
        if name in {"J", "F"}
    }
    rows: list[tuple[Cell, ...]] = []
    for attribute in vocabulary:
        found = [table[attribute] for table in tables.values()]
        cells = [cell for each in found for cell in (each.value, each.gain)]
        rows.append((attribute, str(found[0].videos), *cells))
    return ("attribute", "videos", *(f"{name}{part}" for name in tables for part in ("", " gain"))), rows


def _averages(scored: Sequence[Scored], selection: Selection) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    listed = selection.listing
    named = {name: each.category for name, each in listed.items() if each.category is not None}
    categories = named if len(named) == len(listed) else None
    incomplete = {each.video for each in scored if each.missing}
    rows: list[tuple[Cell, ...]] = []
    for measure in sorted({row.measure for row in _rows(scored)}, key=_order(selection.protocol.measures)):
        values = {name: None if name in incomplete else v for name, v in by_measure(_rows(scored), measure).items()}
        over = [name for name in listed if measure != "T" or name in selection.stable]
        found = averages(values, over, categories)
        rows.append((measure, found.frame_mean, found.sequence_mean, found.category_mean))
    return ("measure", "frame mean", "sequence mean", "category mean"), rows


def _intervals(record: Record, selection: Selection) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    rows: list[tuple[Cell, ...]] = []
    for key in next(iter(record.videos.values()), {}):
        over = selection.stable if key == "T_mean" else selection.expected
        values = [record.videos[name][key] for name in selection.expected if name in over and name in record.videos]
        known = [value for value in values if value is not None]
        found = mean_interval(known, resamples=RESAMPLES, seed=SEED)
        rows.append((HEADINGS.get(key, key), str(len(known)), mean(known), found.low, found.high))
    return ("measure", "videos", "mean", "95% low", "95% high"), rows


def _rows(scored: Sequence[Scored]) -> list[Row]:
    return [row for each in scored for row in each.rows]


def _order(measures: Sequence[str]) -> Callable[[str], tuple[int, str]]:
    known = list(measures)
    return lambda name: (known.index(name) if name in known else len(known), name)


def _complete_mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return mean(known) if len(known) == len(values) else None
