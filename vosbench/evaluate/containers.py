"""Folders and archives of masks: which files they contain, and reading one.

Conventions:
    Names are paths below the folder or archive, with ``/`` between parts and without ``.`` and ``..``. Other spellings
    are the same file; names that lead outside are refused. Hidden files and folders are not looked at. Links in folders
    are followed, and a folder that is reached again is not entered again.
    Zip files are read without unpacking them. Other archives are unpacked into a temporary folder, masks alone.
"""

import os
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from vosbench.errors import DataError, VosbenchError, extras_needed, one_line
from vosbench.files import hidden
from vosbench.images.archives import MOST, PIECE, SEVEN, ZIP, Pieces, decompressed, inner_path, unzipped
from vosbench.images.opening import check_file

IMAGES = (".png", ".bmp", ".tif", ".tiff", ".pgm", ".ppm", ".pbm", ".pnm", ".jpg", ".jpeg")
"""Suffixes of masks; if a video has files of several, only the first kind counts."""
STACKS = (".npy", ".npz", ".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v")
"""Suffixes of files with all masks of a video."""
RUNS = (".json",)
LARGEST = dict.fromkeys(IMAGES, 2**26) | dict.fromkeys(STACKS, 2**34) | dict.fromkeys(RUNS, 2**27)
"""The largest file of each kind in an archive, in bytes."""
MOST_OPEN = 16
"""Zip files that stay open, of submissions that are scored together."""
SUFFIX = re.compile(
    r"\.(zip|7z|t(gz|bz2?|xz|zst)|tar(\.(gz|bz2|xz|zst))?|npy|npz|json|mp4|avi|mov|mkv|webm|m4v)$", re.IGNORECASE
)
"""What a file of masks is named after its name."""
KINDS = "a folder, or a .zip, .tar, .tar.gz, .tar.zst, .7z, .npy, .npz, .json or video file"


class Container(Protocol):
    """A folder or archive of masks, open for reading."""

    def names(self) -> Mapping[PurePosixPath, str]:
        """Normalised path → the name to read it by, of every file whose suffix is that of masks."""

    def read(self, name: str) -> Path | bytes:
        """The path of a file in a folder, or the bytes of an entry of an archive."""

    def file(self, name: str, scratch: Path) -> Path:
        """A file with the contents, if need be unpacked below a folder for temporary files."""


@contextmanager
def opened(place: Path, origin: Path) -> Iterator[Container]:
    """Open a folder, a zip file, or a file with all masks of a video.

    Args:
        place: the folder or zip file.
        origin: its name in errors.

    Raises:
        DataError: if it is neither.
    """
    if place.is_dir():
        yield Folder(place, origin)
        return
    if place.suffix.lower() in (*STACKS, *RUNS) and place.suffix.lower() != ".npz":
        yield Folder(place.parent, origin, only=place.name)
        return
    check_file(place, str(origin), most=MOST)
    status = place.stat()
    yield _zip(place, origin, status.st_mtime_ns, status.st_size, os.getpid())


@lru_cache(maxsize=MOST_OPEN)
def _zip(place: Path, origin: Path, modified: int, size: int, process: int) -> "Zip":
    """Keep zip files open, since reading a list of entries takes longer than scoring a frame."""
    del modified, size, process  # another file, or another process, which must not share its position
    return Zip(place, origin)


def unpacked(origin: Path, scratch: Path) -> Path:
    """The folder or zip file in which to look for masks: the origin, or what it was unpacked to.

    Args:
        origin: what the user named.
        scratch: an empty folder for what is unpacked.

    Raises:
        DataError: if it does not exist, or is neither a folder nor an archive.
        UsageError: if its kind needs a package that is not installed.
    """
    if origin.is_dir():
        return origin
    if not origin.exists():
        raise DataError(f'the predictions "{origin}" do not exist; pass {KINDS}')
    check_file(origin, str(origin), most=MOST)
    suffix = origin.suffix.lower()
    with origin.open("rb") as file:
        start = file.read(8)
    if suffix in (*STACKS, *RUNS) or start.startswith(ZIP):
        return origin
    folder = scratch / "unpacked"
    folder.mkdir(parents=True)
    try:
        if start.startswith(SEVEN):
            _unpack_seven(origin, folder)
        else:
            _unpack_tar(origin, folder, start)
    except VosbenchError:
        raise
    except Exception as error:  # each archive and compression raises errors of its own
        raise DataError(f'"{origin}" is damaged, or not an archive that is read here; pass {KINDS}') from error
    return folder


def name_of(origin: Path) -> str:
    """The name of a folder, or of a file without the suffix of an archive, of arrays or of a video.

    >>> name_of(Path("results/f2net.tar.gz")), name_of(Path("f2net.v2.zip")), name_of(Path("model.v1"))
    ('f2net', 'f2net.v2', 'model.v1')
    """
    return whole_name(origin) if origin.is_dir() else SUFFIX.sub("", whole_name(origin))


def whole_name(origin: Path) -> str:
    """The name of a folder or file, also if its path ends in ``.`` or ``..``; of a link, its own."""
    return os.path.basename(os.path.abspath(origin))  # noqa: PTH100, PTH119


def wanted(path: PurePosixPath) -> bool:
    """Whether a file may contain masks: its suffix is known, and no part of its path is hidden."""
    return path.suffix.lower() in LARGEST and not any(hidden(part) for part in path.parts)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of masks, or one file with the masks of a video, as if alone in its folder."""

    place: Path
    origin: Path
    only: str = ""

    def names(self) -> Mapping[PurePosixPath, str]:
        """See `Container`."""
        if self.only:
            return {PurePosixPath(self.only): self.only}
        found: dict[PurePosixPath, str] = {}
        entered: set[tuple[int, int]] = set()
        for folder, folders, files in os.walk(self.place, followlinks=True, onerror=self._refuse):
            status = Path(folder).stat()
            if (status.st_dev, status.st_ino) in entered:
                folders.clear()
                continue
            entered.add((status.st_dev, status.st_ino))
            folders[:] = sorted(name for name in folders if not hidden(name))
            for name in sorted(files):
                path = PurePosixPath(Path(folder, name).relative_to(self.place).as_posix())
                if wanted(path):
                    found[path] = str(path)
        return found

    def _refuse(self, error: OSError) -> None:
        raise DataError(f'the folder "{error.filename}" cannot be read: {error.strerror}')

    def read(self, name: str) -> Path | bytes:
        """See `Container`."""
        return self.place / name

    def file(self, name: str, scratch: Path) -> Path:
        """See `Container`."""
        del scratch
        path = self.place / name
        check_file(path, str(path), most=LARGEST[path.suffix.lower()])
        return path


class Zip:
    """A zip file of masks, read without unpacking it."""

    def __init__(self, place: Path, origin: Path) -> None:
        """Read the list of entries.

        Raises:
            DataError: if it is not a zip file.
        """
        self.origin = origin
        try:
            self._zip = zipfile.ZipFile(place)
        except Exception as error:  # noqa: BLE001 - besides BadZipFile: names that cannot be decoded, short fields
            raise DataError(f'"{origin}" is neither a folder nor a valid zip file: {one_line(error)}') from None

    def names(self) -> Mapping[PurePosixPath, str]:
        """See `Container`."""
        found: dict[PurePosixPath, str] = {}
        for entry in self._zip.infolist():
            if entry.filename.endswith(("/", "\\")):
                continue
            path = inner_path(entry.orig_filename, self.origin)
            if not wanted(path):
                continue
            if path in found:
                raise DataError(f'"{self.origin}" contains "{path}" twice; pack it again')
            found[path] = entry.filename
        return found

    def read(self, name: str) -> bytes:
        """See `Container`.

        Raises:
            DataError: if the entry is damaged, encrypted, compressed by an unknown method, or too large.
        """
        with self._open(name) as entry:
            return entry.read()

    def file(self, name: str, scratch: Path) -> Path:
        """See `Container`; raises what `read` does."""
        path = scratch / f"entry{PurePosixPath(name).suffix.lower()}"
        with self._open(name) as entry, path.open("wb") as file:
            shutil.copyfileobj(entry, file, PIECE)
        return path

    @contextmanager
    def _open(self, name: str) -> Iterator[IO[bytes]]:
        most = LARGEST.get(PurePosixPath(name).suffix.lower(), 0)
        with unzipped(self._zip, self._zip.getinfo(name), f"{self.origin}:{name}", most) as file:
            yield file


class _Unpacking:
    """Files that are being unpacked: their names are safe, their number of bytes is bounded."""

    def __init__(self, origin: Path, folder: Path) -> None:
        self._origin, self._folder, self._left = origin, folder, MOST
        self.files: dict[PurePosixPath, Path] = {}

    def target(self, name: str, size: int) -> Path | None:
        """Where to write an entry; None if it is not a mask.

        Raises:
            DataError: if it leads outside, occurs twice, or is too large.
        """
        path = inner_path(name, self._origin)
        if not wanted(path):
            return None
        most = min(LARGEST[path.suffix.lower()], self._left, shutil.disk_usage(self._folder).free)
        if size > most:
            raise DataError(f'"{self._origin}:{path}" unpacks to {size:,} bytes; more than {most:,} are not read')
        if path in self.files:
            raise DataError(f'"{self._origin}" contains "{path}" twice; pack it again')
        self._left -= size
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        self.files[path] = target
        return target


def _unpack_tar(origin: Path, folder: Path, start: bytes) -> None:
    import tarfile

    with decompressed(origin, start) as whole, tarfile.open(fileobj=Pieces(whole), mode="r:") as archive:
        unpacking = _Unpacking(origin, folder)
        links: list[tuple[PurePosixPath, PurePosixPath]] = []
        for entry in archive:
            path = PurePosixPath(entry.name)
            if entry.issym() or entry.islnk():
                at = str(path.parent / entry.linkname) if entry.issym() else entry.linkname
                if wanted(inner_path(entry.name, origin)):
                    links.append((inner_path(entry.name, origin), inner_path(at, origin)))
            elif entry.isfile() and (target := unpacking.target(entry.name, entry.size)) is not None:
                stream = archive.extractfile(entry)
                assert stream is not None
                with target.open("wb") as file:
                    shutil.copyfileobj(stream, file, PIECE)
        for link, source in links:
            copied = unpacking.files.get(source)
            if copied is None:
                raise DataError(f'"{origin}:{link}" is a link to "{source}", which is not a mask in it')
            target = unpacking.target(str(link), copied.stat().st_size)
            if target is not None:
                shutil.copyfile(copied, target)


def _unpack_seven(origin: Path, folder: Path) -> None:
    with extras_needed():
        import py7zr
    with py7zr.SevenZipFile(origin, "r") as archive:
        if archive.needs_password():
            raise DataError(f'"{origin}" is encrypted; pack it again without a password')
        unpacking = _Unpacking(origin, folder)
        entries = [entry for entry in archive.list() if not entry.is_directory]
        kept = [entry.filename for entry in entries if unpacking.target(entry.filename, entry.uncompressed)]
        if kept:
            archive.extract(folder, targets=kept)
