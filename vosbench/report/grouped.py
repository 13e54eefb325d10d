"""Several results taken apart alike: by category, attribute or video, a column for each method.

Conventions:
    Records hold a mean for each video, and that is what is averaged: over a category's videos, over the videos that
    have an attribute, over all. A mean over videos of which one has no score is not known. The category mean is the
    mean of the categories' means, the sequence mean that of all videos; on a dataset whose categories differ in
    size they differ. Temporal stability is averaged over the videos that the dataset's list names for it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from vosbench.dataset import Dataset, Listed
from vosbench.errors import DataError
from vosbench.evaluate.aggregate import VOCABULARIES, attribute_scores
from vosbench.metrics.measures import HEADINGS
from vosbench.metrics.statistics import mean
from vosbench.records.published import Published
from vosbench.records.record import Record, signature
from vosbench.report.leaderboard import MEASURED, Entry, better, comparable, measure_of, rank
from vosbench.report.table import Cell, Number, Table

By = Literal["category", "attribute", "video"]
CATEGORY_MEAN, SEQUENCE_MEAN = "category mean", "sequence mean"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How results are taken apart.

    Attributes:
        by: what the lines are.
        measure: key or heading; J&F, or the records' first measure, where None.
        sort: the measure that orders the methods, best first; the same one where None.
    """

    by: By
    measure: str | None = None
    sort: str | None = None


def grouped(
    records: Sequence[Record], dataset: Dataset, view: View, numbers: Sequence[Published] = ()
) -> tuple[Table, list[str]]:
    """Take records of one dataset, split and protocol apart, side by side.

    Args:
        records: what was measured.
        dataset: theirs.
        view: by what, in which measure.
        numbers: published numbers by category that stand beside; others are passed over.

    Returns:
        the table, and for each record that cannot stand in it a line that says why.

    Raises:
        DataError: where none can stand in it, signatures differ, two have one name, or the dataset has no such groups.
        UsageError: where the measure is not the records'.
    """
    beside = [each for each in numbers if each.category and each.dataset == dataset.name]
    alone = not records and view.by == "category" and bool(beside)
    fit, left_out = ([], []) if alone else comparable(records)
    twice = next((name for name, count in Counter(each.method for each in fit).items() if count > 1), None)
    if twice is not None:
        raise DataError(f'two records are called "{twice}"; score one of them anew, with --name')
    split = fit[0].split if fit else dataset.splits[0]
    keys = _keys(fit) or list(dict.fromkeys(each.measure for each in beside))
    measure = measure_of(view.measure or ("JF_mean" if "JF_mean" in keys else keys[0]), keys)
    fit = _ranked(fit, measure if view.sort is None else view.sort)
    listing = dataset.listing(split) or dict.fromkeys(fit[0].videos if fit else (), Listed(frames=None))
    make = {"category": _by_category, "attribute": _by_attribute, "video": _by_video}
    columns, rows = make[view.by](fit, listing, measure, dataset.title)
    taken = signature(fit[0]) if fit else "published numbers alone"
    notes = [f"{HEADINGS.get(measure, measure)} on {dataset.name} {split} by {view.by}, {taken}"]
    beside = [each for each in beside if (each.split, each.measure) == (split, measure)]
    if view.by == "category" and beside:
        means = [each for each in numbers if not each.category and each.dataset == dataset.name]
        columns, rows = _with_published(columns, rows, beside, [each for each in means if each.measure == measure])
        notes.append(
            "published: as printed, from results/published; their category mean is that of the printed categories, and "
            "the mean that their source prints stands below it"
        )
    higher = better(measure)
    return Table(columns=columns, rows=rows, notes=tuple(notes), better=(higher,) * len(rows), across=True), left_out


def _keys(records: Sequence[Record]) -> list[str]:
    """The scores that every video has."""
    return (
        [key for key in records[0].scores if all(key in each for each in records[0].videos.values())] if records else []
    )


def _ranked(records: Sequence[Record], sort: str) -> list[Record]:
    if not records:
        return []
    keys = list(records[0].scores)
    lines = [
        Entry(method=str(at), origin=MEASURED, protocol=each.protocol, scores=each.scores, differences={})
        for at, each in enumerate(records)
    ]
    return [records[int(line.method)] for line in rank(lines, keys, sort)]


Lines = tuple[tuple[str, ...], list[tuple[Cell, ...]]]


def _by_video(records: Sequence[Record], listing: Mapping[str, Listed], measure: str, _: str) -> Lines:
    rows: list[tuple[Cell, ...]] = [(name, *(_score(each, name, measure) for each in records)) for name in listing]
    over = [name for name, listed in listing.items() if measure != "T_mean" or listed.stable]
    rows.append((SEQUENCE_MEAN, *(_mean(each, over, measure) for each in records)))
    return ("video", *(each.method for each in records)), rows


def category_means(record: Record, listing: Mapping[str, Listed], measure: str) -> dict[str, float | None]:
    """The mean of each category, and beneath them `CATEGORY_MEAN` and `SEQUENCE_MEAN`; empty where there are none."""
    members = _members(listing, measure)
    means = {name: _mean(record, videos, measure) for name, videos in members.items()}
    over = [name for videos in members.values() for name in videos]
    return means | {CATEGORY_MEAN: _complete(list(means.values())), SEQUENCE_MEAN: _mean(record, over, measure)}


def _members(listing: Mapping[str, Listed], measure: str) -> dict[str, list[str]]:
    """Category → its videos; those that no list puts into one have none."""
    members: dict[str, list[str]] = {}
    for name, listed in listing.items():
        if listed.category is not None and (measure != "T_mean" or listed.stable):
            members.setdefault(listed.category, []).append(name)
    return members


def _by_category(records: Sequence[Record], listing: Mapping[str, Listed], measure: str, title: str) -> Lines:
    if any(listed.category is None for listed in listing.values()):
        raise DataError(f"{title} has no categories")
    members = _members(listing, measure)
    counts = {name: len(videos) for name, videos in members.items()}
    counts |= {CATEGORY_MEAN: len(members), SEQUENCE_MEAN: sum(counts.values())}
    means = [category_means(each, listing, measure) for each in records]
    rows: list[tuple[Cell, ...]] = [
        (name, str(count), *(each.get(name) for each in means)) for name, count in counts.items()
    ]
    return ("category", "videos", *(each.method for each in records)), rows


def _by_attribute(records: Sequence[Record], listing: Mapping[str, Listed], measure: str, title: str) -> Lines:
    held = {name: each.attributes for name, each in listing.items() if measure != "T_mean" or each.stable}
    used = {attribute for attributes in held.values() for attribute in attributes}
    if not used:
        raise DataError(f"{title} has no attributes")
    vocabulary = [name for name in VOCABULARIES["yaml"] if name in used]
    vocabulary += sorted(used - set(vocabulary))
    tables = []
    for each in records:
        scores = {name: _score(each, name, measure) for name in held}
        values = {name: None if score is None else [score] for name, score in scores.items()}
        tables.append(attribute_scores(values, held, vocabulary))
    rows: list[tuple[Cell, ...]] = []
    for attribute in vocabulary:
        found = [table[attribute] for table in tables]
        gains = [None if each.gain is None else Number(each.gain, 3, signed=True) for each in found]
        count = str(sum(attribute in attributes for attributes in held.values()))
        rows.append((attribute, count, *(each.value for each in found), *gains))
    names = [each.method for each in records]
    return ("attribute", "videos", *names, *(f"{name} gain" for name in names)), rows


def _with_published(
    columns: tuple[str, ...], rows: Sequence[tuple[Cell, ...]], beside: Sequence[Published], means: Sequence[Published]
) -> Lines:
    """Columns of published numbers behind the measured ones: one for each method of each source."""
    sources = dict.fromkeys((each.method, each.source) for each in beside)
    added: list[tuple[Cell, ...]] = [*rows, ("mean as printed", "", *[None] * (len(columns) - 2))]
    for method, source in sources:
        own = {each.category: each.raw for each in beside if (each.method, each.source) == (method, source)}
        printed = [each.raw for each in means if (each.method, each.source) == (method, source)]
        own |= {"mean as printed": printed[0]} if printed else {}
        own |= {CATEGORY_MEAN: mean_of} if (mean_of := _complete([own.get(str(row[0])) for row in rows[:-2]])) else {}
        added = [(*row, own.get(str(row[0]))) for row in added]
    return (*columns, *(f"{method} ({source})" for method, source in sources)), added


def _score(each: Record, video: str, measure: str) -> float | None:
    return each.videos.get(video, {}).get(measure)


def _mean(each: Record, videos: Sequence[str], measure: str) -> float | None:
    return _complete([_score(each, name, measure) for name in videos])


def _complete(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return mean(known) if known and len(known) == len(values) else None
