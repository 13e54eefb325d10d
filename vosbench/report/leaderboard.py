"""Leaderboards of measured and published numbers, each with its source."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from vosbench.dataset import DatasetProtocol, Listed
from vosbench.errors import DataError, UsageError
from vosbench.evaluate.aggregate import VideoScores
from vosbench.metrics.measures import MEASURES, OVERLAPS, Better, headings, leading, measure_of, name_of
from vosbench.metrics.significance import mean_interval
from vosbench.records.naming import labels
from vosbench.records.published import UNKNOWN, Published, canonical, task_of
from vosbench.records.record import Record, signature
from vosbench.report.printed import MEASURED, STATED, Entry, published_entries
from vosbench.report.table import Cell, Number, Table

RESAMPLES, SEED = 9999, 0
EQUAL = 1e-9
"""Two means that differ only in the order of summation differ by less."""


def entries_table(
    entries: Sequence[Entry], keys: Sequence[str], *, sort: str | None, origins: bool, interval: bool = False
) -> Table:
    """Ranked lines as a table; if there are several tasks, the numbers of each compete with one another.

    Args:
        entries: the lines.
        keys: the measures.
        sort: the measure that ranks.
        origins: whether there are columns of sources, tasks and protocols.
        interval: whether the interval of the measure that ranks has columns.

    Raises:
        UsageError: if the measure that ranks is not among the keys.
    """
    first = leading(keys) if sort is None else name_of(sort, keys)
    several = origins and len({entry.task for entry in entries if entry.task != UNKNOWN}) > 1
    rows: list[tuple[Cell, ...]] = []
    groups = []
    for entry in rank(entries, keys, sort):
        task = [STATED if entry.task == UNKNOWN else entry.task] if several else []
        more = (entry.origin, *task, entry.protocol) if origins else ()
        ends = entry.intervals.get(first, (None, None)) if interval else ()
        rows.append((*row(entry.method, entry.scores, keys, more), *ends))
        for origin, values in entry.differences.items():
            cells = [None if (value := values.get(key)) is None else Number(value, 4, signed=True) for key in keys]
            named_after = (f"{MEASURED} − {origin}", *task, entry.protocol)
            rows.append((entry.method, *named_after, *cells, *([None, None] if interval else [])))
        usual = entry.origin == MEASURED and entry.task == UNKNOWN
        groups += ["unsupervised" if usual else entry.task] * (1 + len(entry.differences))
    named: tuple[str, ...] = ("method", "from", *(["task"] if several else []), "protocol") if origins else ("method",)
    ends_of = [f"{measure_of(first).heading} 95% {end}" for end in ("low", "high")] if interval else []
    ways: list[Better] = [""] * len(named)
    ways += [measure_of(key).better for key in keys]
    ways += [""] * len(ends_of)
    return Table(
        columns=(*named, *headings(keys), *ends_of),
        rows=rows,
        better=tuple(ways),
        keys=(*[""] * len(named), *keys, *[first] * len(ends_of)),
        labels=len(named),
        groups=tuple(groups) if several else (),
    )


def rank(entries: Sequence[Entry], keys: Sequence[str], sort: str | None = None) -> list[Entry]:
    """Sort lines by a measure, best first; if None, by J&F or the first measure.

    Raises:
        UsageError: if the measure is not among the keys, or its direction is unknown.
    """
    key = leading(keys) if sort is None else name_of(sort, keys)
    measure = measure_of(key)
    if sort is not None and not measure.better:
        raise UsageError(f'cannot rank by "{key}", whose direction is unknown; give the plugin that defines it')

    def place(entry: Entry) -> tuple[bool, float, str, str]:
        value = entry.scores.get(key)
        return (
            value is None,
            -measure.gain(value) if value is not None and measure.better else 0.0,
            entry.method,
            entry.origin,
        )

    return sorted(entries, key=place)


def row(
    name: str, scores: Mapping[str, float | None], keys: Sequence[str], more: Sequence[str] = ()
) -> tuple[Cell, ...]:
    """A line; missing scores, such as a dataset's means in the line of a video, are None."""
    return (name, *more, *(scores.get(key) for key in keys))


def scores_table(shown: Record) -> Table:
    """The table of one record: the line of all videos, and a line per video if that is incomplete."""
    keys = list(shown.scores)
    rows: list[tuple[Cell, ...]] = [row(shown.method, shown.scores, keys)]
    if shown.missing:
        rows += [row(f"  {name}", scores, keys) for name, scores in shown.videos.items()]
    notes = [f"{shown.place}, {shown.signature}", *training_notes([shown])]
    if shown.shortcomings:
        notes.append(f"not for a leaderboard: {', '.join(shown.shortcomings)}")
    return Table(columns=("method", *headings(keys)), rows=rows, notes=tuple(notes), keys=("", *keys))


def scored_table(records: Sequence[Record]) -> Table:
    """Records of the same videos under the same protocol as one table, best J&F (or first score) first.

    Args:
        records: complete ones, which need not be those of a whole split.
    """
    keys = list(dict.fromkeys(key for record in records for key in record.scores))
    entries = [
        Entry(method=record.method, origin=MEASURED, protocol=record.protocol, scores=record.scores)
        for record in records
    ]
    notes = [f"{records[0].place}, {records[0].signature}", *training_notes(records)]
    if records[0].shortcomings:
        notes.append(f"not for a leaderboard: {', '.join(records[0].shortcomings)}")
    return replace(entries_table(entries, keys, sort=None, origins=False), notes=tuple(notes))


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardView:
    """What to show of a leaderboard.

    Attributes:
        sort: the measure that ranks, as its key or heading.
        diff: whether each measured line is followed by its differences, measured − published, from published lines of
            the same method and protocol.
        spread: show half the 95 % interval over videos after ±.
        interval: show the 95 % interval of the measure that ranks.
        listing: the dataset's list of videos, for intervals.
    """

    sort: str | None = None
    diff: bool = False
    spread: bool = False
    interval: bool = False
    listing: Mapping[str, Listed] | None = None


def intervals(record: Record, listing: Mapping[str, Listed], keys: Iterable[str]) -> dict[str, tuple[float, float]]:
    """The 95 % intervals of a record's means over videos; those that are averaged otherwise have none."""
    found = dict[str, tuple[float, float]]()
    for key, values in averaged(record, listing, keys).items():
        ends = mean_interval(values, resamples=RESAMPLES, seed=SEED)
        if ends.low is not None and ends.high is not None:
            found[key] = ends.low, ends.high
    return found


def averaged(record: Record, listing: Mapping[str, Listed], keys: Iterable[str]) -> dict[str, list[float]]:
    """Those of a record's scores that are means over videos → the values of the videos that count."""
    videos, found = VideoScores.of(record, listing), dict[str, list[float]]()
    for key in keys:
        mean, score = videos.mean(key), record.scores.get(key)
        if mean is not None and score is not None and abs(mean - score) <= EQUAL:
            found[key] = [value for value in videos.values(key).values() if value is not None]
    return found


def _with_spreads(table: Table, known: Mapping[str, Mapping[str, tuple[float, float]]]) -> Table:
    rows = []
    for line in table.rows:
        own = known.get(str(line[0]), {}) if "from" not in table.columns or line[1] == MEASURED else {}
        cells = [
            Number(cell, table.digits, spread=(own[key][1] - own[key][0]) / 2)
            if isinstance(cell, float) and key in own and better
            else cell
            for cell, key, better in zip(line, table.keys, table.better, strict=True)
        ]
        rows.append(tuple(cells))
    return replace(table, rows=rows)


def leaderboard(
    records: Sequence[Record], *, numbers: Sequence[Published] = (), view: BoardView = BoardView()
) -> tuple[Table, list[str]]:
    """Compare records of one dataset, split and protocol, best J&F (or first score) first.

    Args:
        records: the measured records.
        numbers: published numbers to show alongside: those of the same dataset and split, under the same protocol or
            one that their source does not state. Others are left out and counted.
        view: what to show.

    Returns:
        the table, and for each record that is left out a line that says why.

    Raises:
        DataError: if no record fits, or their signatures differ.
        UsageError: if the records do not have the measure that ranks.
    """
    fit, left_out = comparable(records)
    keys = list(dict.fromkeys(key for record in fit for key in record.scores))
    chosen = [number for number in numbers if _fits(number, fit[0])]
    entries = [
        Entry(
            method=label,
            origin=MEASURED,
            protocol=record.protocol,
            scores=record.scores,
            differences=_differences(record, chosen) if view.diff else {},
            task=task_of(record.method, record.provenance.options) if numbers else UNKNOWN,
            intervals=intervals(record, view.listing, keys) if view.listing is not None else {},
        )
        for label, record in zip(labels(fit), fit, strict=True)
    ]
    entries += published_entries(chosen)
    notes = [f"{fit[0].dataset} {fit[0].split}, {signature(fit[0])}"]
    if numbers:
        named = {record.method: canonical(record.method, record.provenance.options) for record in fit}
        aliases = [f'"{record}" is {name}' for record, name in named.items() if name != record]
        notes += [f"records: {', '.join(aliases)}"] if aliases else []
        others = [number for number in numbers if not _fits(number, fit[0]) and not number.category]
        notes += published_notes(others, fit[0].protocol)
    notes += training_notes(fit)
    origins = bool(numbers) or view.diff
    table = entries_table(entries, keys, sort=view.sort, origins=origins, interval=view.interval)
    if view.spread:
        table = _with_spreads(table, {each.method: each.intervals for each in entries if each.origin == MEASURED})
    if view.spread or view.interval:
        what = "±: half the 95 % interval" if view.spread else "95 %"
        notes.append(f"{what}, BCa bootstrap over videos, {RESAMPLES} resamples, seed {SEED}")
    return replace(table, notes=tuple(notes)), left_out


def published_leaderboard(numbers: Sequence[Published], protocol: DatasetProtocol, *, sort: str | None = None) -> Table:
    """The leaderboard of published numbers only, of one dataset and split, under a protocol or one not stated.

    Raises:
        DataError: if there are none.
        UsageError: if they do not have the measure that ranks.
    """
    name = f"{protocol.name}@{protocol.version}"
    keys = score_keys(protocol)
    numbers = [number for number in numbers if not number.category]
    chosen = [number for number in numbers if number.protocol in {name, ""} and number.measure in keys]
    if not chosen:
        raise DataError(f'no published numbers under protocol "{name}", nor of its measures without a protocol')
    known = {key for entry in published_entries(chosen) for key in entry.scores}
    used = {id(number) for number in chosen}
    others = [number for number in numbers if id(number) not in used]
    table = entries_table(published_entries(chosen), [key for key in keys if key in known], sort=sort, origins=True)
    place = f"{chosen[0].dataset} {chosen[0].split}"
    return replace(table, notes=(f"{place}, {name}, published numbers only", *published_notes(others, name)))


def score_keys(protocol: DatasetProtocol) -> list[str]:
    """The scores of a protocol's records, in order.

    >>> score_keys(DatasetProtocol(name="p", measures=("F", "MAE")))
    ['F_mean', 'F_recall', 'F_decay', 'MAE']
    """
    keys = [measure.name for measure in MEASURES.values() if measure.symbol in protocol.measures]
    return [*keys, "JF_mean"] if all(name in protocol.measures for name in OVERLAPS) else keys


def comparable(records: Sequence[Record]) -> tuple[list[Record], list[str]]:
    """The records that fit one table, and for each that is left out a line that says why.

    Records of fewer measures fit those of more, and come after them.

    Raises:
        DataError: if none fits, or their signatures differ.
    """
    left_out = [f'"{run.name}" is left out: {", ".join(run.shortcomings)}' for run in records if run.shortcomings]
    fit = [record for record in records if not record.shortcomings]
    if not fit:
        reason = f" ({'; '.join(left_out)})" if left_out else ""
        raise DataError(f"no records for a leaderboard{reason}; see: vosbench run, vosbench score")
    most = max(fit, key=lambda record: len(parts_of(record)))
    other = next((record for record in fit if not parts_of(record) <= parts_of(most)), None)
    if other is not None:
        both = " and ".join(sorted((signature(most), signature(other))))
        raise DataError(f"these records are not comparable: {both}; choose one with --protocol")
    return sorted(fit, key=lambda record: signature(record) != signature(most)), left_out


def parts_of(record: Record) -> frozenset[tuple[str, str]]:
    """What a record's signature says of each measure, and of the protocol.

    Records of which one has all parts of the other differ only in the measures that were taken.
    """
    return _parts(signature(record))


@cache
def _parts(text: str) -> frozenset[tuple[str, str]]:
    found = set()
    for part in text.split("|"):
        names, colon, detail = part.partition(":")
        found |= {(name, colon + detail) for name in names.split(",")}
    return frozenset(found)


def _fits(number: Published, measured: Record) -> bool:
    same = (number.dataset, number.split) == (measured.dataset, measured.split) and not number.category
    return same and number.measure in measured.scores and number.protocol in {measured.protocol, ""}


def training_notes(records: Sequence[Record]) -> list[str]:
    """What the weights of records were trained on, if stated: a line for each kind of training."""
    ways: dict[str, list[str]] = {}
    for record in records:
        if record.provenance.training is not None:
            ways.setdefault(record.provenance.training, []).append(record.method)
    return [f"{', '.join(methods)}: trained on {way}" for way, methods in ways.items()]


def published_notes(others: Sequence[Published], protocol: str) -> list[str]:
    """What readers of published numbers should know, and how many are left out."""
    notes = [
        'published: as printed, from results/published; the protocol is the one stated by the source, or "not stated"',
        "published J&F is computed from J and F if it is not printed",
    ]
    if others:
        notes.append(f"{len(others)} published numbers left out: of other measures, or not under {protocol}")
    return notes


def _differences(measured: Record, numbers: Iterable[Published]) -> dict[str, dict[str, float | None]]:
    name = canonical(measured.method, measured.provenance.options)
    found: dict[str, dict[str, float | None]] = {}
    for number in numbers:
        value = measured.scores.get(number.measure)
        if number.method == name and number.protocol == measured.protocol and value is not None:
            found.setdefault(number.source, {}).setdefault(number.measure, value - number.raw)
    return found
