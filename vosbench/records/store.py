"""Find, read and write the records below a results folder."""

from collections.abc import Callable, Sequence
from pathlib import Path

from vosbench.errors import DataError, UsageError
from vosbench.files import hidden
from vosbench.records import index
from vosbench.records import record as records
from vosbench.records.naming import check_name, twin
from vosbench.records.record import Record, Row, signature

Warn = Callable[[str], None]
CONTRIBUTIONS = "contributions"
"""Folder below the results that has a folder of results for each contribution; see `vosbench.face.contributions`."""


def find_records(
    folder: Path,
    dataset: str = "*",
    protocol: str | None = None,
    split: str | None = None,
    *,
    heads: bool = False,
    warn: Warn = lambda _: None,
) -> list[Record]:
    """Read the records of a dataset, or of all, below a results folder.

    Records in a folder that is not named after their dataset, such as baselines, are left out. Those of contributions
    are found, too.

    Args:
        folder: the results folder.
        dataset: name of the dataset; ``"*"`` for all.
        protocol: name of the protocol; any if None.
        split: the dataset's split; any if None.
        heads: without the values of videos and without curves, which takes an index if there are many; see
            `vosbench.records.index`.
        warn: called with a line for each file that cannot be read as a record.

    Returns:
        the records sorted by dataset, then those of the dataset's defaults, then by file name.
    """
    found = []
    for place in dataset_folders(folder):
        if dataset in {"*", place.name}:
            of_place = [each for each in read_all(place, warn, heads=heads) if each.dataset == place.name]
            found += sorted(of_place, key=lambda each: bool(each.apart))
    return [
        each
        for each in found
        if (protocol is None or each.protocol.partition("@")[0] == protocol) and (split is None or each.split == split)
    ]


def dataset_folders(folder: Path) -> list[Path]:
    """The folders below a results folder that may hold records, sorted by name, and those of its contributions.

    Raises:
        DataError: if a folder cannot be read.
    """
    contributed = [place for each in _below(folder / CONTRIBUTIONS) if each.is_dir() for place in _below(each)]
    places = [place for place in _below(folder) if place.name != CONTRIBUTIONS]
    return sorted((each for each in (*places, *contributed) if each.is_dir()), key=lambda each: each.name)


def read_all(folder: Path, warn: Warn, *, heads: bool = False) -> list[Record]:
    """Read all records in a folder, or their heads, by file name; a file that is not a record becomes a warning."""
    paths = [path for path in _below(folder) if path.suffix == ".json"]
    if heads:
        return index.heads(folder, paths, warn)
    found = []
    for path in paths:
        try:
            found.append(records.read(path))
        except DataError as error:
            warn(f"{error}; it is left out")
    return found


def read_records(
    folder: Path,
    dataset: str,
    protocol: str | None = None,
    split: str | None = None,
    *,
    heads: bool = False,
    warn: Warn = lambda _: None,
) -> list[Record]:
    """Read the records of a dataset below a results folder; as `find_records`.

    Raises:
        DataError: if there are none.
    """
    chosen = find_records(folder, dataset, protocol, split, heads=heads, warn=warn)
    if not chosen:
        raise DataError(
            f'"{folder / dataset}" holds no such record; make some with vosbench run, or vosbench score --out'
        )
    return chosen


def _below(folder: Path) -> list[Path]:
    """What is in a folder, sorted by name; nothing if it does not exist.

    Raises:
        DataError: if it cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if not hidden(path.name))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DataError(f'the folder "{folder}" cannot be read: {error.strerror}') from None


def save(folder: Path, record: Record, rows: Sequence[Row], *, overwrite: bool = False) -> Path:
    """Write a record below a results folder, unless another one would be lost.

    Args:
        folder: the results folder.
        record: the record.
        rows: its values, written next to it.
        overwrite: replace a record of other predictions.

    Returns:
        the path of the record.

    Raises:
        UsageError: if its name cannot name a file, or the file holds the scores of other predictions.
    """
    path = path_of(folder, record)
    if not overwrite and path.exists():
        problem = _lost(path, record)
        if problem:
            raise UsageError(f'"{path}" {problem}; pass --overwrite to replace it, or another --name or --out')
    records.write(path, record, rows)
    return path


def path_of(folder: Path, record: Record) -> Path:
    """The path of a record below a results folder.

    Raises:
        UsageError: if its name cannot name a file, or differs from that of another file only in ways that some file
            systems do not see.
    """
    check_name(record.method)
    place = folder / check_name(record.dataset, "dataset")
    name = f"{record.name}.json"
    other = twin(name, [path.name for path in _below(place)])
    if other is not None:
        raise UsageError(
            f'"{place / name}" and "{other}" are one file on some file systems; pass another --name, or rename that one'
        )
    return place / name


def _lost(path: Path, new: Record) -> str:
    """What would be lost if a record were written to a path; empty if nothing would be."""
    try:
        old = records.read(path)
    except DataError:
        return "is not a record that can be read"
    if old.method != new.method or signature(old) != signature(new):
        return f'is the record of "{old.name}" under {signature(old) or old.protocol}'
    if old.provenance.annotations != new.provenance.annotations and [*old.videos] == [*new.videos]:
        return f"holds scores against other annotations ({old.provenance.annotations[:12]}…, {old.provenance.date})"
    if old.provenance.masks == new.provenance.masks or _resumed(old, new):
        return ""
    return f'holds the scores of other predictions ("{old.provenance.predictions}", {old.provenance.date})'


def _resumed(old: Record, new: Record) -> bool:
    """Whether an incomplete record, or one without a hash of its predictions, agrees with a new one on its videos."""
    if old.provenance.masks and not old.missing:
        return False
    complete = [name for name in old.videos if name not in old.incomplete]
    return all(new.videos.get(name) == old.videos[name] for name in complete)
