"""Download a dataset once its licence is accepted: each file from the first working mirror, checked and unpacked."""

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
        dataset: the dataset.
        folder: the target folder; archives are unpacked in it.
        accepted: whether the user has accepted the licence.
        offline: refuse to connect.
        advance: called with a file's name, the bytes so far and the total (0 if unknown).

    Returns:
        the downloaded files.

    Raises:
        UsageError: if offline, or if the licence was not accepted.
        DataError: if the dataset has no downloads, no mirror delivers an intact file, or an archive is damaged or
            unsafe; nothing of such an archive is unpacked.
    """
    if offline:
        raise UsageError(f"cannot download {dataset.title}: --offline allows no connection")
    if not dataset.downloads:
        raise DataError(f"{dataset.title} cannot be downloaded automatically. {dataset.steps}".strip())
    if not accepted:
        raise UsageError(f"{dataset.title} has this licence: {dataset.licence} Accept it with --accept-licence")
    return [_fetch_one(download, folder, advance) for download in dataset.downloads]


def _fetch_one(download: Download, folder: Path, advance: Advance) -> Path:
    import pooch

    pooch.get_logger().setLevel("WARNING")  # we show our own progress
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
        except Exception as error:  # noqa: BLE001 - whatever fails, the next mirror may work
            problems.append(f"{url}: {one_line(error)}")
            continue
        if download.unpack:
            _unpack(path)
        return path
    raise DataError(f'"{download.name}" could not be fetched from any mirror ({"; ".join(problems)})')


class _Resuming:
    """A pooch downloader that resumes interrupted downloads."""

    def __init__(self, advance: Advance, name: str) -> None:
        self._advance = advance
        self._name = name

    def __call__(self, url: str, output_file: str, _pooch: object) -> None:
        """Download a URL; an incomplete file is kept next to the target, so that it can be resumed."""
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
    """Unpack an archive into its folder: check it, unpack it to a temporary folder, then move the files into place."""
    part = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        if path.suffix.lower() == ".zip":
            _check_zip(path)
            shutil.unpack_archive(path, part, "zip")
        else:
            _check_tar(path)
            shutil.unpack_archive(path, part, "tar", filter="data")  # any compression
        _move(part, path.parent)
    except DataError:
        raise
    except Exception as error:  # each compression raises errors of its own
        said = one_line(error).partition(": - method ")[0]
        raise DataError(f'"{path}" cannot be unpacked: {said}; delete it and fetch it again') from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _check_zip(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    _check_names(path, [entry.filename for entry in entries])
    for entry in entries:
        if stat.S_ISLNK(entry.external_attr >> 16):  # shutil would write a file that contains the target's name
            raise DataError(f'"{path}" contains the link "{entry.filename}"; it is not unpacked')


def _check_tar(path: Path) -> None:
    """Read a tar file to its end: `tarfile` takes one that is cut off between two files for complete."""
    with tarfile.open(path) as archive:
        _check_names(path, archive.getnames())
        assert archive.fileobj is not None
        archive.fileobj.seek(archive.offset)
        if archive.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise DataError(f'"{path}" cannot be unpacked: its end is missing; delete it and fetch it again')
        while archive.fileobj.read(CHUNK):  # the compression's checksum comes last
            pass


def _check_names(path: Path, names: Sequence[str]) -> None:
    if not names:
        raise DataError(f'"{path}" contains no files')
    for name in names:
        parts = PureWindowsPath(name)  # understands drives and both slashes
        if parts.anchor or ".." in parts.parts:
            raise DataError(f'"{path}" contains the entry "{name}", outside its folder; it is not unpacked')


def _move(source: Path, target: Path) -> None:
    """Move a file or folder; merge a folder into an existing one."""
    if source.is_dir() and not source.is_symlink() and target.is_dir():
        for entry in source.iterdir():
            _move(entry, target / entry.name)
    else:
        source.replace(target)
