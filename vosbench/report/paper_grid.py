"""A paper's numbers as a grid of methods and measures, which records can join."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from vosbench.errors import DataError
from vosbench.evaluate.aggregate import VideoScores, complete_mean
from vosbench.metrics.measures import measure_of, name_of
from vosbench.records.published import Published
from vosbench.records.record import Record
from vosbench.registry import load_dataset
from vosbench.report.grouped import CATEGORY_MEAN, PRINTED_MEAN, SEQUENCE_MEAN, category_means
from vosbench.report.style import chosen

TITLES = {"davis16": "DAVIS", "fbms": "FBMS", "visal": "ViSal", "ytobj": "YouTube-Objects"}
Method = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """One measure of a paper's table.

    Attributes:
        dataset: its name in vosbench.
        split: its split.
        measure: a record's key, or ``"delta_…"`` of one; others have no counterpart.
        category: of objects, or `CATEGORY_MEAN` or `SEQUENCE_MEAN`; empty for the whole split.
        unit: ``"%"`` and ``"points"`` are a hundred times a record's value.
        digits: decimals as printed.
    """

    dataset: str
    split: str
    measure: str
    category: str
    unit: str
    digits: int


@dataclass(frozen=True, slots=True)
class Grid:
    """A paper's numbers by method (group, name, name as printed) and line.

    Attributes:
        lines: the measures.
        methods: the methods; those that join the table have no name but the one to print.
        numbers: method and line → number.
        aids: whether methods use optical flow and a conditional random field, if the paper says so.
    """

    lines: tuple[Line, ...]
    methods: tuple[Method, ...]
    numbers: Mapping[tuple[Method, Line], float]
    aids: Mapping[Method, tuple[str, str]] = field(default_factory=dict)

    def only(self, labels: Sequence[str]) -> "Grid":
        """The grid of the methods that are asked for.

        Raises:
            UsageError: if one is not there.
        """
        known = [label for _, _, label in self.methods]
        kept = set(chosen(labels, known, [name or label for _, name, label in self.methods]))
        methods = tuple(method for method in self.methods if method[2] in kept)
        numbers = {key: number for key, number in self.numbers.items() if key[0] in methods}
        return replace(self, methods=methods, numbers=numbers)

    def joined(self, records: Sequence[Record], protocols: Mapping[str, str], reference: str) -> "Grid":
        """The grid with records behind the printed methods, in the last one's group.

        Raises:
            DataError: if a record is not of the table's datasets, splits and protocols, is incomplete, or is one of
                two of a method.
        """
        group = self.methods[-1][0] if self.methods else ""
        added: dict[Method, dict[Line, float]] = {}
        first: dict[Line, float | None] = {
            line: self.numbers.get((method, line))
            for method in self.methods
            if method[1] == reference
            for line in self.lines
        }
        for record in records:
            of_place = self._fitting(record, protocols)
            own = added.setdefault((group, "", record.method), {})
            if any(line in own for line in of_place):
                raise DataError(f'two records of "{record.method}" on {record.place}; leave one out')
            for line in of_place:
                value = score_of(record, line, line.measure.removeprefix("delta_"))
                if line.measure.startswith("delta_"):
                    base = first.get(replace(line, measure=line.measure.removeprefix("delta_"), unit="%"))
                    value = None if value is None or base is None else value - base
                if value is not None:
                    own[line] = value
        numbers = {(method, line): value for method, own in added.items() for line, value in own.items()}
        return replace(self, methods=(*self.methods, *added), numbers={**self.numbers, **numbers})

    def _fitting(self, record: Record, protocols: Mapping[str, str]) -> list[Line]:
        """The lines that a record has numbers of.

        Raises:
            DataError: if it cannot join the table.
        """
        of_place = [line for line in self.lines if (line.dataset, line.split) == (record.dataset, record.split)]
        expected = current(record.dataset, protocols[record.dataset]) if of_place else ""
        if record.protocol != expected:
            places = ", ".join(f"{name} under {protocol}" for name, protocol in protocols.items())
            raise DataError(f'"{record.name}" is of {record.place} under {record.protocol}; this table is of {places}')
        if record.shortcomings:
            raise DataError(f'"{record.name}" cannot join a table: {", ".join(record.shortcomings)}')
        return of_place


def grid(rows: Sequence[Published]) -> Grid:
    """Sort the numbers of a table by method and line; if they are by category, add the mean over categories."""
    lines = [_line(row) for row in rows]
    methods = [(row.group, row.method, row.label) for row in rows]
    numbers = {key: row.number for key, row in zip(zip(methods, lines, strict=True), rows, strict=True)}
    unique, names = list(dict.fromkeys(lines)), list(dict.fromkeys(methods))
    categories = [line for line in unique if line.category not in {"", PRINTED_MEAN}]
    if categories:
        first = replace(categories[0], digits=categories[0].digits + 1)
        ours, theirs = (replace(first, category=kind) for kind in (CATEGORY_MEAN, SEQUENCE_MEAN))
        unique += [ours, theirs]
        for method in names:
            value = complete_mean([numbers.get((method, line)) for line in categories])
            if value is not None:
                numbers[method, ours] = value
    aids = {method: (row.flow, row.crf) for method, row in zip(methods, rows, strict=True)}
    stated = len(set(aids.values())) > 1 and all(flow and crf for flow, crf in aids.values())
    return Grid(tuple(unique), tuple(names), numbers, aids if stated else {})


def _line(number: Published) -> Line:
    # Of YouTube-Objects, the papers print one mean next to the categories and do not say what it is a mean of.
    category = number.category or (PRINTED_MEAN if number.dataset == "ytobj" else "")
    return Line(number.dataset, number.split, number.measure, category, number.unit, number.digits)


def ordered(printed: Grid, sort: str) -> Grid:
    """Order the methods by the printed numbers of a measure, best first.

    Raises:
        UsageError: if the measure is not in the table; the message suggests the nearest.
    """
    key = name_of(sort, list(dict.fromkeys(line.measure for line in printed.lines)))
    line = next(line for line in reversed(printed.lines) if line.measure == key and line.category != SEQUENCE_MEAN)
    gain = measure_of(key).gain

    def place(method: Method) -> tuple[bool, float]:
        value = printed.numbers.get((method, line))
        return value is None, 0.0 if value is None else -gain(value)

    return replace(printed, methods=tuple(sorted(printed.methods, key=place)))


def current(dataset: str, protocol: str) -> str:
    """The name of a dataset's protocol with its version."""
    versions = {known.name: known.version for known in load_dataset(dataset).protocols}
    return f"{protocol}@{versions[protocol]}"


def score_of(record: Record | None, line: Line, measure: str) -> float | None:
    """A record's score in the unit of a line, unrounded; None if it has none."""
    if record is None:
        return None
    raw = record.scores.get(measure)
    if line.category:
        listing = load_dataset(line.dataset).listing(line.split)
        raw = category_means(VideoScores.of(record, listing), measure).get(line.category)
    if raw is None:
        return None
    return 100 * raw if line.unit in {"%", "points"} else raw
