r"""Tables: headings, rows and notes, rendered for a terminal, a page, a paper or a program.

Conventions:
    If the table says which numbers are better, the best of a line is bold and the second best underlined in Markdown,
    HTML and LaTeX, and the names of measures have arrows. CSV and JSON have plain headings and unrounded numbers. An
    unknown number is a dash, empty in CSV and null in JSON.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from vosbench.metrics.measures import Better, leading, measure_of
from vosbench.report import escape

Mark = Literal["best", "second", ""]
ARROWS = {"higher": "↑", "lower": "↓", "": ""}


def mark(shown: Sequence[float | None], better: Better, groups: Sequence[str] = ()) -> list[Mark]:
    """Mark the best and second-best numbers.

    Equal numbers get the same mark, and the second best is the next distinct number. A number without a competitor is
    not marked.

    Args:
        shown: the numbers, rounded as they are shown, so that what looks equal is equal; None does not compete.
        better: which are better; if empty, nothing is marked.
        groups: the group of each number, within which it competes; if empty, all compete.

    >>> mark([0.7, 0.9, None, 0.9, 0.8], "higher")
    ['', 'best', '', 'best', 'second']
    >>> mark([0.2, 0.1, 0.3], "lower", ["a", "b", "b"])
    ['', 'best', 'second']
    """
    signs: dict[int, Mark] = {1: "best", 2: "second"}
    return ["" if rank is None else signs.get(rank, "") for rank in ranked(shown, better, groups)]


def ranked(shown: Sequence[float | None], better: Better, groups: Sequence[str] = ()) -> list[int | None]:
    """Rank numbers from 1; equal ones have one rank, and the next distinct number the next; arguments as of `mark`.

    >>> ranked([0.7, 0.9, None, 0.9], "higher")
    [2, 1, None, 1]
    """
    ranks: list[int | None] = [None] * len(shown)
    for group in dict.fromkeys(groups or ("",)):
        members = [index for index in range(len(shown)) if not groups or groups[index] == group]
        known = {index: value for index in members if (value := shown[index]) is not None}
        if not better or len(known) < 2:
            continue
        order = sorted(set(known.values()), reverse=better == "higher")
        for index, value in known.items():
            ranks[index] = order.index(value) + 1
    return ranks


UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its own decimals; a signed one is a difference, which does not compete.

    Attributes:
        value: the number.
        digits: its decimals.
        signed: whether it is a difference.
        spread: how uncertain it is, shown after ±; None if unknown.
        rank: its rank in its column, shown in parentheses; None if it has none.
        change: its difference from another number, shown in parentheses; None if there is none.
    """

    value: float
    digits: int
    signed: bool = False
    spread: float | None = None
    rank: int | None = None
    change: float | None = None


Cell = str | float | Number | None
Format = Literal["table", "md", "csv", "json", "latex", "html"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The contents of a table.

    Attributes:
        columns: the headings.
        rows: a cell per heading; None is an unknown number.
        notes: lines below the table, the protocol's signature first.
        digits: decimals of numbers that do not have their own; csv and json give them unrounded.
        better: which numbers are better, for each column, or for each row if ``across``. Empty if not known.
        across: whether numbers compete along rows.
        groups: the group of each row, within which the numbers of a column compete. If empty, all compete.
        keys: the measure of each column, or of each row if ``across``, as records name it; empty if it has none.
        named: whether columns (or rows) are named after their measures; lines of videos and categories are not.
        labels: how many columns say what a row is, before the numbers.
        over: for LaTeX, what stands above a heading that starts with it, such as a dataset; empty if nothing does.
        marked: whether the best numbers are marked.
        caption: the caption; in LaTeX as it is, since it may contain formulas.
        label: LaTeX's label.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    notes: tuple[str, ...] = ()
    digits: int = 3
    better: tuple[Better, ...] = ()
    across: bool = False
    groups: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    named: bool = True
    labels: int = 1
    over: tuple[str, ...] = ()
    marked: bool = True
    caption: str = ""
    label: str = ""


def render(table: Table, kind: Format, width: int | None = None) -> str:
    r"""Render a table.

    Args:
        table: the table.
        kind: ``"table"`` for a terminal, ``"md"``, ``"csv"``, ``"json"``, ``"html"`` or ``"latex"`` (booktabs).
        width: columns of the terminal, to which ``"table"`` is fitted; None for the whole table.

    Returns:
        text that ends in a newline.

    >>> shown = Table(columns=("method", "J"), rows=[("a", 0.5), ("b", None), ("c", 0.7)], better=("", "higher"))
    >>> print(render(shown, "md"), end="")
    | method   |          J ↑ |
    |:---------|-------------:|
    | a        | <u>0.500</u> |
    | b        |            – |
    | c        |    **0.700** |
    """
    if kind in {"csv", "json"}:
        from vosbench.report import data

        return data.to_csv(table) if kind == "csv" else data.to_json(table)
    if kind == "latex":
        from vosbench.report.latex import to_latex

        return to_latex(table)
    if kind == "html":
        from vosbench.report.html import to_html

        return to_html(table) + "\n"
    from tabulate import tabulate

    escaped = escape.markdown_cell if kind == "md" else escape.terminal
    columns, rows = texts(table, escaped, _MARKDOWN if kind == "md" else _PLAIN)
    text = tabulate(
        rows,
        headers=columns,
        tablefmt="pipe" if kind == "md" else "simple",
        disable_numparse=True,
        colalign=alignment(table) if table.rows else None,
    )
    notes = table.notes
    if kind == "table" and width is not None and max(map(len, text.splitlines())) > width:
        from vosbench.report.fit import fitted

        text, more = fitted(columns, rows, alignment(table), table.labels, width, priority(table))
        notes = (*notes, *more)
    below = "".join(f"* {escape.markdown(note)}\n" if kind == "md" else f"{escape.terminal(note)}\n" for note in notes)
    above = f"{escape.markdown(table.caption) if kind == 'md' else escape.terminal(table.caption)}\n\n"
    return (above if table.caption else "") + f"{text}\n" + (f"\n{below}" if below else "")


_PLAIN: dict[Mark, str] = {"": "{}", "best": "{}", "second": "{}"}
_MARKDOWN: dict[Mark, str] = {"": "{}", "best": "**{}**", "second": "<u>{}</u>"}


def texts(
    table: Table,
    escaped: Callable[[str], str],
    how: dict[Mark, str],
    name: Callable[[str, str], str] | None = None,
    minus: str = "-",
) -> tuple[list[str], list[list[str]]]:
    """Headings and cells as they are shown, with arrows and marks.

    Args:
        table: the table.
        escaped: escapes text.
        how: how a cell is marked.
        name: writes the name of a measure, from a heading that contains it and the measure's key; escaped if None.
        minus: the sign of negative numbers, before it is escaped.
    """
    write = name or (lambda text, _key: escaped(text))
    lines = len(table.rows if table.across else table.columns)
    keys = (table.keys if table.named else ()) or ("",) * lines
    measures = [bool(key) or not table.keys for key in keys]
    ways = table.better or ("",) * lines
    arrows = [
        f" {ARROWS[way]}" if way and measure and table.named else ""
        for way, measure in zip(ways, measures, strict=True)
    ]
    rows = [
        [escaped(cell if isinstance(cell, str) else shown(cell, table.digits).replace("-", minus)) for cell in row]
        for row in table.rows
    ]
    rows = [
        [how[sign].format(cell) for cell, sign in zip(row, signs, strict=True)]
        for row, signs in zip(rows, marks(table), strict=True)
    ]
    if not table.across:
        named = zip(table.columns, keys, arrows, strict=True)
        return [write(heading, key) + escaped(arrow) for heading, key, arrow in named], rows
    named = zip((str(row[0]) for row in table.rows), keys, arrows, strict=True)
    firsts = [write(heading, key) + escaped(arrow) for heading, key, arrow in named]
    return [escaped(heading) for heading in table.columns], [
        [first, *row[1:]] for first, row in zip(firsts, rows, strict=True)
    ]


def marks(table: Table) -> list[list[Mark]]:
    """The mark of every cell."""
    numbers = [[competing(cell, table.digits) for cell in row] for row in table.rows]
    if not table.better or not table.marked:
        return [[""] * len(row) for row in numbers]
    if table.across:
        return [mark(row, better) for row, better in zip(numbers, table.better, strict=True)]
    columns = [
        mark([row[column] for row in numbers], better, table.groups) for column, better in enumerate(table.better)
    ]
    return [[signs[line] for signs in columns] for line in range(len(numbers))]


def competing(cell: Cell, digits: int) -> float | None:
    """A number as it is shown, or None if the cell does not compete."""
    if isinstance(cell, Number):
        return None if cell.signed else round(cell.value, cell.digits)
    return round(cell, digits) if isinstance(cell, float) else None


def shown(cell: Cell, digits: int) -> str:
    """The text of a cell.

    >>> shown(Number(0.5, 2, spread=0.1, rank=1), 3), shown(None, 3)
    ('0.50 ± 0.10 (1)', '–')
    """
    if cell is None:
        return UNKNOWN
    if isinstance(cell, str):
        return cell
    if not isinstance(cell, Number):
        return f"{cell:.{digits}f}"
    value = round(cell.value, cell.digits) + 0.0  # no minus before zero
    text = f"{value:+.{cell.digits}f}" if cell.signed else f"{value:.{cell.digits}f}"
    text += "" if cell.spread is None else f" ± {cell.spread:.{cell.digits}f}"
    text += "" if cell.change is None else f" ({round(cell.change, cell.digits) + 0.0:+.{cell.digits}f})"
    return text + ("" if cell.rank is None else f" ({cell.rank})")


def value_of(cell: Cell) -> str | float | None:
    """What a cell contains, without decimals of floating-point arithmetic: 0.911, not 0.9109999999999999."""
    value = cell.value if isinstance(cell, Number) else cell
    return round(value, 12) if isinstance(value, float) else value


def priority(table: Table) -> list[int]:
    """How early the columns of a terminal's table are left out: recall and decay before means, the leading one last."""
    if table.across or not any(table.keys):
        return [0] * len(table.columns)
    first = leading([key for key in table.keys if key])
    coarse = [measure_of(key).video_tolerance is None or key == "T_all_mean" for key in table.keys]
    return [0 if key == first else 1 + late for key, late in zip(table.keys, coarse, strict=True)]


def alignment(table: Table) -> list[str]:
    """Align words left, numbers and counts right."""
    has_words = [
        any(isinstance(row[at], str) and not str(row[at]).isdigit() for row in table.rows)
        for at in range(len(table.columns))
    ]
    return ["left" if words else "right" for words in has_words]
