"""Tables: headings, rows and the protocol beneath, rendered for a terminal, a page, a paper or a program."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Cell = str | float | None
Format = Literal["table", "md", "csv", "json", "latex"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What is shown.

    Attributes:
        columns: the headings.
        rows: a cell per heading; None is a number that is not known.
        notes: lines beneath, the protocol's signature first of all.
        digits: decimals of numbers; csv and json give them unrounded.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    notes: tuple[str, ...] = ()
    digits: int = 3


def render(table: Table, kind: Format) -> str:
    r"""Render a table.

    Args:
        table: what is shown.
        kind: ``"table"`` for a terminal, ``"md"``, ``"csv"``, ``"json"`` or ``"latex"`` (booktabs).

    Returns:
        text that ends in a newline.

    >>> print(render(Table(columns=("method", "J"), rows=[("a", 0.5), ("b", None)], notes=("x@1",)), "md"), end="")
    | method   |     J |
    |:---------|------:|
    | a        | 0.500 |
    | b        |     – |
    <BLANKLINE>
    x@1
    """
    if kind == "csv":
        return _csv(table)
    if kind == "json":
        named = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        return json.dumps({"notes": table.notes, "rows": named}, indent=2, ensure_ascii=False) + "\n"
    from tabulate import tabulate

    style = {"table": "simple", "md": "pipe", "latex": "latex_booktabs"}[kind]
    text = tabulate(
        [[_shown(cell, table.digits) for cell in row] for row in table.rows],
        headers=table.columns,
        tablefmt=style,
        disable_numparse=True,
        colalign=["right" if _numeric(table, column) else "left" for column in range(len(table.columns))]
        if table.rows
        else None,
    )
    mark = "% " if kind == "latex" else ""
    notes = "".join(f"{mark}{note}\n" for note in table.notes)
    return f"{text}\n" + (f"\n{notes}" if notes else "")


def _csv(table: Table) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*table.columns, "notes"])
    writer.writerows([*row, "; ".join(table.notes)] for row in table.rows)
    return text.getvalue()


def _shown(cell: Cell, digits: int) -> str:
    if cell is None:
        return "–"
    return cell if isinstance(cell, str) else f"{cell:.{digits}f}"


def _numeric(table: Table, column: int) -> bool:
    return not any(isinstance(row[column], str) for row in table.rows)
