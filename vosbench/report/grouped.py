"""Results broken down by category, attribute or video: every score of one record, or one score of several records.

Conventions:
    Records have a score for each video, and these are averaged by the rules of `vosbench.evaluate.aggregate`. If
    categories differ in size, the category mean and the sequence mean differ. If the protocol averages differently, a
    note gives its mean of the whole split.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from vosbench.dataset import Dataset, Listed
from vosbench.dataset.selection import Selection
from vosbench.errors import DataError
from vosbench.evaluate.aggregate import VideoScores, complete_mean, over_frames, over_objects
from vosbench.evaluate.task import Scored
from vosbench.metrics.measures import MASKS, MEASURES, headings, leading, measure_of, name_of
from vosbench.metrics.significance import mean_interval
from vosbench.records.naming import labels
from vosbench.records.published import Published
from vosbench.records.record import Record, signature
from vosbench.report.leaderboard import EQUAL, RESAMPLES, SEED, comparable, rank
from vosbench.report.printed import MEASURED, Entry, agree, documents
from vosbench.report.table import ARROWS, Cell, Number, Table

By = Literal["category", "attribute", "video"]
ByOne = Literal["category", "attribute", "video", "average", "interval"]
CATEGORY_MEAN, SEQUENCE_MEAN, PRINTED_MEAN = "category mean", "sequence mean", "mean as printed"

Lines = tuple[tuple[str, ...], list[tuple[Cell, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How results are broken down.

    Attributes:
        by: what the lines are.
        measure: key or heading; J&F, or the records' first measure, if None.
        sort: the measure that orders the methods, best first; the same one if None.
    """

    by: By
    measure: str | None = None
    sort: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One score of one record.

    Attributes:
        heading: of the score, or the method's name.
        key: of the score.
        videos: the record's scores of each video.
        whole: the record's score of the whole split.
    """

    heading: str
    key: str
    videos: VideoScores
    whole: float | None

    def mean(self, names: Collection[str] | None = None) -> float | None:
        """The mean over the named videos, or the sequence mean."""
        return self.videos.mean(self.key, names)


def grouped(
    records: Sequence[Record], dataset: Dataset, view: View, numbers: Sequence[Published] = ()
) -> tuple[Table, list[str]]:
    """Break down records of one dataset, split and protocol, with a column for each method.

    Args:
        records: the measured records.
        dataset: their dataset.
        view: what to break down, and by what.
        numbers: published numbers by category to show alongside, and the means that their sources print.

    Returns:
        the table, and for each record that is left out a line that says why.

    Raises:
        DataError: if no record fits, signatures differ, two have one name, or the dataset has no such groups.
        UsageError: if the records do not have the measure.
    """
    numbers = [number for number in numbers if number.dataset == dataset.name]
    by_category = [number for number in numbers if number.category]
    only_published = not records and view.by == "category" and bool(by_category)
    fit, left_out = ([], []) if only_published else comparable(records)
    twice = next((name for name, count in Counter(labels(fit)).items() if count > 1), None)
    if twice is not None:
        raise DataError(f'two records are called "{twice}"; score one of them again, with --name')
    split = fit[0].split if fit else dataset.splits[0]
    keys = _keys(fit) or list(dict.fromkeys(number.measure for number in by_category))
    measure = name_of(view.measure or leading(keys), keys)
    fit = _ranked([run for run in fit if measure in run.scores], measure if view.sort is None else view.sort)
    listing = dataset.listing(split) or dict.fromkeys(fit[0].videos if fit else (), Listed(frames=None))
    shown = [
        Column(label, measure, VideoScores.of(run, listing), run.scores.get(measure))
        for label, run in zip(labels(fit), fit, strict=True)
    ]
    columns, rows = _lines(view.by, shown, [measure], listing, dataset.title)
    origin = signature(fit[0]) if fit else "published numbers only"
    heading = f"{measure_of(measure).heading} {ARROWS[measure_of(measure).better]}".strip()
    notes = [f"{heading} on {dataset.name} {split} by {view.by}, {origin}", *_otherwise(shown)]
    by_category = [number for number in by_category if (number.split, number.measure) == (split, measure)]
    if view.by == "category" and by_category:
        means = [number for number in numbers if not number.category and number.measure == measure]
        (columns, rows), sources = _with_published(columns, rows, by_category, means)
        notes.append(sources)
        notes.append(
            "published: as printed, from results/published; the category mean is computed from the printed categories, "
            "and the mean that the source prints is below it"
        )
    table = Table(
        columns=columns,
        rows=rows,
        notes=tuple(notes),
        better=(measure_of(measure).better,) * len(rows),
        across=True,
        keys=(measure,) * len(rows),
        named=False,
        labels=1 if view.by == "video" else 2,
    )
    return table, left_out


def breakdown(record: Record, scored: Sequence[Scored], selection: Selection, by: ByOne) -> Table:
    """Break down one record, with a column for each score.

    Args:
        record: the result.
        scored: the scores of frames that it was averaged from.
        selection: the videos, with categories and attributes.
        by: ``"video"``, ``"category"`` or ``"attribute"``: a line for each, of attributes with how much better the
            other videos are; ``"average"``: means over frames, objects, videos and categories next to each other;
            ``"interval"``: means over videos with BCa bootstrap intervals.

    Raises:
        DataError: if the dataset has no categories or attributes.
    """
    videos = VideoScores.of(record, selection.chosen)
    keys = list(next(iter(record.videos.values()), {}))
    if by == "attribute":
        keys = [key for key in keys if measure_of(key).video_tolerance is not None and key != "JF_mean"]
    names = [name.removesuffix(" mean") if by == "attribute" else name for name in headings(keys)]
    shown = [Column(name, key, videos, record.scores.get(key)) for name, key in zip(names, keys, strict=True)]
    notes = [f"{record.method}: {record.place} by {by}, {record.signature}"]
    if by == "average":
        columns, rows = _averages(videos, scored, selection)
    elif by == "interval":
        columns, rows = _intervals(shown)
        notes.append(f"BCa bootstrap over videos, {RESAMPLES} resamples, seed {SEED}")
    else:
        columns, rows = _lines(by, shown, keys, selection.chosen, selection.dataset.title)
    if by != "average":
        notes += _otherwise(shown, "whole split" if record.split_size is None else record.whole)
    return Table(columns=columns, rows=rows, notes=tuple(notes))


def check_breakdown(selection: Selection, by: ByOne) -> None:
    """Refuse a breakdown that the dataset does not have, before anything is scored.

    Raises:
        DataError: if the dataset has no categories or attributes.
    """
    if by == "category":
        _refuse_uncategorised(selection.chosen, selection.dataset.title)
    elif by == "attribute" and not any(listed.attributes for listed in selection.chosen.values()):
        raise DataError(f"{selection.dataset.title} has no attributes")


def _refuse_uncategorised(listing: Mapping[str, Listed], title: str) -> None:
    if any(listed.category is None for listed in listing.values()):
        raise DataError(f"{title} has no categories")


def _keys(records: Sequence[Record]) -> list[str]:
    """The scores that every video has."""
    videos = records[0].videos.values() if records else ()
    return [key for key in records[0].scores if all(key in scores for scores in videos)] if records else []


def _ranked(records: Sequence[Record], sort: str) -> list[Record]:
    if not records:
        return []
    keys = list(records[0].scores)
    lines = [
        Entry(method=str(at), origin=MEASURED, protocol=record.protocol, scores=record.scores)
        for at, record in enumerate(records)
    ]
    return [records[int(line.method)] for line in rank(lines, keys, sort)]


def _lines(by: By, shown: Sequence[Column], keys: Iterable[str], listing: Mapping[str, Listed], title: str) -> Lines:
    """The lines of a breakdown; a video counts if any of the scores is averaged over it."""
    if by == "video":
        return _by_video(shown, listing)
    counted = {name: listed for name, listed in listing.items() if any(listed.counts_for(key) for key in keys)}
    return _by_category(shown, counted, title) if by == "category" else _by_attribute(shown, counted, title)


def _by_video(shown: Sequence[Column], listing: Mapping[str, Listed]) -> Lines:
    names = [name for name in listing if any(name in column.videos.scores for column in shown)]
    rows: list[tuple[Cell, ...]] = [
        (name, *(column.videos.scores.get(name, {}).get(column.key) for column in shown)) for name in names
    ]
    rows.append((SEQUENCE_MEAN, *(column.mean() for column in shown)))
    return ("video", *(column.heading for column in shown)), rows


def category_means(videos: VideoScores, key: str) -> dict[str, float | None]:
    """The mean of each category, then `CATEGORY_MEAN` and `SEQUENCE_MEAN`."""
    return {**videos.by_category(key), CATEGORY_MEAN: videos.category_mean(key), SEQUENCE_MEAN: videos.mean(key)}


def _by_category(shown: Sequence[Column], counted: Mapping[str, Listed], title: str) -> Lines:
    _refuse_uncategorised(counted, title)
    counts = Counter(str(listed.category) for listed in counted.values())
    means = [category_means(column.videos, column.key) for column in shown]
    lines = {**counts, CATEGORY_MEAN: len(counts), SEQUENCE_MEAN: len(counted)}
    rows: list[tuple[Cell, ...]] = [
        (name, str(count), *(mean.get(name) for mean in means)) for name, count in lines.items()
    ]
    return ("category", "videos", *(column.heading for column in shown)), rows


def _by_attribute(shown: Sequence[Column], counted: Mapping[str, Listed], title: str) -> Lines:
    counts = Counter(attribute for listed in counted.values() for attribute in listed.attributes)
    if not counts:
        raise DataError(f"{title} has no attributes")
    rows: list[tuple[Cell, ...]] = []
    for attribute in sorted(counts):
        cells: list[Cell] = []
        for column in shown:
            value, gain = column.videos.by_attribute(column.key, attribute)
            cells += [value, None if gain is None else Number(gain, 3, signed=True)]
        rows.append((attribute, str(counts[attribute]), *cells))
    return ("attribute", "videos", *(f"{column.heading}{part}" for column in shown for part in ("", " gain"))), rows


def _averages(videos: VideoScores, scored: Sequence[Scored], selection: Selection) -> Lines:
    """All averages of per-frame measures, next to each other."""
    protocol, rows = selection.protocol, list[tuple[Cell, ...]]()
    of_frames = {row.measure.partition(".")[0] for video in scored for row in video.rows}
    objects = protocol.unit == "objects"
    for name in protocol.measures:
        key = name if name in MEASURES else f"{name}_mean"
        if name in of_frames or name in MASKS:
            pooled = [over_frames(scored, name, selection.chosen), *([over_objects(scored, name)] if objects else [])]
            means = [mean[f"{name}_mean"] if videos.complete else None for mean in pooled]
            rows.append((name, *means, videos.mean(key), videos.category_mean(key)))
    columns = ("measure", "frame mean", *(["object mean"] if objects else []), SEQUENCE_MEAN, CATEGORY_MEAN)
    return columns, rows


def _intervals(shown: Sequence[Column]) -> Lines:
    rows: list[tuple[Cell, ...]] = []
    for column in shown:
        values = [value for value in column.videos.values(column.key).values() if value is not None]
        known = values if column.videos.complete else []
        found = mean_interval(known, resamples=RESAMPLES, seed=SEED)
        rows.append((column.heading, str(len(values)), complete_mean(known), found.low, found.high))
    return ("measure", "videos", "mean", "95% low", "95% high"), rows


def _otherwise(shown: Sequence[Column], whole: str = "whole split") -> list[str]:
    """The scores of all videos that are neither the sequence mean nor the category mean."""
    found = []
    for column in shown:
        means = [mean for mean in (column.mean(), column.videos.category_mean(column.key)) if mean is not None]
        if column.whole is not None and not any(abs(column.whole - mean) <= EQUAL for mean in means):
            found.append(f"{column.heading} {column.whole:.3f}")
    return [f"{whole}, as its protocol averages: {', '.join(found)}"] if found else []


def _with_published(
    columns: tuple[str, ...], rows: Sequence[tuple[Cell, ...]], numbers: Sequence[Published], means: Sequence[Published]
) -> tuple[Lines, str]:
    """Add a column of published numbers for each method, best category mean first, and say what the sources are.

    Sources that contradict each other have columns of their own.
    """
    added: list[tuple[Cell, ...]] = [*rows, (PRINTED_MEAN, "", *[None] * (len(columns) - 2))]
    found: list[tuple[str, list[str], dict[str, float | None]]] = []
    for method, sources in _sources(numbers):
        own: dict[str, float | None] = {
            number.category: number.raw for number in numbers if (number.method, number.source) == (method, sources[0])
        }
        own[CATEGORY_MEAN] = complete_mean([own.get(str(row[0])) for row in rows[:-2]])
        printed = [mean for source in sources for mean in means if (mean.method, mean.source) == (method, source)]
        own[PRINTED_MEAN] = printed[0].raw if printed else None
        found.append((method, sources, own))
    gain = measure_of(numbers[0].measure).gain
    found.sort(key=lambda each: (each[2][CATEGORY_MEAN] is None, -gain(each[2][CATEGORY_MEAN] or 0.0)))
    for _, _, own in found:
        added = [(*row, own.get(str(row[0]))) for row in added]
    named = _names([(method, sources) for method, sources, _ in found])
    said = "; ".join(f"{name}: {', '.join(sources)}" for name, (_, sources, _) in zip(named, found, strict=True))
    return ((*columns, *named), added), f"sources: {said}"


def _names(found: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """What to call columns: the method; with its document, or its source, if several columns are of one method."""
    short = [(method, f"{method} ({next(iter(documents(sources[0])))})") for method, sources in found]
    methods, both = Counter(method for method, _ in short), Counter(name for _, name in short)
    return [
        method if methods[method] == 1 else name if both[name] == 1 else f"{method} ({sources[0]})"
        for (method, name), (_, sources) in zip(short, found, strict=True)
    ]


def _sources(numbers: Sequence[Published]) -> list[tuple[str, list[str]]]:
    """Each method with the sources that agree on its numbers."""
    found: list[tuple[str, list[str]]] = []
    by_source: dict[tuple[str, str], dict[str, Published]] = {}
    for number in numbers:
        by_source.setdefault((number.method, number.source), {})[number.category] = number
    for (method, source), own in by_source.items():
        for known, sources in found:
            other = by_source[known, sources[0]]
            same = known == method and own.keys() == other.keys()
            if same and all(agree(other[category], number) for category, number in own.items()):
                sources.append(source)
                break
        else:
            found.append((method, [source]))
    return found
