"""Make the data of a site of records and published numbers."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

import vosbench
from vosbench.dataset import Dataset, Listed
from vosbench.errors import DataError, UsageError
from vosbench.metrics.measures import measure_of
from vosbench.metrics.significance import mean_intervals
from vosbench.records.card import card_of
from vosbench.records.published import UNKNOWN, Published, canonical, published
from vosbench.records.record import signature
from vosbench.registry import DATASETS, METHODS, as_method, find, load_families, registered_dataset
from vosbench.report.figures.sources import Shown
from vosbench.report.leaderboard import RESAMPLES, SEED, averaged
from vosbench.report.papers import papers
from vosbench.report.printed import STATED, Entry, published_entries
from vosbench.report.site.keys import key_of, shown, slug_of
from vosbench.report.site.model import Row, Site, SiteDataset, SiteMethod, SiteOptions, SiteVideo
from vosbench.report.site.training import training_of

AT_ONCE = 200
"""Intervals that are computed together, which bounds memory."""
USUAL_TASK = "unsupervised"
"""The task of measured methods whose task no source states: that of vosbench."""


def gather(records: Sequence[Shown], out: Path, options: SiteOptions) -> Site:
    """Gather everything that a site shows.

    Args:
        records: what was measured.
        out: the folder to write to.
        options: what to show, and how.

    Raises:
        DataError: if there are two records of one name in a dataset.
    """
    plugins = options.plugins
    load_families(plugins)
    named = {each.record.dataset for each in records} | {number.dataset for number in published()}
    known = {name: registered_dataset(name, plugins) for name in find(DATASETS, plugins) if name in named}
    rows = _with_intervals([_measured(each) for each in _distinct(records)], known)
    rows += _published_rows(known) if options.published else []
    datasets = {slug_of(name): _dataset(name, known.get(name), rows) for name in _names(rows, known)}
    return Site(
        out=out,
        options=options,
        datasets=datasets,
        methods=_methods(rows, plugins),
        rows=rows,
        date=max((row.measured.provenance.date for row in rows if row.record is not None), default=""),
    )


def _distinct(records: Sequence[Shown]) -> list[Shown]:
    """The records, sorted by dataset and name.

    Raises:
        DataError: if two are of one dataset and name.
    """
    found: dict[tuple[str, str], Shown] = {}
    for each in sorted(records, key=lambda each: (each.record.dataset, each.record.name, str(each.path))):
        other = found.setdefault((each.record.dataset, each.record.name), each)
        if other is not each and other.record != each.record:
            raise DataError(
                f'"{other.path}" and "{each.path}" are both "{each.record.name}" on {each.record.dataset}; '
                "score one of them again, with --name"
            )
    return list(found.values())


def _measured(each: Shown) -> Row:
    record = each.record
    name = canonical(record.method, record.provenance.options)
    task, year, venue = _stated(name)
    training = record.provenance.training or ""
    card = card_of(each.path, record.method)
    if card is not None:  # it speaks where published numbers and weights do not
        task, year, venue = card.task if task == UNKNOWN else task, year or card.year, venue or card.venue
        training = training or card.training
    return Row(
        key=key_of(record.name),
        title=shown(record.name),
        kind="measured",
        method=key_of(name),
        dataset=slug_of(record.dataset),
        split=record.split,
        protocol=record.protocol,
        signature=signature(record) or record.protocol,
        task=USUAL_TASK if task == UNKNOWN else task,
        year=year,
        venue=venue,
        training=training_of(training),
        values={key: value for key, value in record.scores.items() if value is not None},
        record=each,
        left_out=", ".join(record.shortcomings),
    )


@cache
def _stated(method: str) -> tuple[str, int | None, str]:
    """What published numbers say of a method: its task, year and venue."""
    own = [number for number in published() if number.method == method]
    task = next((number.task for number in own if number.task != UNKNOWN), UNKNOWN)
    year = next((int(number.year) for number in own if number.year), None)
    return task, year, next((number.venue for number in own if number.venue), "")


def _with_intervals(rows: Sequence[Row], known: Mapping[str, Dataset]) -> list[Row]:
    """Measured rows with the intervals of those of their scores that are means over videos, and not coarse."""
    columns: dict[int, list[tuple[int, str, list[float]]]] = {}
    for at, row in enumerate(rows):
        listing = listing_of(known.get(row.measured.dataset), row.split, row.measured.videos)
        certain = [key for key in row.values if measure_of(key).video_tolerance is not None]
        for key, values in averaged(row.measured, listing, certain).items():
            columns.setdefault(len(values), []).append((at, key, values))
    found: list[dict[str, tuple[float, float]]] = [{} for _ in rows]
    for own in columns.values():
        for start in range(0, len(own), AT_ONCE):
            part = own[start : start + AT_ONCE]
            ends = mean_intervals(np.array([values for _, _, values in part]).T, resamples=RESAMPLES, seed=SEED)
            for (at, key, _), pair in zip(part, ends, strict=True):
                found[at] |= {} if pair is None else {key: pair}
    return [replace(row, ends=own) for row, own in zip(rows, found, strict=True)]


def listing_of(dataset: Dataset | None, split: str, videos: Iterable[str]) -> Mapping[str, Listed]:
    """What a dataset's list says of the videos of a split; nothing but their names if there is no list."""
    listing = dataset.listing(split) if dataset is not None and split in dataset.splits else {}
    return listing or dict.fromkeys(videos, Listed(frames=None))


def _published_rows(known: Mapping[str, Dataset]) -> list[Row]:
    """Published numbers of whole datasets as rows; those of ablations are left to the tables of their papers."""
    ablations = {paper.source for paper in papers().values() if paper.ablation}
    numbers: dict[tuple[str, str], list[Published]] = {}
    for number in published():
        if number.dataset and not number.category and number.source not in ablations:
            numbers.setdefault((number.dataset, number.split), []).append(number)
    return [
        _printed(entry, dataset, split, own, known.get(dataset))
        for (dataset, split), own in numbers.items()
        for entry in published_entries(own)
    ]


def _printed(entry: Entry, dataset: str, split: str, numbers: Sequence[Published], known: Dataset | None) -> Row:
    protocol = "" if entry.protocol == STATED else entry.protocol
    of_method = [number for number in numbers if number.method == entry.method]
    own = [number for number in of_method if number.source in entry.origin.split("; ")]
    _, year, venue = _stated(entry.method)
    values = {key: value for key, value in entry.scores.items() if value is not None}
    return Row(
        key=key_of(f"{entry.method}\n{dataset}\n{split}\n{protocol}\n{entry.origin}"),
        title=shown(entry.method),
        kind="published",
        method=key_of(entry.method),
        dataset=slug_of(dataset),
        split=split,
        protocol=protocol,
        signature=_signature(protocol, known),
        task=entry.task,
        year=year,
        venue=venue,
        training=training_of(next((number.training for number in own if number.training), "")),
        values=values,
        source=entry.origin,
    )


def _signature(protocol: str, dataset: Dataset | None) -> str:
    """The signature behind a protocol's name and version; the name alone if vosbench has no such protocol."""
    protocols = dataset.protocols if dataset is not None else ()
    whole = next((each for each in protocols if f"{each.name}@{each.version}" == protocol), None)
    return protocol if whole is None else whole.signature(vosbench.__version__).rpartition("|vosbench ")[0]


def _names(rows: Sequence[Row], known: Mapping[str, Dataset]) -> list[str]:
    """Names of the datasets with rows: those with most measured rows first."""
    order = {slug_of(name): place for place, name in enumerate(known)}
    own = {row.dataset: row.measured.dataset for row in rows if row.record is not None}
    names = {slug_of(number.dataset): number.dataset for number in published() if number.dataset} | own
    measured = Counter(row.dataset for row in rows if row.record is not None)
    every = Counter(row.dataset for row in rows)
    keys = sorted(every, key=lambda key: (-measured[key], -every[key], order.get(key, len(order)), key))
    return [names[key] for key in keys]


def _dataset(name: str, known: Dataset | None, rows: Sequence[Row]) -> SiteDataset:
    key = slug_of(name)
    own = [row for row in rows if row.dataset == key]
    measured = [row for row in own if row.record is not None]
    split = Counter(row.split for row in measured or own).most_common(1)[0][0]
    of_split = [row for row in own if row.split == split]
    best = [row for row in of_split if row.record is not None and not row.left_out] or of_split
    usual = Counter(row.signature for row in best if row.signature) or Counter(row.signature for row in best)
    names = list(dict.fromkeys(video for row in of_split if row.record is not None for video in row.measured.videos))
    listing = listing_of(known, split, names)
    every = [*listing, *(video for video in names if video not in listing)] if measured else []
    videos = tuple(
        SiteVideo(key=slug_of(video), name=video, dataset=key, listed=listing.get(video, Listed(frames=None)))
        for video in every
    )
    return SiteDataset(
        key=key,
        name=name,
        title=known.title if known is not None else shown(name),
        known=known,
        split=split,
        videos=videos,
        usual=usual.most_common(1)[0][0],
    )


def _methods(rows: Sequence[Row], plugins: Sequence[Path]) -> dict[str, SiteMethod]:
    registered = find(METHODS, plugins)
    found: dict[str, SiteMethod] = {}
    for row in rows:
        if row.method in found:
            continue
        name = row.title if row.record is None else canonical(row.measured.method, row.measured.provenance.options)
        paper = licence = about = url = ""
        base, _, variant = (row.measured.method if row.record is not None else "").partition(".")
        if base in registered:
            try:
                method = as_method(registered[base])
            except UsageError:  # a method of others that cannot be imported here still has its numbers
                method = None
            if method is not None and (not variant or variant in method.variants):
                paper, licence = method.paper, method.licence
                about = re.sub("`", "", method.variants.get(variant, ""))
        card = None if row.record is None else card_of(row.record.path, row.measured.method)
        if card is not None:
            paper, url, about = paper or card.paper, card.url or card.code, about or card.notes
        found[row.method] = SiteMethod(
            key=row.method,
            title=shown(name),
            paper=shown(paper),
            url=url,
            licence=shown(licence),
            about=shown(about),
        )
    return found
