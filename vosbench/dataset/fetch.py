"""Download a dataset once its licence is accepted: each file from the first working mirror, checked and unpacked.

Conventions:
    Connections are encrypted: an ``http:`` mirror is asked by ``https:``, and a redirection to ``http:`` is not
    followed; only this machine may answer unencrypted.
    What arrives is checked before it gets its name: by the size and the checksum if they are published, and by
    unpacking it. Whatever is not the file is discarded, and the next mirror is asked. The SHA-256 of a file without a
    published checksum is kept next to it, as ``<name>.sha256``; later downloads must equal it.
    ``.<name>.part`` is an interrupted download, which is resumed if the result can be checked.
"""

import hashlib
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from vosbench.dataset.dataset import Dataset, Download
from vosbench.dataset.unpack import move_into, unpack
from vosbench.engine.locks import locked
from vosbench.errors import DataError, UsageError, one_line
from vosbench.images.archives import COMPRESSED, MOST, START, ZIP, is_archive

if TYPE_CHECKING:
    import requests

CHUNK = 1 << 16
TIMEOUT = 30  # seconds without a byte
PARTIAL = 206
RANGE_NOT_SATISFIABLE = 416
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
PAGES = (b"<!doctype html", b"<html")

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
        DataError: if the dataset has no downloads, no mirror delivers an intact and safe file, a file has changed
            since it was first downloaded, or another process uses the folder; nothing of such a file is unpacked.
    """
    if offline:
        raise UsageError(f"cannot download {dataset.title}: --offline allows no connection")
    if not dataset.downloads:
        raise DataError(f"{dataset.title} cannot be downloaded automatically. {dataset.steps}".strip())
    if not accepted:
        raise UsageError(f"{dataset.title} has this licence: {dataset.licence} Accept it with --accept-licence")
    with locked(folder):
        return [_Fetching(download, folder, advance).fetch() for download in dataset.downloads]


class _Fetching:
    """One file that is being downloaded, into a folder that is locked."""

    def __init__(self, download: Download, folder: Path, advance: Advance) -> None:
        self._download, self._folder, self._advance = download, folder, advance
        self._path = folder / download.name
        self._part = folder / f".{download.name}.part"
        self._work = folder / f".{download.name}.unpacking"
        self._pin = folder / f"{download.name}.sha256"

    def fetch(self) -> Path:
        """Fetch the file, unless it is there, and unpack it.

        Raises:
            DataError: if no mirror delivers it.
        """
        import requests

        problems = []
        shutil.rmtree(self._work, ignore_errors=True)  # of a process that was killed
        try:
            if self._path.is_file():
                self._check_pin()
                try:
                    self._take(self._path)
                except DataError as error:
                    problems.append(str(error))
                else:
                    return self._path
            for mirror in self._download.mirrors:
                url = _encrypted(mirror)
                try:
                    self._fetch_from(url)
                except (DataError, requests.RequestException, ValueError) as error:
                    said = str(error) if isinstance(error, DataError) else one_line(error)
                    problems.append(f"{url}: {said}")
                else:
                    return self._path
        finally:
            shutil.rmtree(self._work, ignore_errors=True)
        name = self._download.name
        raise DataError(f'"{name}" could not be fetched from any mirror ({"; ".join(problems)})')

    def _fetch_from(self, url: str) -> None:
        resumed = self._resumable()
        try:
            self._receive(url)
            self._take(self._part)
        except DataError:
            self._part.unlink(missing_ok=True)
            if not resumed:
                raise
            self._fetch_from(url)  # from its beginning: the first part may have been that of another file

    def _resumable(self) -> bool:
        """Whether there is a part to resume; one that cannot be right, or not be checked in the end, is removed."""
        if not self._part.is_file():
            return False
        with self._part.open("rb") as file:
            start = file.read(START)
        sums = self._download.unpack and start.startswith((ZIP, *COMPRESSED))  # they have checksums of their own
        known = self._expected is not None and (not self._download.unpack or is_archive(start))
        resumable = bool(start) and (sums or known) and self._part.stat().st_size <= self._most
        if not resumable:
            self._part.unlink()
        return resumable

    @property
    def _most(self) -> int:
        return MOST if self._download.size is None else self._download.size

    @property
    def _expected(self) -> str | None:
        """The checksum: the published one, or that of the first download."""
        if self._download.checksum:
            return self._download.checksum
        try:
            digest = self._pin.read_text("ascii").partition(" ")[0]
        except (FileNotFoundError, UnicodeDecodeError):
            return None
        return f"sha256:{digest}" if re.fullmatch("[0-9a-f]{64}", digest) else None

    def _receive(self, url: str) -> None:
        """Download a URL, from where the part ends.

        Raises:
            DataError: if what arrives cannot be the file.
            RequestException: if the connection fails; what has arrived is kept.
        """
        done = self._part.stat().st_size if self._part.is_file() else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
        with session() as connection, connection.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            if done and answer.status_code == RANGE_NOT_SATISFIABLE:
                if answer.headers.get("Content-Range") != f"bytes */{done}":
                    raise DataError("the part of an earlier download is longer than the file")
                return  # nothing is left to send
            answer.raise_for_status()
            done, total = _extent(answer, done)
            if total and self._download.size not in {None, total}:
                raise DataError(f"it has {total:,} bytes; {self._download.size:,} are published")
            with self._part.open("ab" if done else "wb") as file:
                for chunk in answer.iter_content(CHUNK):
                    if not done:
                        self._check_start(chunk)
                    done += len(chunk)
                    if done > self._most:
                        raise DataError(f"it has more than {self._most:,} bytes")
                    file.write(chunk)
                    self._advance(self._download.name, done, total)

    def _check_start(self, start: bytes) -> None:
        if self._download.unpack and is_archive(start[:START]):
            return
        if start.lstrip()[:20].lower().startswith(PAGES):
            raise DataError(f"it is an HTML page, not {self._download.name}; open it in a browser to see why")
        if self._download.unpack:
            raise DataError("it is not an archive")

    def _take(self, file: Path) -> None:
        """Check and unpack the file, and give it its name; see `vosbench.dataset.unpack`."""
        size, expected = file.stat().st_size if file.is_file() else 0, self._expected
        if size != (self._download.size or size) or not size:
            what = f"{self._download.size:,} are published" if self._download.size else "it is empty"
            raise DataError(f"it has {size:,} bytes; {what}")
        algorithm = expected.partition(":")[0] if expected else "sha256"
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, algorithm).hexdigest()
        if expected is not None and expected != f"{algorithm}:{digest}":
            raise DataError(self._changed(f"{algorithm}:{digest}"))
        files = self._work / "files"
        shutil.rmtree(self._work, ignore_errors=True)
        files.mkdir(parents=True)
        if self._download.unpack:
            unpack(file, files, self._path)
        file.replace(self._path)
        if expected is None:
            pin = self._work / "pin"
            pin.write_text(f"{digest}  {self._download.name}\n", "ascii")
            pin.replace(self._pin)
        move_into(files, self._folder)

    def _check_pin(self) -> None:
        """Refuse a file that is not what was downloaded first.

        Raises:
            DataError: if it has changed.
        """
        if self._download.checksum or (pinned := self._expected) is None:
            return
        with self._path.open("rb") as file:
            digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        if digest != pinned:
            raise DataError(f'"{self._path}": {self._changed(digest)}; delete "{self._path}" to download it again')

    def _changed(self, digest: str) -> str:
        if self._download.checksum:
            return f"its checksum is {digest}, not {self._download.checksum}"
        return (
            f"it has changed since it was first downloaded ({digest}, was {self._expected}); "
            f'delete "{self._pin}" to accept the change'
        )


def _encrypted(url: str) -> str:
    """The URL, by https unless it is on this machine.

    >>> _encrypted("http://example.org/a.zip"), _encrypted("http://localhost:8000/a.zip")
    ('https://example.org/a.zip', 'http://localhost:8000/a.zip')
    """
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme="https")) if not is_safe(url) and parts.scheme == "http" else url


def is_safe(url: str) -> bool:
    """Whether a URL is encrypted, or of this machine.

    >>> is_safe("https://example.org"), is_safe("http://example.org"), is_safe("http://127.0.0.1:8000")
    (True, False, True)
    """
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def session() -> "requests.Session":
    """A session that refuses unencrypted connections, also when it is redirected to one."""
    import requests

    class Session(requests.Session):
        def send(self, request: requests.PreparedRequest, **options: object) -> requests.Response:
            if not is_safe(request.url or ""):
                raise requests.exceptions.InvalidSchema(f"{request.url} is not encrypted")
            return super().send(request, **options)  # type: ignore[arg-type]

    return Session()


def _extent(answer: "requests.Response", done: int) -> tuple[int, int]:
    """Where an answer continues, and the size of the whole file (0 if unknown).

    Raises:
        DataError: if it continues elsewhere than asked.
    """
    length = int(answer.headers.get("Content-Length", 0))
    if answer.status_code != PARTIAL:
        return 0, length
    found = re.match(r"bytes (\d+)-\d+/(\d+)", answer.headers.get("Content-Range", ""))
    if found is not None and int(found[1]) != done:
        raise DataError(f"the server continues at byte {found[1]}, not {done}")
    return done, int(found[2]) if found else done + length
