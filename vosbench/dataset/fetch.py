"""Fetch a dataset: its licence first, then each file from the first mirror that answers, checked and unpacked."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from vosbench.dataset.dataset import Dataset, Download
from vosbench.errors import DataError, UsageError

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
        folder: where to; archives are unpacked beside the files they came as.
        accepted: whether the user has accepted the licence.
        offline: refuse to open any connection.
        advance: called with a file's name, the bytes that are there, and their total (0 where not known).

    Returns:
        the files.

    Raises:
        UsageError: offline, or without the licence accepted.
        DataError: where the dataset cannot be downloaded by a program, or no mirror gives a sound file.
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
            problems.append(f"{url}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
            continue
        if download.unpack:
            _unpack(path)
        return path
    raise DataError(f'"{download.name}" could not be fetched from any mirror ({"; ".join(problems)})')


class _Resuming:
    """A downloader for pooch that goes on with what an interrupted download has left."""

    def __init__(self, advance: Advance, name: str) -> None:
        self._advance = advance
        self._name = name

    def __call__(self, url: str, output_file: str, _pooch: object) -> None:
        """Download a URL to a file; the part that is there is kept beside it until it is whole."""
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
    """Unpack an archive beside itself, refusing entries that escape."""
    try:
        if path.suffix == ".zip":
            import zipfile

            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    target = (path.parent / name).resolve()
                    if not target.is_relative_to(path.parent.resolve()):
                        raise DataError(f'"{path}" holds the entry "{name}", which escapes from it; it is not unpacked')
                archive.extractall(path.parent)
        else:
            import tarfile

            with tarfile.open(path) as archive:
                archive.extractall(path.parent, filter="data")
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise DataError(f'"{path}" cannot be unpacked: {error}') from None
