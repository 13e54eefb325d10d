r"""Tables: headings, rows and notes, rendered for a terminal, a page, a paper or a program.

Conventions:
    If the table says which numbers are better, the best of a line is bold and the second best underlined in Markdown
    and LaTeX, and headings have arrows. CSV and JSON have plain headings and unrounded numbers. An unknown number is
    a dash, empty in CSV and null in JSON.
    LaTeX is a ``tabular`` for ``\usepackage{booktabs}``.
"""

import csv
import html
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from vosbench.metrics.measures import Better
from vosbench.report import escape
from vosbench.report.latex import tabular

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
    marks: list[Mark] = [""] * len(shown)
    for group in dict.fromkeys(groups or ("",)):
        members = [index for index in range(len(shown)) if not groups or groups[index] == group]
        known = [value for index in members if (value := shown[index]) is not None]
        if not better or len(known) < 2:
            continue
        ranked = sorted(set(known), reverse=better == "higher")
        for index in members:
            if shown[index] == ranked[0]:
                marks[index] = "best"
            elif len(ranked) > 1 and shown[index] == ranked[1]:
                marks[index] = "second"
    return marks


UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its own decimals; a signed one is a difference, which does not compete."""

    value: float
    digits: int
    signed: bool = False


Cell = str | float | Number | None
Format = Literal["table", "md", "csv", "json", "latex"]


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
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    notes: tuple[str, ...] = ()
    digits: int = 3
    better: tuple[Better, ...] = ()
    across: bool = False
    groups: tuple[str, ...] = ()


def render(table: Table, kind: Format) -> str:
    r"""Render a table.

    Args:
        table: the table.
        kind: ``"table"`` for a terminal, ``"md"``, ``"csv"``, ``"json"`` or ``"latex"`` (booktabs).

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
    if kind == "csv":
        return _csv(table)
    if kind == "json":
        named = [dict(zip(table.columns, map(_plain, row), strict=True)) for row in table.rows]
        text = json.dumps({"notes": table.notes, "rows": named}, indent=2, ensure_ascii=False) + "\n"
        return escape.visible(text)
    if kind == "latex":
        lines = [f"% {escape.latex_comment(note)}\n" for note in table.notes]
        body = tabular(*_texts(table, escape.latex, _LATEX), _alignment(table))
        return body + ("\n" + "".join(lines) if lines else "")
    from tabulate import tabulate

    escaped = escape.markdown_cell if kind == "md" else escape.terminal
    columns, rows = _texts(table, escaped, _MARKDOWN if kind == "md" else _PLAIN)
    text = tabulate(
        rows,
        headers=columns,
        tablefmt="pipe" if kind == "md" else "simple",
        disable_numparse=True,
        colalign=_alignment(table) if table.rows else None,
    )
    notes = "".join(
        f"* {escape.markdown(note)}\n" if kind == "md" else f"{escape.terminal(note)}\n" for note in table.notes
    )
    return f"{text}\n" + (f"\n{notes}" if notes else "")


_PLAIN: dict[Mark, str] = {"": "{}", "best": "{}", "second": "{}"}
_MARKDOWN: dict[Mark, str] = {"": "{}", "best": "**{}**", "second": "<u>{}</u>"}
_HTML: dict[Mark, str] = {"": "{}", "best": "<b>{}</b>", "second": "<u>{}</u>"}
_LATEX: dict[Mark, str] = {"": "{}", "best": r"\textbf{{{}}}", "second": r"\underline{{{}}}"}


def to_html(table: Table) -> str:
    """Render a table for a notebook, its notes beneath it."""
    columns, rows = _texts(table, _escape_html, _HTML)
    sides = _alignment(table)

    def line(cells: Sequence[str], tag: str) -> str:
        styled = zip(cells, sides, strict=True)
        return "".join(f'<{tag} style="text-align:{side}">{cell}</{tag}>' for cell, side in styled)

    head = f"<thead><tr>{line(columns, 'th')}</tr></thead>"
    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    notes = "<br>".join(map(_escape_html, table.notes))
    return f"<table>{head}<tbody>{body}</tbody></table><p>{notes}</p>"


def _escape_html(text: str) -> str:
    return html.escape(escape.terminal(text))


def _texts(table: Table, escaped: Callable[[str], str], how: dict[Mark, str]) -> tuple[list[str], list[list[str]]]:
    """Headings and cells as they are shown, with arrows and marks."""
    arrows = [f" {ARROWS[better]}" if better else "" for better in table.better]
    columns = [escaped(heading) for heading in table.columns]
    minus = "−" if how is _LATEX else "-"
    rows = [
        [escaped(cell if isinstance(cell, str) else _shown(cell, table.digits).replace("-", minus)) for cell in row]
        for row in table.rows
    ]
    rows = [
        [how[sign].format(cell) for cell, sign in zip(row, signs, strict=True)]
        for row, signs in zip(rows, _marks(table), strict=True)
    ]
    if table.across:
        rows = [[row[0] + escaped(arrow), *row[1:]] for row, arrow in zip(rows, arrows, strict=True)]
    elif arrows:
        columns = [heading + escaped(arrow) for heading, arrow in zip(columns, arrows, strict=True)]
    return columns, rows


def _marks(table: Table) -> list[list[Mark]]:
    """The mark of every cell."""
    shown = [[_competing(cell, table.digits) for cell in row] for row in table.rows]
    if not table.better:
        return [[""] * len(row) for row in shown]
    if table.across:
        return [mark(row, better) for row, better in zip(shown, table.better, strict=True)]
    columns = [mark([row[column] for row in shown], better, table.groups) for column, better in enumerate(table.better)]
    return [[marks[line] for marks in columns] for line in range(len(shown))]


def _competing(cell: Cell, digits: int) -> float | None:
    """A number as it is shown, or None if the cell does not compete."""
    if isinstance(cell, Number):
        return None if cell.signed else round(cell.value, cell.digits)
    return round(cell, digits) if isinstance(cell, float) else None


def _csv(table: Table) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    notes = "; ".join(map(escape.csv_cell, table.notes))
    writer.writerow([*map(escape.csv_cell, table.columns), "notes"])
    for row in table.rows:
        writer.writerow([*(escape.csv_cell(cell) if isinstance(cell, str) else _plain(cell) for cell in row), notes])
    return text.getvalue()


def _plain(cell: Cell) -> str | float | None:
    return cell.value if isinstance(cell, Number) else cell


def _shown(cell: Cell, digits: int) -> str:
    if cell is None:
        return UNKNOWN
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Number):
        value = round(cell.value, cell.digits) + 0.0  # no minus before zero
        return f"{value:+.{cell.digits}f}" if cell.signed else f"{value:.{cell.digits}f}"
    return f"{cell:.{digits}f}"


def _alignment(table: Table) -> list[str]:
    """Align words left, numbers and counts right."""
    has_words = [
        any(isinstance(row[at], str) and not str(row[at]).isdigit() for row in table.rows)
        for at in range(len(table.columns))
    ]
    return ["left" if words else "right" for words in has_words]
