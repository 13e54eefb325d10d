"""How a table is shown: which methods and measures, in percent or not, with how many decimals, with ranks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from vosbench.errors import UsageError, suggest
from vosbench.metrics.measures import in_percent, measure_of, name_of
from vosbench.records.published import canonical
from vosbench.report.table import Cell, Number, Table, competing, ranked

Item = TypeVar("Item")
PERCENT_DIGITS = 1
MEAN_RANK = "mean rank"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """What a user asks for.

    Attributes:
        percent: show scores in percent, with one decimal unless ``digits`` says otherwise; MAE stays a fraction.
        digits: decimals of all numbers; csv, json and parquet stay unrounded.
        methods: only these, by any of their names.
        measures: only these, by name or heading.
        ranks: add the rank in each column, and the mean over columns.
        marked: mark the best numbers.
        caption: see `Table`.
        label: see `Table`.
    """

    percent: bool = False
    digits: int | None = None
    methods: Sequence[str] = ()
    measures: Sequence[str] = ()
    ranks: bool = False
    marked: bool = True
    caption: str = ""
    label: str = ""


def styled(table: Table, style: Style) -> Table:
    """Apply a style.

    Raises:
        UsageError: if the table has no such method or measure, or no percentages.
    """
    if style.methods:
        table = only_methods(table, style.methods)
    if style.measures:
        table = only_measures(table, style.measures)
    if style.percent or style.digits is not None:
        table = _rescaled(table, style)
    if style.ranks:
        table = with_ranks(table)
    return replace(table, marked=style.marked, caption=style.caption, label=style.label)


def chosen(names: Sequence[str], known: Sequence[str], methods: Sequence[str] | None = None) -> list[str]:
    """Those of the known methods that are asked for, by the name in the table or another name of the same method.

    Args:
        names: what is asked for.
        known: the names in the table, which may have a source behind them in parentheses.
        methods: the published methods that they are; if None, those whose names they are.

    Raises:
        UsageError: if there is no such method.

    >>> chosen(["COSNet", "pdb"], ["COS", "PDB (F2Net)", "PDB (AMC-Net)", "LVO"])
    ['COS', 'PDB (F2Net)', 'PDB (AMC-Net)']
    """
    found: set[str] = set()
    called = [method.lower() for method in methods or map(canonical, known)]
    for name in names:
        own = {each for each in known if name.lower() in {each.lower(), each.lower().partition(" (")[0]}}
        own = own or {each for each, method in zip(known, called, strict=True) if method == canonical(name).lower()}
        if not own:
            raise UsageError(f'there is no method "{name}" in this table; {suggest(name, list(dict.fromkeys(known)))}')
        found |= own
    return [each for each in known if each in found]


def only_methods(table: Table, names: Sequence[str]) -> Table:
    """The table of some methods.

    Raises:
        UsageError: if one is not there.
    """
    if table.across:
        kept = set(chosen(names, table.columns[table.labels :]))
        return _columns(table, [at < table.labels or name in kept for at, name in enumerate(table.columns)])
    kept = set(chosen(names, [str(row[0]) for row in table.rows]))
    return _rows(table, [str(row[0]) in kept for row in table.rows])


def only_measures(table: Table, names: Sequence[str]) -> Table:
    """The table of some measures.

    Raises:
        UsageError: if one is not there, or the table shows one measure, or none.
    """
    known = list(dict.fromkeys(key for key in table.keys if key))
    if not table.named or not known:
        raise UsageError("--measures is for tables with a column for each measure; see --measure")
    kept = {name_of(name, known) for name in names}
    keep = [not key or key in kept for key in table.keys]
    return _rows(table, keep) if table.across else _columns(table, keep)


def without_blanks(table: Table) -> Table:
    """The table without lines and columns of numbers that are all unknown."""
    rows = [any(cell is not None for cell in row[table.labels :]) for row in table.rows]
    table = _rows(table, rows) if any(rows) else table
    columns = [at < table.labels or any(row[at] is not None for row in table.rows) for at in range(len(table.columns))]
    return _columns(table, columns) if any(columns[table.labels :]) else table


def with_ranks(table: Table) -> Table:
    """The table with ranks behind the numbers that compete, and the mean rank of each method that has all of them.

    Raises:
        UsageError: if nothing competes.
    """
    if not any(table.better):
        raise UsageError("this table has no ranks: its numbers do not compete")
    lines = table.rows if table.across else list(zip(*table.rows, strict=True))
    groups = () if table.across else table.groups
    ranks = [
        ranked([competing(cell, table.digits) for cell in line], better, groups)
        for line, better in zip(lines, table.better, strict=True)
    ]
    marked = [
        [_with_rank(cell, rank, table.digits) for cell, rank in zip(line, own, strict=True)]
        for line, own in zip(lines, ranks, strict=True)
    ]
    used = [own for own in ranks if any(rank is not None for rank in own)]
    means: list[Cell] = []
    for own in zip(*used, strict=True):
        known = [rank for rank in own if rank is not None]
        means.append(Number(sum(known) / len(known), 1) if known and len(known) == len(own) else None)
    notes = (*table.notes, f"{MEAN_RANK}: over the {len(used)} columns with ranks, of methods that have all of them")
    if table.across:
        labels: list[Cell] = [MEAN_RANK, *[""] * (table.labels - 1)]
        rows = [*(tuple(row) for row in marked), (*labels, *means[table.labels :])]
        notes = (*notes[:-1], notes[-1].replace("columns", "lines"))
        keys = (*table.keys, "") if table.keys else ()
        return replace(table, rows=rows, better=(*table.better, "lower"), keys=keys, notes=notes)
    rows = [(*row, mean) for row, mean in zip(zip(*marked, strict=True), means, strict=True)]
    return replace(
        table,
        columns=(*table.columns, MEAN_RANK),
        rows=rows,
        better=(*table.better, "lower"),
        keys=(*table.keys, "") if table.keys else (),
        over=(*table.over, "") if table.over else (),
        notes=notes,
    )


def _with_rank(cell: Cell, rank: int | None, digits: int) -> Cell:
    if rank is None:
        return cell
    number = cell if isinstance(cell, Number) else Number(float(cell or 0), digits)
    return replace(number, rank=rank)


def _rescaled(table: Table, style: Style) -> Table:
    keys = table.keys or ("",) * len(table.rows if table.across else table.columns)
    if style.percent and not any(map(in_percent, keys)):
        raise UsageError("--percent: this table has no fractions that papers print in percent")
    rows = [
        tuple(_number(cell, keys[line if table.across else at], table.digits, style) for at, cell in enumerate(row))
        for line, row in enumerate(table.rows)
    ]
    names = [measure_of(key).heading for key in dict.fromkeys(keys) if key and not in_percent(key)]
    notes = [f"in percent, except {', '.join(names)}" if names else "in percent"] if style.percent else []
    return replace(table, rows=rows, notes=(*table.notes, *notes))


def _number(cell: Cell, key: str, digits: int, style: Style) -> Cell:
    """A cell in percent if its measure is, with the decimals that are asked for."""
    if cell is None or isinstance(cell, str):
        return cell
    number = cell if isinstance(cell, Number) else Number(cell, digits)
    if style.percent and in_percent(key):
        parts = {name: 100 * part for name in ("spread", "change") if (part := getattr(number, name)) is not None}
        number = replace(number, value=100 * number.value, digits=max(number.digits - 2, PERCENT_DIGITS), **parts)
    return number if style.digits is None else replace(number, digits=style.digits)


def _rows(table: Table, keep: Sequence[bool]) -> Table:
    table = replace(table, rows=list(_some(table.rows, keep)), groups=_some(table.groups, keep))
    return replace(table, better=_some(table.better, keep), keys=_some(table.keys, keep)) if table.across else table


def _columns(table: Table, keep: Sequence[bool]) -> Table:
    table = replace(
        table,
        columns=_some(table.columns, keep),
        rows=[_some(row, keep) for row in table.rows],
        over=_some(table.over, keep),
    )
    return table if table.across else replace(table, better=_some(table.better, keep), keys=_some(table.keys, keep))


def _some(line: Sequence[Item], keep: Sequence[bool]) -> tuple[Item, ...]:
    return tuple(each for each, kept in zip(line, keep, strict=True) if kept) if line else ()
