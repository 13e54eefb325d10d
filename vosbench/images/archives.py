"""Archives that people bring or that were downloaded: names that stay inside, and reading that is bounded.

Conventions:
    Names are paths below the archive, with ``/`` between parts and without ``.`` and ``..``. Other spellings are the
    same file; names that lead outside are refused. An archive's kind is known by its first bytes, never by its name.
"""

import bz2
import errno
import io
import os
import posixpath
import re
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import IO, Any

from vosbench.errors import DataError, VosbenchError, extras_needed, one_line

FILE_SYSTEM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
"""Errors of the file system, which another copy of the archive would not mend."""
MOST = 2**36
"""Bytes that an archive may unpack to."""
PIECE = 1 << 20
LONGEST = 2**22  # bytes of a header in a tar file, and of pieces that are read
DRIVE = re.compile(r"^[A-Za-z]:")

ZIP, SEVEN, ZSTANDARD = b"PK", b"7z\xbc\xaf\x27\x1c", b"\x28\xb5\x2f\xfd"
COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\xfd7zXZ": "lzma",
    b"\x5d\0\0": "lzma",
    ZSTANDARD: "compression.zstd",  # from Python 3.14 on
}
"""The start of compressed files → the module that opens them."""
TAR, TAR_AT = b"ustar", 257
"""The mark of a tar file, and where it stands."""
START = TAR_AT + len(TAR)
"""Bytes that tell what a file is."""


def is_archive(start: bytes) -> bool:
    """Whether a file begins like an archive or a compressed file: a zip, 7z or tar file, or one of `COMPRESSED`.

    Args:
        start: its first `START` bytes.
    """
    return start.startswith((ZIP, SEVEN, *COMPRESSED)) or start[TAR_AT:START] == TAR


def inner_path(name: str, origin: Path) -> PurePosixPath:
    r"""The path of an entry inside its archive, in its usual spelling.

    Raises:
        DataError: if it leads outside, or is empty.

    >>> str(inner_path("./masks\\cow//../dog/00000.png", Path("a.zip")))
    'masks/dog/00000.png'
    """
    path = posixpath.normpath(name.replace("\\", "/")) if name.strip() else ""
    if path in {"", "."} or "\0" in path:
        raise DataError(f'"{origin}" contains an entry without a usable name ({name!r}); pack it again')
    if path.startswith(("/", "../")) or path == ".." or DRIVE.match(path):
        raise DataError(f'"{origin}" contains the entry "{name}", which escapes from it; it is not read')
    return PurePosixPath(path)


@contextmanager
def unzipped(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, most: int) -> Iterator[IO[bytes]]:
    """Open an entry of a zip file.

    Args:
        archive: the zip file.
        entry: the entry.
        name: its name in errors.
        most: the largest number of bytes that it may unpack to.

    Raises:
        DataError: if the entry is damaged, encrypted, compressed by an unknown method, or too large; errors of the
            block, such as those of reading, become one, too.
        OSError: if the file system refuses, such as one that is full.
    """
    if entry.file_size > most:
        raise DataError(f'"{name}" unpacks to {entry.file_size:,} bytes; more than {most:,} are not read')
    if entry.flag_bits & 1:
        raise DataError(f'"{name}" is encrypted; pack it again without a password')
    try:
        with archive.open(entry) as file:
            if entry.compress_type == zipfile.ZIP_BZIP2:
                vars(file)["_decompressor"] = _Bounded(entry.file_size)
            yield file
    except VosbenchError:
        raise
    except Exception as error:  # BadZipFile, zlib.error, LZMAError, NotImplementedError, …
        if isinstance(error, OSError) and error.errno in FILE_SYSTEM:
            raise
        raise DataError(f'"{name}" cannot be read from the zip: {one_line(error)}') from None


class _Bounded:
    """Bzip2 for zipfile, which would decompress all of a piece at once: gigabytes from a few hundred bytes."""

    def __init__(self, most: int) -> None:
        self._inner, self._left = bz2.BZ2Decompressor(), most

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was reached."""
        return self._inner.eof

    def decompress(self, data: bytes) -> bytes:
        """Decompress a piece."""
        found = self._inner.decompress(data, self._left + 1)
        if len(found) > self._left:
            raise zipfile.BadZipFile("it unpacks to more than it says")
        self._left -= len(found)
        return found


def decompressed(origin: Path, start: bytes) -> Any:  # noqa: ANN401 - files of five modules
    """Open a file that may be compressed.

    Args:
        origin: the file.
        start: its first bytes.

    Raises:
        UsageError: if it needs a package that is not installed.
    """
    if start.startswith(ZSTANDARD) and sys.version_info < (3, 14):
        with extras_needed():
            from backports import zstd
        return zstd.open(origin, "rb")
    module = next((each for magic, each in COMPRESSED.items() if start.startswith(magic)), "io")
    return import_module(module).open(origin, "rb")


class Pieces(io.RawIOBase):
    """A tar file that is read in pieces: tarfile reads headers whole, however long they claim to be."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """Read a piece."""
        if size > LONGEST:
            raise OSError(f"a header of {size:,} bytes")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The position."""
        return self._file.tell()
