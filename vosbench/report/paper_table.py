"""A paper's table as a grid of methods and measures, printed and measured numbers side by side.

Conventions:
    The measured counterpart of a printed number comes from the record of the same method, in the same unit. It is next
    to the printed one: in a column if measures are columns, in a row if they are rows. Lines without any measured
    number have no measured line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from vosbench.evaluate.aggregate import VideoScores, complete_mean
from vosbench.metrics.measures import Better, measure_of, name_of
from vosbench.records.published import Published, canonical
from vosbench.records.record import Record, signature
from vosbench.registry import load_dataset
from vosbench.report.grouped import CATEGORY_MEAN, PRINTED_MEAN, SEQUENCE_MEAN, category_means
from vosbench.report.table import Cell, Number, Table

TITLES = {"davis16": "DAVIS", "fbms": "FBMS", "visal": "ViSal", "ytobj": "YouTube-Objects"}
PUBLISHED, MEASURED, DIFFERENCE = "published", "measured", "difference"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterparts:
    """The records that correspond to a paper's numbers.

    Attributes:
        records: dataset → canonical name of the method → record.
        unused: lines that say which records of these datasets are left out, and why.
        reference: the method from which differences within the table are taken.
    """

    records: Mapping[str, Mapping[str, Record]]
    unused: Sequence[str] = ()
    reference: str = ""

    def value(self, method: str, line: Line) -> float | None:
        """The measured value in the unit of the line, unrounded; None if there is none."""
        known = self.records.get(line.dataset, {})
        if line.measure.startswith("delta_"):
            pair = [
                _score(known.get(name), line, line.measure.removeprefix("delta_")) for name in (method, self.reference)
            ]
            return None if pair[0] is None or pair[1] is None or method == self.reference else pair[0] - pair[1]
        return _score(known.get(method), line, line.measure)


def counterparts(
    records: Sequence[Record], protocols: Mapping[str, str], lines: Sequence[Line], reference: str = ""
) -> Counterparts:
    """Sort records by dataset and method.

    Args:
        records: any records.
        protocols: dataset → name of the protocol under which its numbers are compared.
        lines: the lines of the table.
        reference: see `Counterparts`.
    """
    splits = {(line.dataset, line.split) for line in lines}
    found: dict[str, dict[str, Record]] = {name: {} for name in protocols}
    unused: dict[str, list[str]] = {}
    for record in records:
        if (record.dataset, record.split) not in splits:
            continue
        protocol = current(record.dataset, protocols[record.dataset])
        known = found[record.dataset]
        name = canonical(record.method, record.provenance.options)
        reason = ""
        if record.shortcomings:
            reason = ", ".join(record.shortcomings)
        elif record.protocol != protocol:
            reason = f"under {record.protocol}, not {protocol}"
        elif name in known:
            reason = f'"{known[name].name}" is also {name}'
        if reason:
            unused.setdefault(f"on {record.dataset}, {reason}", []).append(f'"{record.name}"')
        else:
            known[name] = record
    left_out = [f"records left out, {reason}: {', '.join(names)}" for reason, names in unused.items()]
    return Counterparts(records=found, unused=left_out, reference=reference)


def current(dataset: str, protocol: str) -> str:
    """The name of a dataset's protocol with its version."""
    versions = {known.name: known.version for known in load_dataset(dataset).protocols}
    return f"{protocol}@{versions[protocol]}"


def _score(record: Record | None, line: Line, measure: str) -> float | None:
    if record is None:
        return None
    raw = record.scores.get(measure)
    if line.category:
        listing = load_dataset(line.dataset).listing(line.split)
        raw = category_means(VideoScores.of(record, listing), measure).get(line.category)
    if raw is None:
        return None
    return 100 * raw if line.unit in {"%", "points"} else raw


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperView:
    """What to show of a paper's table.

    Attributes:
        measured: show measured numbers next to the printed ones.
        diff: show differences, too.
        sort: the measure that orders the methods, best first; the paper's order if None.
        within_groups: whether numbers compete only within the table's groups.
    """

    measured: bool = True
    diff: bool = False
    sort: str | None = None
    within_groups: bool = False


Method = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Grid:
    """A paper's numbers by method (group, name, name as printed) and line."""

    lines: tuple[Line, ...]
    methods: tuple[Method, ...]
    numbers: Mapping[tuple[Method, Line], float]


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
    return Grid(tuple(unique), tuple(names), numbers)


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

    return Grid(printed.lines, tuple(sorted(printed.methods, key=place)), printed.numbers)


def lay_out(
    printed: Grid, measured: Counterparts, view: PaperView, notes: Sequence[str] = (), *, across: bool = False
) -> Table:
    """Make the table.

    Args:
        printed: the published numbers.
        measured: the measured records.
        view: what to show.
        notes: the first notes; those on records that are used or missing follow.
        across: whether methods are columns.
    """
    shown = _measured_notes(printed, measured, view) if view.measured else []
    table = _lines_down(printed, measured, view) if across else _methods_down(printed, measured, view)
    return replace(table, notes=(*notes, *shown))


def largest_difference(printed: Grid, measured: Counterparts) -> tuple[float, str, Line] | None:
    """The difference farthest from 0, with its method and line; None if nothing was measured."""
    differences = [
        (difference, method[2], line)
        for method in printed.methods
        for line in printed.lines
        if (difference := _difference(printed, measured, method, line)) is not None
    ]
    return max(differences, key=lambda found: abs(found[0]), default=None)


def _difference(printed: Grid, measured: Counterparts, method: Method, line: Line) -> float | None:
    value, number = measured.value(method[1], line), printed.numbers.get((method, line))
    return None if value is None or number is None else value - number


def _cells(printed: Grid, measured: Counterparts, method: Method, line: Line) -> dict[str, Cell]:
    number, value = printed.numbers.get((method, line)), measured.value(method[1], line)
    difference = _difference(printed, measured, method, line)
    return {
        PUBLISHED: None if number is None else Number(number, line.digits),
        MEASURED: None if value is None else Number(value, line.digits),
        DIFFERENCE: None if difference is None else Number(difference, line.digits + 1, signed=True),
    }


def _kinds(printed: Grid, measured: Counterparts, view: PaperView, line: Line) -> list[str]:
    """Which numbers of a line to show."""
    values = any(measured.value(method[1], line) is not None for method in printed.methods)
    differences = any(_difference(printed, measured, method, line) is not None for method in printed.methods)
    numbers = line.category == SEQUENCE_MEAN or any((method, line) in printed.numbers for method in printed.methods)
    kinds = [PUBLISHED] if numbers else []
    kinds += [MEASURED] if view.measured and values else []
    return kinds + ([DIFFERENCE] if view.measured and view.diff and differences else [])


def _lines_down(printed: Grid, measured: Counterparts, view: PaperView) -> Table:
    """Methods are columns."""
    rows: list[tuple[Cell, ...]] = []
    directions: list[Better] = []
    for line in printed.lines:
        for kind in _kinds(printed, measured, view, line):
            cells = [_cells(printed, measured, method, line)[kind] for method in printed.methods]
            rows.append((_heading(line, printed), kind, *cells))
            directions.append("" if kind == DIFFERENCE else _direction(line))
    columns = ("measure", "number", *(method[2] for method in printed.methods))
    return Table(columns=columns, rows=rows, better=tuple(directions), across=True)


def _methods_down(printed: Grid, measured: Counterparts, view: PaperView) -> Table:
    """Measures are columns."""
    shown = [(line, kind) for line in printed.lines for kind in _kinds(printed, measured, view, line)]
    groups = tuple(group for group, _, _ in printed.methods) if any(group for group, _, _ in printed.methods) else ()
    named = ("method", "group") if groups else ("method",)
    rows: list[tuple[Cell, ...]] = []
    for method in printed.methods:
        first = (method[2], method[0]) if groups else (method[2],)
        rows.append((*first, *(_cells(printed, measured, method, line)[kind] for line, kind in shown)))
    headings = [_heading(line, printed) + ("" if kind == PUBLISHED else f", {kind}") for line, kind in shown]
    directions: list[Better] = [""] * len(named)
    directions += [_direction(line) if kind != DIFFERENCE else "" for line, kind in shown]
    return Table(
        columns=(*named, *headings),
        rows=rows,
        better=tuple(directions),
        groups=groups if view.within_groups else (),
    )


def _measured_notes(printed: Grid, measured: Counterparts, view: PaperView) -> list[str]:
    notes: list[str] = []
    for dataset, records in measured.records.items():
        methods = {
            (name, label): None
            for (_, name, label), line in printed.numbers
            if line.dataset == dataset and measure_of(line.measure).measured
        }
        matched = {label: records[name] for name, label in methods if name in records}
        notes += dict.fromkeys(f"measured: {dataset} {run.split}, {signature(run)}" for run in matched.values())
        if matched:
            notes.append("records: " + ", ".join(f'{label} is "{run.method}"' for label, run in matched.items()))
        absent = dict.fromkeys(label for name, label in methods if name not in records)
        if absent and not matched:
            notes.append(f"no measured numbers on {TITLES[dataset]}")
        elif absent:
            notes.append(f"no records on {TITLES[dataset]} of: {', '.join(absent)}")
    notes += measured.unused
    largest = largest_difference(printed, measured) if view.diff else None
    if largest:
        difference, label, line = largest
        shown = f"{difference:+.{line.digits + 2}f}"
        notes.append(f"largest difference, measured − published: {shown} ({label}, {_heading(line, printed)})")
    return notes


def _heading(line: Line, printed: Grid) -> str:
    name = line.category or measure_of(line.measure).heading
    datasets = {other.dataset for other in printed.lines}
    return f"{TITLES[line.dataset]} {name}" if len(datasets) > 1 else name


def _direction(line: Line) -> Better:
    # Differences within a paper's table do not compete.
    return "" if line.measure.startswith("delta_") else measure_of(line.measure).better
