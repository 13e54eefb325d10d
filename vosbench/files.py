"""Writing files atomically, hashing them, and which files are looked at."""

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


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under a temporary name of its own, then rename it; nothing is left if that fails.

    Raises:
        OSError: if it cannot be written; it names the path.
    """
    with being_written(path) as part:
        part.write_bytes(data)


@contextmanager
def being_written(path: Path) -> Iterator[Path]:
    """A temporary name for a file, which gets its own name at the end of the block, unless that fails.

    Raises:
        OSError: if it cannot be written; it names the path.
    """
    # Other processes and threads may write the same file. The digest leaves room if names are as long as they may be.
    owner = f"{hashlib.sha256(socket.gethostname().encode()).hexdigest()[:6]}-{os.getpid()}-{next(_parts)}"
    part = path.with_name(f".{hashlib.sha256(path.name.encode()).hexdigest()[:12]}.{owner}{PART}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(path)
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from error
    finally:
        part.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove what killed processes left half-written in a folder that nobody else writes to, and its subfolders."""
    for left in (*folder.glob(f".*{PART}"), *folder.glob(f"*/.*{PART}")):
        left.unlink(missing_ok=True)
