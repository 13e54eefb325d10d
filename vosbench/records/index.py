"""An index of a folder with many records, kept in the user's cache, so that listing them does not read every file.

Conventions:
    A head is a record without the values of its videos and without curves: what tables of means show. The index of a
    folder has the head of each file under the file's name, with the file's size, times and number. An entry of a file
    that differs in any of them is read again, so that a changed, replaced or copied file is never shown as it was;
    times are compared for equality only. A file that was written moments ago is not kept, since another write within
    a clock's tick would leave no trace. An index that is damaged or of another version counts as absent.
"""

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from vosbench import __version__
from vosbench.errors import DataError
from vosbench.files import NO_CACHE, cache_folder, write_whole
from vosbench.records import record as records
from vosbench.records.record import Record

FEWEST = 200
"""Records in a folder that has an index; fewer are read as fast."""
MOST = 64
"""Indexes that are kept."""
SETTLED = 2.0
"""Seconds after which a file is taken to be written."""
MAGIC = f"vosbench records 1 {__version__}\n".encode()


class Stamp(NamedTuple):
    """What changes with a file: its size in bytes, when it was written and renamed (ns), and its number."""

    size: int
    written: int
    changed: int
    number: int

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        """The stamp of a file.

        Raises:
            OSError: if it cannot be looked at.
        """
        found = path.stat()
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)

    @property
    def settled(self) -> bool:
        """Whether the file was written some time ago, by the clock of now."""
        return abs(time.time() - max(self.written, self.changed) / 1e9) > SETTLED


Index = dict[str, tuple[Stamp, Record]]
_INDEX = TypeAdapter(Index)


def folder() -> Path:
    """The folder of the indexes, which need not exist."""
    return cache_folder() / "records"


def head(record: Record) -> Record:
    """A record without the values of its videos and without curves; the names of its videos stay."""
    return record.model_copy(update={"videos": {video: {} for video in record.videos}, "curves": None})


def heads(place: Path, paths: list[Path], warn: Callable[[str], None]) -> list[Record]:
    """The heads of the records in a folder, in the order of their paths.

    Args:
        place: the folder.
        paths: its ``.json`` files.
        warn: called with a line for each file that cannot be read as a record.
    """
    kept = None if len(paths) < FEWEST or os.environ.get(NO_CACHE) else _path(place)
    old, new, found = _load(kept), Index(), []
    for path in paths:
        try:
            stamp = Stamp.of(path) if kept is not None else None
            entry = old.get(path.name)
            known = entry[1] if entry is not None and entry[0] == stamp else head(records.read(path))
        except (DataError, OSError) as error:
            warn(f"{error if isinstance(error, DataError) else f'{path} cannot be read'}; it is left out")
            continue
        found.append(known)
        if stamp is not None and stamp.settled:
            new[path.name] = stamp, known
    if kept is not None and _stamps(new) != _stamps(old):
        _save(kept, new)
    return found


def clear() -> int:
    """Remove all indexes and return the number of bytes that they had."""
    removed = 0
    for path in folder().glob("*.index"):
        removed += path.stat().st_size
        path.unlink(missing_ok=True)
    return removed


def _stamps(index: Index) -> dict[str, Stamp]:
    return {name: stamp for name, (stamp, _) in index.items()}


def _path(place: Path) -> Path:
    return folder() / f"{hashlib.sha256(os.fsencode(place.resolve())).hexdigest()[:32]}.index"


def _load(path: Path | None) -> Index:
    try:
        data = b"" if path is None else path.read_bytes()
        return _INDEX.validate_json(data[len(MAGIC) :]) if data.startswith(MAGIC) else {}
    except (OSError, ValidationError):
        return {}


def _save(path: Path, index: Index) -> None:
    """Write an index, and remove the oldest if there are many; nothing, if the cache cannot be written."""
    try:
        write_whole(path, MAGIC + _INDEX.dump_json(index, by_alias=True))
        others = sorted((each for each in path.parent.glob("*.index") if each != path), key=lambda p: p.stat().st_mtime)
        for oldest in others[: max(0, len(others) - MOST + 1)]:
            oldest.unlink(missing_ok=True)
    except OSError:
        pass
