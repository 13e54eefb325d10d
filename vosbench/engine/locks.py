"""One process per folder, and temporary folders that do not outlive their process for long.

Conventions:
    A lock is a file in the folder that names its holder, locked by the operating system, which releases it when the
    process ends, however it ends. So a lock that can be acquired is stale, whatever it contains.
    On file systems without locks, nothing is locked.
"""

import contextlib
import errno
import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vosbench.errors import DataError

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be removed
    fcntl = None

LOCK = ".lock"
PREFIX = "vosbench-"
RETRIES = 10
HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EPERM)


class InUseError(DataError):
    """Another process holds a folder.

    Attributes:
        holder: the process, in words.
    """

    def __init__(self, folder: Path, holder: str) -> None:
        super().__init__(f'"{folder}" is in use by {holder}; wait for it, or choose another folder')
        self.holder = holder


@contextmanager
def locked(folder: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold a folder, which is made if it does not exist.

    Args:
        folder: the folder.
        shared: hold it together with others that share it, but with nobody who does not.

    Raises:
        InUseError: if another process holds it; the message names the process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    if shared and fcntl is None:
        yield
        return
    descriptor = _acquire(path, shared=shared)
    for _ in range(RETRIES if shared else 0):
        if descriptor is not None:
            break
        time.sleep(0.05)  # who leaves last has it alone for a moment
        descriptor = _acquire(path, shared=True)
    if descriptor is None:
        raise InUseError(folder, _holder(path))
    try:
        holder = {"host": socket.gethostname(), "pid": os.getpid(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps(holder).encode())
        yield
    finally:
        if fcntl is not None and (not shared or _is_last(descriptor)):  # held, so that nobody else's is removed
            path.unlink(missing_ok=True)
        os.close(descriptor)
        if fcntl is None:
            path.unlink(missing_ok=True)


def _is_last(descriptor: int) -> bool:
    """Whether nobody else shares a lock, which is then no longer shared."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _acquire(path: Path, *, shared: bool = False) -> int | None:
    """Open and lock a file; None if it is held."""
    while True:
        if fcntl is None:
            with contextlib.suppress(PermissionError):
                path.unlink(missing_ok=True)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | (os.O_EXCL if fcntl is None else 0), 0o644)
        except FileExistsError:
            return None
        if fcntl is None:
            return descriptor
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in HELD:
                os.close(descriptor)
                return None
        with contextlib.suppress(FileNotFoundError):
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        os.close(descriptor)  # its holder removed it meanwhile


def _holder(path: Path) -> str:
    for _ in range(20):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            found = json.loads(path.read_text("utf-8"))
            return f"process {found['pid']} on {found['host']} since {found['since']}"
        time.sleep(0.05)  # it is just being written
    return "another process"


@contextmanager
def scratch(purpose: str) -> Iterator[Path]:
    """A temporary folder; those of the same purpose whose processes were killed are removed.

    Args:
        purpose: a word for its name.
    """
    prefix = f"{PREFIX}{purpose}-"
    for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        _remove_left(left)
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        with locked(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_left(folder: Path) -> None:
    path = folder / LOCK
    try:
        if not path.is_file() or path.stat().st_size == 0:  # not ours, or just being made: it names nobody yet
            return
        descriptor = _acquire(path)
    except OSError:  # of another user
        return
    if descriptor is not None:
        os.close(descriptor)
        shutil.rmtree(folder, ignore_errors=True)
