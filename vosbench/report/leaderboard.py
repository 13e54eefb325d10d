"""Leaderboards of measured and published numbers, each with its source."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from vosbench.dataset import DatasetProtocol
from vosbench.errors import DataError, UsageError
from vosbench.metrics.measures import MEASURES, OVERLAPS, Better, headings, leading, measure_of, name_of
from vosbench.records.naming import labels
from vosbench.records.published import Published, canonical
from vosbench.records.record import Record, signature
from vosbench.report.table import Cell, Number, Table

MEASURED, STATED = "measured", "not stated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of a leaderboard.

    Attributes:
        method: its name.
        origin: ``"measured"``, or the source of published numbers.
        protocol: name and version, or ``"not stated"``.
        scores: measure → value in [0, 1]; None if unknown.
        differences: the published line's origin → measure → measured minus published; each becomes a line below.
    """

    method: str
    origin: str
    protocol: str
    scores: Mapping[str, float | None]
    differences: Mapping[str, Mapping[str, float | None]]


def entries_table(entries: Sequence[Entry], keys: Sequence[str], *, sort: str | None, origins: bool) -> Table:
    """Ranked lines as a table.

    Raises:
        UsageError: if the measure that ranks is not among the keys.
    """
    ranked = rank(entries, keys, sort)
    rows: list[tuple[Cell, ...]] = []
    for entry in ranked:
        rows.append(row(entry.method, entry.scores, keys, (entry.origin, entry.protocol) if origins else ()))
        for origin, values in entry.differences.items():
            cells = [None if (value := values.get(key)) is None else Number(value, 4, signed=True) for key in keys]
            rows.append((entry.method, f"{MEASURED} − {origin}", entry.protocol, *cells))
    named: tuple[str, ...] = ("method", "from", "protocol") if origins else ("method",)
    ways: list[Better] = [""] * len(named)
    ways += (measure_of(key).better for key in keys)
    return Table(columns=(*named, *headings(keys)), rows=rows, better=tuple(ways))


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
    return Table(columns=("method", *headings(keys)), rows=rows, notes=tuple(notes))


def leaderboard(
    records: Sequence[Record], *, numbers: Sequence[Published] = (), sort: str | None = None, diff: bool = False
) -> tuple[Table, list[str]]:
    """Compare records of one dataset, split and protocol, best J&F (or first score) first.

    Args:
        records: the measured records.
        numbers: published numbers to show alongside: those of the same dataset and split, under the same protocol or
            one that their source does not state. Others are left out and counted.
        sort: the measure that ranks, as its key or heading.
        diff: whether each measured line is followed by its differences, measured − published, from published lines of
            the same method and protocol.

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
            differences=_differences(record, chosen) if diff else {},
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
    table = entries_table(entries, keys, sort=sort, origins=bool(numbers) or diff)
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
    found = set()
    for part in signature(record).split("|"):
        names, colon, detail = part.partition(":")
        found |= {(name, colon + detail) for name in names.split(",")}
    return frozenset(found)


def published_entries(numbers: Iterable[Published]) -> list[Entry]:
    """Published numbers as lines, one for each method and source; J&F is computed if it is not printed."""
    found: dict[tuple[str, str, str], dict[str, float | None]] = {}
    for number in numbers:
        line = found.setdefault((number.method, number.source, number.protocol or STATED), {})
        line.setdefault(number.measure, number.raw)
    for line in found.values():
        region, contour = line.get("J_mean"), line.get("F_mean")
        if region is not None and contour is not None:
            line.setdefault("JF_mean", (region + contour) / 2)
    return [
        Entry(method=method, origin=source, protocol=protocol, scores=scores, differences={})
        for (method, source, protocol), scores in found.items()
    ]


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
