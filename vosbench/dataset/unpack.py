"""Unpack an archive that was downloaded: all of it, or nothing."""

import errno
import os
import posixpath
import shutil
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import IO

from vosbench.errors import DataError, VosbenchError, one_line
from vosbench.images.archives import FILE_SYSTEM, MOST, PIECE, START, ZIP, Pieces, decompressed, inner_path, unzipped

MOST_ENTRIES = 2**22
SMALL, FACTOR = 2**30, 200
"""More bytes than this, from an archive this many times smaller, are a bomb: pictures are compressed already."""


def unpack(archive: Path, folder: Path, origin: Path) -> None:
    """Unpack a zip file, or a tar file of any compression, into an empty folder.

    Args:
        archive: the file; its kind is known by its contents.
        folder: the folder, which the caller discards on errors.
        origin: its name in errors.

    Raises:
        DataError: if it is damaged, incomplete or empty; if an entry is a link or a device, or leads outside; if it
            unpacks to far too much.
        OSError: if the file system refuses, such as one that is full.
    """
    with archive.open("rb") as file:
        start = file.read(START)
    unpacking = _Unpacking(archive, folder, origin)
    try:
        if start.startswith(ZIP):
            _unpack_zip(archive, unpacking)
        else:
            _unpack_tar(archive, start, unpacking)
    except VosbenchError:
        raise
    except Exception as error:  # each compression raises errors of its own
        if isinstance(error, OSError) and error.errno in FILE_SYSTEM:
            raise
        said = one_line(error).partition(": - method ")[0]
        raise DataError(f'"{origin}" cannot be unpacked: {said}') from error
    if not unpacking.files:
        raise DataError(f'"{origin}" contains no files')


class _Unpacking:
    """Entries that are being unpacked: their names are safe, their number and their bytes bounded."""

    def __init__(self, archive: Path, folder: Path, origin: Path) -> None:
        self.origin, self.files = origin, 0
        self._folder = folder
        self._entries, self._bytes = 0, 0
        self._most = min(MOST, max(SMALL, FACTOR * archive.stat().st_size))
        self._free = shutil.disk_usage(folder).free

    def make_folder(self, name: str) -> None:
        """Make a folder."""
        self._count(0)
        if posixpath.normpath(name.replace("\\", "/")) != ".":
            (self._folder / inner_path(name, self.origin)).mkdir(parents=True, exist_ok=True)

    def write(self, name: str, size: int, content: IO[bytes]) -> None:
        """Write a file."""
        path = self._folder / inner_path(name, self.origin)
        self._count(size)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            shutil.copyfileobj(content, file, PIECE)
        self.files += 1

    def refuse(self, what: str, name: str) -> DataError:
        """The error of an entry that is neither a file nor a folder."""
        return DataError(f'"{self.origin}" contains the {what} "{name}"; it is not unpacked')

    def _count(self, size: int) -> None:
        self._entries += 1
        self._bytes += size
        if self._entries > MOST_ENTRIES or self._bytes > self._most:
            most = f"{self._most:,} bytes or {MOST_ENTRIES:,} files"
            raise DataError(f'"{self.origin}" unpacks to more than {most}; it is not unpacked')
        if self._bytes > self._free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._folder.parent))


def _unpack_zip(path: Path, unpacking: _Unpacking) -> None:
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            name = entry.orig_filename
            if stat.S_ISLNK(entry.external_attr >> 16):  # its contents would be written: the target's name
                raise unpacking.refuse("link", name)
            if name.endswith(("/", "\\")):
                unpacking.make_folder(name)
                continue
            with unzipped(archive, entry, f"{unpacking.origin}:{name}", MOST) as content:
                unpacking.write(name, entry.file_size, content)


def _unpack_tar(path: Path, start: bytes, unpacking: _Unpacking) -> None:
    with decompressed(path, start) as whole:
        watched = _Watched(whole)
        with tarfile.open(fileobj=watched, mode="r:") as archive:
            for entry in archive:
                if entry.isdir():
                    unpacking.make_folder(entry.name)
                elif entry.isfile():
                    content = archive.extractfile(entry)
                    assert content is not None
                    unpacking.write(entry.name, entry.size, content)
                else:
                    raise unpacking.refuse("link" if entry.issym() or entry.islnk() else "device", entry.name)
            if watched.last != bytes(tarfile.BLOCKSIZE):  # tarfile takes one that is cut off between files for complete
                raise DataError(f'"{unpacking.origin}" cannot be unpacked: its end is missing')
        for _ in range(SMALL // PIECE):  # the compression's checksum comes last
            if not whole.read(PIECE):
                return
    raise DataError(f'"{unpacking.origin}" cannot be unpacked: it does not end')


class _Watched(Pieces):
    """A tar file that remembers the last piece that was read."""

    last = b""

    def read(self, size: int = -1) -> bytes:
        """Read a piece."""
        self.last = super().read(size)
        return self.last


def move_into(source: Path, target: Path) -> None:
    """Move a file or folder; merge a folder into an existing one."""
    if source.is_dir() and target.is_dir():
        for entry in source.iterdir():
            move_into(entry, target / entry.name)
    else:
        source.replace(target)
