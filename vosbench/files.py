"""Writing files atomically, hashing them, and which files are looked at."""

import errno
import hashlib
import itertools
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

LEFTOVERS = {"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin", "@eadir"}
"""Names, in lower case, that operating systems leave in folders and archives."""


def hidden(name: str) -> bool:
    """Whether a file or folder is not looked at: it starts with a dot, or is a leftover of an operating system.

    >>> hidden(".ipynb_checkpoints"), hidden("__MACOSX"), hidden("Thumbs.db"), hidden("cows")
    (True, True, True, False)
    """
    return name.startswith(".") or name.lower() in LEFTOVERS


NO_CACHE = "VOSBENCH_NO_CACHE"
"""The environment variable that turns caches of decoded annotations and of records off, if it is not empty."""

OFFLINE = "VOSBENCH_OFFLINE"
"""The environment variable that allows no connection for weights, if it is not empty."""


def cache_folder() -> Path:
    """The folder of what can be made again: ``VOSBENCH_CACHE``, or the system's usual place."""
    if path := os.environ.get("VOSBENCH_CACHE"):
        return Path(path)
    import platformdirs

    return Path(platformdirs.user_cache_dir("vosbench", appauthor=False))


def sha256(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def combined(digests: Iterable[str]) -> str:
    """SHA-256 of several digests, in order."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def content(path: Path) -> str:
    """SHA-256 of what is in a file, or of the names and contents of the files in a folder, hidden ones left out.

    Links are followed, but no folder is entered twice.
    """
    if not path.is_dir():
        return sha256(path)
    found: dict[str, Path] = {}
    entered: set[tuple[int, int]] = set()
    for place, folders, files in os.walk(path, followlinks=True):
        status = Path(place).stat()
        if (status.st_dev, status.st_ino) in entered:
            folders.clear()
            continue
        entered.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not hidden(name))
        paths = [Path(place, name) for name in files if not hidden(name)]
        found |= {file.relative_to(path).as_posix(): file for file in paths if file.is_file()}
    return combined(f"{name} {sha256(found[name])}" for name in sorted(found))


PART = ".part"
_parts = itertools.count()


def write_whole(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a file under a temporary name of its own, then rename it; nothing is left if that fails.

    Args:
        path: the file.
        data: what is in it.
        durable: see `being_written`.

    Raises:
        OSError: if it cannot be written; it names the path.
    """
    with being_written(path, durable=durable) as part:
        part.write_bytes(data)


def write_new(path: Path, data: bytes) -> bool:
    """Write a whole and durable file unless there is one, even if several processes do so at the same moment.

    Returns:
        whether it was written; otherwise there is one of somebody else.

    Raises:
        OSError: if it cannot be written; it names the path.
    """
    if path.exists():
        return False
    part = _part(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        _synchronise(part)
        try:
            path.hardlink_to(part)
        except FileExistsError:
            return False
        except OSError:  # a file system without links
            part.replace(path)
        _synchronise(path.parent)
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from error
    finally:
        part.unlink(missing_ok=True)
    return True


@contextmanager
def being_written(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """A temporary name for a file, which gets its own name at the end of the block, unless that fails.

    Args:
        path: the file.
        durable: have it on the disk before it gets its name, so that it is whole even after a loss of power. This takes
            milliseconds, and is not for what is checked when it is read, and made again.

    Raises:
        OSError: if it cannot be written; it names the path.
    """
    part = _part(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        if durable:
            _synchronise(part)
        part.replace(path)
        if durable:
            _synchronise(path.parent)
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from error
    finally:
        part.unlink(missing_ok=True)


def _part(path: Path) -> Path:
    """A name next to a path that no other process or thread uses."""
    # The digest leaves room if names are as long as they may be.
    owner = f"{hashlib.sha256(socket.gethostname().encode()).hexdigest()[:6]}-{os.getpid()}-{next(_parts)}"
    return path.with_name(f".{hashlib.sha256(path.name.encode()).hexdigest()[:12]}.{owner}{PART}")


def _synchronise(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    if path.is_dir() and os.name == "nt":  # where folders cannot be opened
        return
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP, errno.EROFS}:  # a file system that knows no such thing
            raise
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove what killed processes left half-written in a folder that nobody else writes to, and its subfolders."""
    for left in (*folder.glob(f".*{PART}"), *folder.glob(f"*/.*{PART}")):
        left.unlink(missing_ok=True)
