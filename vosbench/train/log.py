"""The log of a training: a CSV file with a row per step, to which columns can be added later."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from vosbench.files import write_whole

Row = Mapping[str, str]


def append(path: Path, values: Mapping[str, float]) -> None:
    """Append the row of a step; numbers read back exactly."""
    row = {name: repr(value) for name, value in values.items()}
    columns = _columns(path)
    new = [name for name in row if name not in columns]
    if new:
        _write(path, [*columns, *new], [*read(path), row])
        return
    with path.open("a", encoding="utf-8") as file:
        file.write(_lines(columns, [row]))


def cut(path: Path, step: int) -> None:
    """Drop the rows after a step, where training resumes, and an incomplete last line."""
    if path.is_file():
        _write(path, _columns(path), [row for row in read(path) if int(row["step"]) <= step])


def read(path: Path) -> list[dict[str, str]]:
    """Read the rows of a log, without empty fields and an incomplete last line."""
    if not path.is_file():
        return []
    text = path.read_text("utf-8")
    rows = csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1]))
    return [{name: value for name, value in row.items() if value} for row in rows]


def _columns(path: Path) -> list[str]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8") as file:
        return file.readline().rstrip("\n").split(",")


def _write(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    write_whole(path, (",".join(columns) + "\n" + _lines(columns, rows)).encode())


def _lines(columns: Sequence[str], rows: Sequence[Row]) -> str:
    text = io.StringIO()
    csv.DictWriter(text, columns, restval="", lineterminator="\n").writerows(rows)
    return text.getvalue()
