"""Tables for programs: CSV, JSON and Parquet, with unrounded numbers."""

import csv
import io
import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from vosbench.errors import extras_needed
from vosbench.files import being_written
from vosbench.report import escape
from vosbench.report.table import Cell, Number, Table, value_of

PARTS = {"spread": "±", "change": "change", "rank": "rank"}
"""Parts of a number that have columns of their own, and what follows the heading there."""


def to_csv(table: Table) -> str:
    """A table as CSV; its notes are in the last cell of the first row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns, rows = _plain(table)
    writer.writerow([*map(escape.csv_cell, columns), "notes"])
    notes = "; ".join(map(escape.csv_cell, table.notes))
    for at, row in enumerate(rows):
        cells = [escape.csv_cell(cell) if isinstance(cell, str) else cell for cell in row]
        writer.writerow([*cells, notes if at == 0 else ""])
    return text.getvalue()


def to_json(table: Table) -> str:
    """A table as JSON: the notes, and the rows as objects."""
    columns, rows = _plain(table)
    named = [dict(zip(columns, row, strict=True)) for row in rows]
    text = json.dumps({"notes": table.notes, "rows": named}, indent=2, ensure_ascii=False) + "\n"
    return escape.visible(text)


def write_parquet(path: Path, table: Table) -> None:
    """Write a table as Parquet; its notes are in the file's metadata, as ``notes``, one a line.

    Raises:
        UsageError: if the extra that writes it is not installed.
    """
    with extras_needed():
        arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    columns, rows = _plain(table)
    named = {column: [row[at] for row in rows] for at, column in enumerate(columns)}
    whole = arrow.table(named).replace_schema_metadata({"notes": "\n".join(table.notes)})
    with being_written(path) as part:
        parquet.write_table(whole, part)


def _plain(table: Table) -> tuple[list[str], list[list[str | float | None]]]:
    """Headings and cells; the parts of numbers are in columns of their own."""
    parts = [
        [part for part in PARTS if any(_part(row[at], part) is not None for row in table.rows)]
        for at in range(len(table.columns))
    ]
    columns = [
        name
        for heading, own in zip(table.columns, parts, strict=True)
        for name in (heading, *(f"{heading} {PARTS[part]}" for part in own))
    ]
    return columns, [list(_cells(row, parts)) for row in table.rows]


def _cells(row: tuple[Cell, ...], parts: list[list[str]]) -> Iterator[str | float | None]:
    for cell, own in zip(row, parts, strict=True):
        yield value_of(cell)
        for part in own:
            yield _part(cell, part)


def _part(cell: Cell, name: str) -> float | None:
    value = getattr(cell, name) if isinstance(cell, Number) else None
    return round(value, 12) if isinstance(value, float) else value
