"""A paper's table as a grid of methods and measures, printed and measured numbers side by side.

Conventions:
    The measured counterpart of a printed number comes from the record of the same method, in the same unit. It is next
    to the printed one: in a column if measures are columns, in a row if they are rows. Lines without any measured
    number have no measured line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from vosbench.metrics.measures import Better, measure_of
from vosbench.records.published import canonical
from vosbench.records.record import Record, signature
from vosbench.report.grouped import SEQUENCE_MEAN
from vosbench.report.paper_grid import TITLES, Grid, Line, Method, current, score_of
from vosbench.report.table import Cell, Number, Table

PUBLISHED, MEASURED, DIFFERENCE = "published", "measured", "difference"


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
                score_of(known.get(name), line, line.measure.removeprefix("delta_"))
                for name in (method, self.reference)
            ]
            return None if pair[0] is None or pair[1] is None or method == self.reference else pair[0] - pair[1]
        return score_of(known.get(method), line, line.measure)


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
    fit = [record for record in records if (record.dataset, record.split) in splits]
    versions = {name: current(name, protocols[name]) for name in {record.dataset for record in fit}}
    for record in fit:
        protocol = versions[record.dataset]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperView:
    """What to show of a paper's table.

    Attributes:
        measured: show measured numbers next to the printed ones.
        diff: show differences, too.
        sort: the measure that orders the methods, best first; the paper's order if None.
        within_groups: whether numbers compete only within the table's groups.
        own: records that join the table, each method as one more line behind the printed ones.
        methods: only these methods; if empty, all.
        task: only methods of this task.
    """

    measured: bool = True
    diff: bool = False
    sort: str | None = None
    within_groups: bool = False
    own: Sequence[Record] = ()
    methods: Sequence[str] = ()
    task: str | None = None


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
    keys: list[str] = []
    for line in printed.lines:
        for kind in _kinds(printed, measured, view, line):
            cells = [_cells(printed, measured, method, line)[kind] for method in printed.methods]
            rows.append((_heading(line, printed), kind, *cells))
            directions.append("" if kind == DIFFERENCE else _direction(line))
            keys.append(line.measure)
    by_category = any(line.category for line in printed.lines)
    columns = ("category" if by_category else "measure", "number", *(method[2] for method in printed.methods))
    return Table(
        columns=columns,
        rows=rows,
        better=tuple(directions),
        across=True,
        keys=tuple(keys),
        named=not by_category,
        labels=2,
    )


def _methods_down(printed: Grid, measured: Counterparts, view: PaperView) -> Table:
    """Measures are columns."""
    shown = [(line, kind) for line in printed.lines for kind in _kinds(printed, measured, view, line)]
    groups = tuple(group for group, _, _ in printed.methods) if any(group for group, _, _ in printed.methods) else ()
    aids = ("flow", "CRF") if printed.aids else ()
    named = ("method", *(["group"] if groups else []), *aids)
    rows: list[tuple[Cell, ...]] = []
    for method in printed.methods:
        known = printed.aids.get(method, ("", "")) if aids else ()
        first = (method[2], *([method[0]] if groups else []), *known)
        rows.append((*first, *(_cells(printed, measured, method, line)[kind] for line, kind in shown)))
    headings = [_heading(line, printed) + ("" if kind == PUBLISHED else f", {kind}") for line, kind in shown]
    directions: list[Better] = [""] * len(named)
    directions += [_direction(line) if kind != DIFFERENCE else "" for line, kind in shown]
    return Table(
        columns=(*named, *headings),
        rows=rows,
        better=tuple(directions),
        groups=groups if view.within_groups else (),
        keys=(*[""] * len(named), *(line.measure for line, _ in shown)),
        labels=len(named),
        over=(*[""] * len(named), *(_title(line, printed) for line, _ in shown)),
    )


def _measured_notes(printed: Grid, measured: Counterparts, view: PaperView) -> list[str]:
    notes: list[str] = []
    for dataset, records in measured.records.items():
        methods = {
            (name, label): None
            for (_, name, label), line in printed.numbers
            if name and line.dataset == dataset and measure_of(line.measure).measured
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
    return f"{_title(line, printed)} {line.category or measure_of(line.measure).heading}".lstrip()


def _title(line: Line, printed: Grid) -> str:
    """The dataset of a line, if the table has several."""
    return TITLES[line.dataset] if len({other.dataset for other in printed.lines}) > 1 else ""


def _direction(line: Line) -> Better:
    # Differences within a paper's table do not compete.
    return "" if line.measure.startswith("delta_") else measure_of(line.measure).better
