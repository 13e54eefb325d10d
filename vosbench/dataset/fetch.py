"""Fetch a dataset: its licence first, then each file from the first mirror that answers, checked and unpacked."""

import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path, PureWindowsPath

from vosbench.dataset.dataset import Dataset, Download
from vosbench.errors import DataError, UsageError, one_line

CHUNK = 1 << 16
TIMEOUT = 30  # seconds without a byte
PARTIAL = 206
RANGE_NOT_SATISFIABLE = 416

Advance = Callable[[str, int, int], None]


def fetch(
    dataset: Dataset, folder: Path, *, accepted: bool, offline: bool = False, advance: Advance = lambda *_: None
) -> Sequence[Path]:
    """Download and unpack a dataset.

    Args:
        dataset: which.
        folder: where to; archives are unpacked next to themselves.
        accepted: whether the user has accepted the licence.
        offline: refuse to open any connection.
        advance: called with a file's name, the bytes so far, and their total (0 if unknown).

    Returns:
        the files.

    Raises:
        UsageError: if offline, or if the licence was not accepted.
        DataError: if the dataset cannot be downloaded by a program, no mirror gives a sound file, or an archive is
            damaged or unsafe, of which nothing is then unpacked.
    """
    if offline:
        raise UsageError(f"{dataset.title} is not fetched: --offline opens no connection")
    if not dataset.downloads:
        raise DataError(f"{dataset.title} cannot be fetched by a program. {dataset.steps}".strip())
    if not accepted:
        raise UsageError(f"{dataset.title} comes under this licence: {dataset.licence} Accept it with --accept-licence")
    return [_fetch_one(download, folder, advance) for download in dataset.downloads]


def _fetch_one(download: Download, folder: Path, advance: Advance) -> Path:
    import pooch

    pooch.get_logger().setLevel("WARNING")  # progress is ours to show
    path = folder / download.name
    problems = []
    for url in download.mirrors:
        try:
            pooch.retrieve(
                url,
                known_hash=download.checksum,
                fname=download.name,
                path=folder,
                downloader=_Resuming(advance, download.name),
            )
        except Exception as error:  # noqa: BLE001 - whatever one mirror does wrong, the next may do right
            problems.append(f"{url}: {one_line(error)}")
            continue
        if download.unpack:
            _unpack(path)
        return path
    raise DataError(f'"{download.name}" could not be fetched from any mirror ({"; ".join(problems)})')


class _Resuming:
    """A downloader for pooch that resumes an interrupted download."""

    def __init__(self, advance: Advance, name: str) -> None:
        self._advance = advance
        self._name = name

    def __call__(self, url: str, output_file: str, _pooch: object) -> None:
        """Download a URL to a file; what there is of it is kept next to it until it is complete."""
        import requests

        part = Path(output_file).with_name(f".{self._name}.part")
        done = part.stat().st_size if part.is_file() else 0
        headers = {"Range": f"bytes={done}-"} if done else {}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            if answer.status_code == RANGE_NOT_SATISFIABLE:  # nothing is left to send
                pass
            else:
                answer.raise_for_status()
                done = done if answer.status_code == PARTIAL else 0
                total = done + int(answer.headers.get("Content-Length", 0))
                with part.open("ab" if done else "wb") as file:
                    for chunk in answer.iter_content(CHUNK):
                        file.write(chunk)
                        done += len(chunk)
                        self._advance(self._name, done, total)
        shutil.move(part, output_file)


def _unpack(path: Path) -> None:
    """Unpack an archive next to itself: checked first, into a folder of its own, and moved into place once complete."""
    part = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        if path.suffix.lower() == ".zip":
            _check_zip(path)
            shutil.unpack_archive(path, part, "zip")
        else:
            _check_tar(path)
            shutil.unpack_archive(path, part, "tar", filter="data")  # of any compression
        _move(part, path.parent)
    except DataError:
        raise
    except Exception as error:  # an archive fails in many ways, and each of its compressions in ways of its own
        said = one_line(error).partition(": - method ")[0]
        raise DataError(f'"{path}" cannot be unpacked: {said}; delete it and fetch it again') from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _check_zip(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    _check_names(path, [entry.filename for entry in entries])
    for entry in entries:
        if stat.S_ISLNK(entry.external_attr >> 16):  # shutil would write a file with the target's name in it
            raise DataError(f'"{path}" contains the link "{entry.filename}"; it is not unpacked')


def _check_tar(path: Path) -> None:
    """Read a tar file to its end, which `tarfile` does not: it takes one that is cut between two files as complete."""
    with tarfile.open(path) as archive:
        _check_names(path, archive.getnames())
        assert archive.fileobj is not None
        archive.fileobj.seek(archive.offset)
        if archive.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise DataError(f'"{path}" cannot be unpacked: its end is missing; delete it and fetch it again')
        while archive.fileobj.read(CHUNK):  # the checksum comes last
            pass


def _check_names(path: Path, names: Sequence[str]) -> None:
    if not names:
        raise DataError(f'"{path}" contains no files')
    for name in names:
        parts = PureWindowsPath(name)  # knows drives, and either slash
        if parts.anchor or ".." in parts.parts:
            raise DataError(f'"{path}" contains the entry "{name}", which escapes from its folder; it is not unpacked')


def _move(source: Path, target: Path) -> None:
    """Move a file or folder; into a folder that is there already, what it contains."""
    if source.is_dir() and not source.is_symlink() and target.is_dir():
        for each in source.iterdir():
            _move(each, target / each.name)
    else:
        source.replace(target)
