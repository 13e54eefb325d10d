"""The log of a training: a CSV file with a row per step, to which columns can be added later; and TensorBoard's."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vosbench.errors import extras_needed
from vosbench.files import write_whole

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

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


class Events:
    """The same log for TensorBoard, as event files; a resumed training hides the steps that it repeats.

    Files are made with the first row, so that a training that cannot begin leaves none.

    Args:
        folder: of the files.
        step: the last step that is kept of an earlier run.

    Raises:
        UsageError: if TensorBoard is not installed.
    """

    def __init__(self, folder: Path, step: int) -> None:
        with extras_needed():
            import tensorboard  # noqa: F401 - torch's message does not say what to install
        self._folder = folder
        self._purged = step + 1
        self._writer: SummaryWriter | None = None

    def add(self, values: Mapping[str, float]) -> None:
        """Add the row of a step."""
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self._folder), purge_step=self._purged)
        for name, value in values.items():
            if name != "step":
                self._writer.add_scalar(name.replace(" ", "/"), value, int(values["step"]))

    def close(self) -> None:
        """Write what is waiting."""
        if self._writer is not None:
            self._writer.close()


def clear_events(folder: Path) -> None:
    """Remove the event files of another training."""
    for path in folder.glob("events.out.tfevents.*"):
        path.unlink()


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
