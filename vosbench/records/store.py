"""Find and read the records below a results folder."""

from pathlib import Path

from vosbench.errors import DataError
from vosbench.files import hidden
from vosbench.records import record
from vosbench.records.record import Record


def find_records(
    folder: Path, dataset: str = "*", protocol: str | None = None, split: str | None = None
) -> list[Record]:
    """Read the records of a dataset, or of all, below a results folder, sorted by dataset and file name.

    Records in a folder that is not named after their dataset, such as baselines, are left out.

    Raises:
        DataError: if a file is no record.
    """
    paths = [path for path in sorted(folder.glob(f"{dataset}/*.json")) if not hidden(path.name)]
    found = [(path.parent.name, record.read(path)) for path in paths if not hidden(path.parent.name)]
    return [
        each
        for place, each in found
        if place == each.dataset
        and (protocol is None or each.protocol.partition("@")[0] == protocol)
        and (split is None or each.split == split)
    ]


def read_records(folder: Path, dataset: str, protocol: str | None = None, split: str | None = None) -> list[Record]:
    """Read the records of a dataset below a results folder, sorted by file name.

    Raises:
        DataError: if there are none, or a file is no record.
    """
    chosen = find_records(folder, dataset, protocol, split)
    if not chosen:
        raise DataError(
            f'"{folder / dataset}" holds no such record; make some with vosbench run, or vosbench score --out'
        )
    return chosen
