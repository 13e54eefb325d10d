"""Weights that ``--weights`` names by address: fetched once, checked by their hash, and kept in the user's cache.

Conventions:
    ``https://host/file.pt#sha256=…`` is any file on the web. Its hash is part of the address; without one it is
    refused.
    ``hf://user/repository/file@revision`` is a file on the Hugging Face Hub (extra ``hub``), of the branch ``main``
    without a revision. It is checked against ``#sha256=…`` if that is there, otherwise against the SHA-256 that the Hub
    states for files that are stored by content, as weights are; a file without either is refused. A branch is asked
    each time, a whole commit hash only once.
    Behind the hash, ``#entry`` chooses one of several networks in a file, as in `vosbench.method.sources.sources`.
    ``<cache>/weights/<SHA-256>/<name>`` is a file, which is hashed again each time it is used. ``refs`` next to it has
    what the Hub's files were when they were last fetched. With ``--offline``, or ``VOSBENCH_OFFLINE`` or
    ``HF_HUB_OFFLINE`` in the environment, only these are used.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import unquote, urlsplit

from vosbench.dataset.fetch import CHUNK, PAGES, TIMEOUT, is_safe, session
from vosbench.errors import DataError, UsageError, extras_needed, one_line
from vosbench.files import OFFLINE, being_written, cache_folder, sha256, write_whole
from vosbench.method.sources import PART, SEPARATOR

ADDRESS = re.compile(r"(https?|hf):/{1,2}([^/#][^#]*)(?:#sha256=([0-9a-fA-F]+))?(?:#(.+))?", re.DOTALL)
ON_HUB = re.compile(r"([\w.-]+/[\w.-]+)/(.+?)(?:@([^@]+))?")
COMMIT = re.compile("[0-9a-f]{40}")
HASH = re.compile("[0-9a-f]{64}")
SEEN = re.compile(r"([0-9a-f]{40}) ([0-9a-f]{64})\n")

Note = Callable[[str], None]


class _Address(NamedTuple):
    """An address as typed, its parts, and the expected hash (``""`` if none was given)."""

    scheme: str
    rest: str
    digest: str

    @property
    def text(self) -> str:
        """The address without the hash, with both slashes, of which a path keeps one."""
        return f"{self.scheme}://{self.rest}"


def fetched(weights: Path, note: Note = lambda _: None) -> Path:
    """Replace the addresses in what ``--weights`` names by files in the cache, which are fetched if they are not there.

    Args:
        weights: a file, or a file for each part, see `vosbench.method.sources.sources`; or addresses of them.
        note: called with a line for each download.

    Returns:
        what `sources` reads; the same if there are no addresses.

    Raises:
        UsageError: if an address is not valid or has no hash, or a file is not in the cache and no connection allowed.
        DataError: if a file cannot be fetched, or has another hash.
    """
    text = weights.as_posix()
    if not re.search(r"(?:^|=)(?:https?|hf):/", text) or weights.is_file():
        return weights
    return Path(",".join(_fetched(part, note) for part in SEPARATOR.split(text)))


def offline() -> bool:
    """Whether no connection is allowed."""
    return any(os.environ.get(name, "").lower() not in {"", "0", "false"} for name in (OFFLINE, "HF_HUB_OFFLINE"))


def folder() -> Path:
    """The folder of fetched weights, which need not exist."""
    return cache_folder() / "weights"


def _fetched(text: str, note: Note) -> str:
    named = PART.fullmatch(text)
    start, rest = (f"{named[1]}=", named[2]) if named else ("", text)
    found = ADDRESS.fullmatch(rest)
    if found is None:
        return text
    scheme, address, digest, entry = found.groups(default="")
    if digest and not HASH.fullmatch(digest.lower()):
        raise UsageError(f'"{rest}": a SHA-256 has 64 hexadecimal digits, not {len(digest)}')
    wanted = _Address(scheme, address, digest.lower())
    path = _from_hub(wanted, note) if scheme == "hf" else _from_web(wanted, note)
    return f"{start}{path}" + (f"#{entry}" if entry else "")


def _from_web(wanted: _Address, note: Note) -> Path:
    if not is_safe(wanted.text):
        raise UsageError(f'weights are fetched over an encrypted connection; write "https://{wanted.rest}"')
    if not wanted.digest:
        raise UsageError(
            f'"{wanted.text}" has no hash, so nobody knows what it will be; add #sha256=… (see: sha256sum FILE)'
        )
    name = unquote(urlsplit(wanted.text).path).rpartition("/")[2]
    path = _place(wanted.digest, name)
    if _kept(path, wanted.digest):
        return path
    _refuse_offline(wanted)
    note(f"fetches {wanted.text}")
    with being_written(path) as part, part.open("wb") as file:
        _receive(wanted, file)
    return path


def _receive(wanted: _Address, file: BinaryIO) -> None:
    """Download a file and check its hash.

    Raises:
        DataError: if the connection fails, or if it is another file.
    """
    import requests

    digest, start = hashlib.sha256(), b""
    try:
        with session() as connection, connection.get(wanted.text, stream=True, timeout=TIMEOUT) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_content(CHUNK):
                start = start or chunk[:100]
                digest.update(chunk)
                file.write(chunk)
    except (requests.RequestException, ValueError) as error:
        raise DataError(f'the weights "{wanted.text}" cannot be fetched: {one_line(error)}') from None
    if digest.hexdigest() != wanted.digest:
        page = start.lstrip().lower().startswith(PAGES)
        what = "an HTML page, not the file" if page else f"another file, with the SHA-256 {digest.hexdigest()}"
        raise DataError(f'the weights "{wanted.text}" are {what}')


def _from_hub(wanted: _Address, note: Note) -> Path:
    found = ON_HUB.fullmatch(wanted.rest)
    if found is None:
        raise UsageError(f'"{wanted.text}" is not of the form hf://user/repository/file or …/file@revision')
    repository, file, revision = found[1], found[2], found[3] or "main"
    seen_path = folder() / "refs" / hashlib.sha256(f"{repository}/{file}@{revision}".encode()).hexdigest()
    seen = _seen(seen_path)
    immutable = COMMIT.fullmatch(revision) is not None
    for digest in filter(None, (wanted.digest, seen[1] if seen and (immutable or offline()) else "")):
        path = _place(digest, file.rpartition("/")[2])
        if _kept(path, digest):
            _compare(wanted, digest)
            return path
    _refuse_offline(wanted)
    commit, stated = _on_hub(wanted, repository, file, revision)
    digest = wanted.digest or stated
    if not digest:
        raise UsageError(f'the Hub states no SHA-256 of "{wanted.text}"; add #sha256=… (see: sha256sum FILE)')
    if stated:
        _compare(wanted, stated)
    path = _place(digest, file.rpartition("/")[2])
    if not _kept(path, digest):
        note(f"fetches {wanted.text}, commit {commit}")
        _download(wanted, (repository, file, commit), digest, path)
    if seen is not None and seen[1] != digest:
        note(f"{wanted.text} has changed since it was last fetched: commit {commit}, was {seen[0]}")
    write_whole(seen_path, f"{commit} {digest}\n".encode())
    return path


def _on_hub(wanted: _Address, repository: str, file: str, revision: str) -> tuple[str, str]:
    """The commit that a revision is, and the SHA-256 of a file; empty if the Hub does not state one."""
    with extras_needed():
        import huggingface_hub
    endpoint = _endpoint()
    try:
        url = huggingface_hub.hf_hub_url(repository, file, revision=revision, endpoint=endpoint)
        known = huggingface_hub.get_hf_file_metadata(url, timeout=TIMEOUT)
    except Exception as error:  # noqa: BLE001 - of its client for HTTP, whichever that is
        raise DataError(f'the weights "{wanted.text}" cannot be fetched: {one_line(error)}') from None
    if known.commit_hash is None or not COMMIT.fullmatch(known.commit_hash):
        raise DataError(f'the weights "{wanted.text}" cannot be fetched: {endpoint or "the Hub"} states no commit')
    return known.commit_hash, known.etag if known.etag and HASH.fullmatch(known.etag) else ""


def _download(wanted: _Address, file: tuple[str, str, str], digest: str, path: Path) -> None:
    """Download a file of the Hub, given as repository, name and commit, and check its hash."""
    import huggingface_hub

    folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".hub-", dir=folder()) as place:
        repository, name, commit = file
        try:
            got = huggingface_hub.hf_hub_download(
                repository, name, revision=commit, local_dir=place, endpoint=_endpoint(), etag_timeout=TIMEOUT
            )
        except Exception as error:  # noqa: BLE001 - as above
            raise DataError(f'the weights "{wanted.text}" cannot be fetched: {one_line(error)}') from None
        actual = sha256(Path(got))
        if actual != digest:
            raise DataError(f'the weights "{wanted.text}" are another file, with the SHA-256 {actual}')
        path.parent.mkdir(parents=True, exist_ok=True)
        Path(got).replace(path)


def _endpoint() -> str | None:
    """The Hub's address, if it is another than the public one.

    Raises:
        UsageError: if the connection would not be encrypted.
    """
    endpoint = os.environ.get("HF_ENDPOINT") or None
    if endpoint is not None and not is_safe(endpoint):
        raise UsageError(f"HF_ENDPOINT is {endpoint}, but weights are fetched over an encrypted connection")
    return endpoint


def _compare(wanted: _Address, digest: str) -> None:
    if wanted.digest not in {"", digest}:
        raise DataError(f'the weights "{wanted.text}" are another file, with the SHA-256 {digest}')


def _seen(path: Path) -> tuple[str, str] | None:
    """The commit and the hash that a file of the Hub had; None if it was not fetched before."""
    try:
        found = SEEN.fullmatch(path.read_text("ascii"))
    except (OSError, UnicodeDecodeError):
        return None
    return None if found is None else (found[1], found[2])


def _place(digest: str, name: str) -> Path:
    return folder() / digest / (re.sub(r"[^\w.-]", "_", name)[-100:].lstrip(".") or "weights")


def _kept(path: Path, digest: str) -> bool:
    """Whether a file is in the cache; one that was damaged there is not."""
    return path.is_file() and sha256(path) == digest


def _refuse_offline(wanted: _Address) -> None:
    if offline():
        raise UsageError(f'the weights "{wanted.text}" are not in the cache, and --offline allows no connection')
