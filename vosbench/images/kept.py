"""Decoded annotations, kept on disk, so that those of a dataset are decoded once.

Conventions:
    The annotations of a video are in one file below `vosbench.files.cache_folder`, deflated. Each is found by a hash of
    the bytes of its files and the name of the codec, so that what is found is what would be decoded, wherever the files
    are and whatever happened to them since. A file of the cache that is damaged or of another version counts as absent;
    so does the whole cache if it cannot be read or written, or `OFF` is set in the environment. Files are replaced as a
    whole: of several processes that write the same one, the last wins, and what it leaves out is decoded again.
"""

import os
import random
import struct
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vosbench import __version__
from vosbench.files import NO_CACHE, cache_folder, write_whole
from vosbench.images.annotations import Annotation, Box, paths_of, read_annotation
from vosbench.images.opening import read_bytes
from vosbench.images.png import inflation
from vosbench.metrics.packed import WORD, Packed

OFF = NO_CACHE
"""The environment variable that turns the cache off, if it is not empty."""
MAGIC = f"vosbench masks 1 {__version__}\n".encode()  # masks that another version decoded are decoded anew
MOST, MOST_OF_VIDEO = 2**28, 2**24  # bytes of the cache and of a file of it
FEWEST = 4
"""Videos with fewer annotations, such as still images, are not kept: a file for each would cost more than it saves."""
KEY = 16  # bytes of a hash
HEAD, ENTRY = struct.Struct("<II"), struct.Struct(f"<{KEY}sIII")
DIGEST, MOST_DIGESTS = 32, 64


class Kept(NamedTuple):
    """A mask: (H, W), and its words deflated."""

    height: int
    width: int
    deflated: bytes


def folder() -> Path:
    """The folder of the cache, which need not exist."""
    return cache_folder() / "annotations"


class Annotations:
    """The annotations of a video, read from the cache if they are there.

    Args:
        video: its name.
        annotations: frame → annotation.
        codec: how files are read; see `vosbench.images.codecs`.
    """

    def __init__(self, video: str, annotations: Mapping[int, Annotation], codec: str) -> None:
        self._annotations, self._codec = annotations, codec
        self._path = None if os.environ.get(OFF) else _place(video, annotations, codec)
        self._masks, self._digests = _load(self._path)
        self._used: dict[bytes, Kept] = {}
        self._left = MOST_OF_VIDEO
        self._changed = False

    def read(self, index: int) -> tuple[Packed, bytes]:
        """Read the annotation of a frame.

        Returns:
            the mask, and the key of its content; the key is empty if the mask has none, as those of boxes.

        Raises:
            DataError: as `vosbench.images.read_annotation`.
        """
        annotation = self._annotations[index]
        if isinstance(annotation, Box) or self._path is None:
            return read_annotation(annotation, self._codec), b""
        files = [read_bytes(path, str(path)) for path in paths_of(annotation)]
        key = _key(files, self._codec)
        kept = self._used.get(key) or self._masks.get(key)
        mask = None if kept is None else _inflated(kept)
        if kept is None or mask is None:
            mask = read_annotation(annotation, self._codec, files)
            kept = self._deflated(mask)
        self._use(key, kept)
        return mask, key

    def _deflated(self, mask: Packed) -> Kept:
        if self._left <= 0:
            return Kept(mask.height, mask.width, b"")
        self._changed = True
        return Kept(mask.height, mask.width, inflation.compress(mask.words, 1))

    def _use(self, key: bytes, kept: Kept) -> None:
        """Remember what was used, as far as there is room, so that memory does not grow with a video's length."""
        if kept.deflated and key not in self._used:
            self._left -= len(kept.deflated) + ENTRY.size
            if self._left >= 0:
                self._used[key] = kept

    def digest(self, key: bytes) -> str | None:
        """A digest that was kept with the annotations, as of all of them."""
        found = self._digests.get(key)
        return None if found is None else found.hex()

    def keep(self, key: bytes, digest: str) -> None:
        """Keep a digest of 32 bytes, in hexadecimal, with the annotations; a hash of 16 bytes is its key."""
        self._digests[key] = bytes.fromhex(digest)
        for oldest in list(self._digests)[:-MOST_DIGESTS]:
            del self._digests[oldest]
        self._changed = True

    @property
    def has_digests(self) -> bool:
        """Whether any digest was kept."""
        return bool(self._digests)

    def save(self) -> None:
        """Write what was decoded to the cache, if anything was and it can be written."""
        if self._path is None or not self._changed:
            return
        masks: dict[bytes, Kept] = {}
        left = MOST_OF_VIDEO
        for key, kept in {**self._used, **self._masks}.items():  # what was just used comes first
            left -= len(kept.deflated) + ENTRY.size
            if left < 0:
                break
            masks[key] = kept
        try:
            write_whole(self._path, _packed(masks, self._digests))
            if random.random() < 1 / 16:  # noqa: S311 - now and then, since it looks at all files
                _bound(self._path.parent)
        except OSError:  # a full disk, a folder of somebody else: then it is decoded each time
            pass


def clear() -> int:
    """Remove the cache and return the number of bytes that it had."""
    removed = 0
    for path, size, _ in _files(folder()):
        path.unlink(missing_ok=True)
        removed += size
    return removed


def usage() -> tuple[int, int]:
    """The numbers of files, which are one for each video and codec, and of bytes."""
    files = _files(folder())
    return len(files), sum(size for _, size, _ in files)


def _place(video: str, annotations: Mapping[int, Annotation], codec: str) -> Path | None:
    """Where the masks of a video are kept: only a place, since what is there is found by its content."""
    if len(annotations) < FEWEST:
        return None
    first = paths_of(next(iter(annotations.values())))[0]
    named = "\0".join((video, os.path.abspath(first.parent), codec))  # noqa: PTH100 - links need no resolving
    return folder() / f"{blake2b(os.fsencode(named), digest_size=KEY).hexdigest()}.masks"


def _key(files: Sequence[bytes], codec: str) -> bytes:
    found = blake2b(codec.encode(), digest_size=KEY)
    for data in files:
        found.update(b"%d\0" % len(data))
        found.update(data)
    return found.digest()


def _inflated(kept: Kept) -> Packed | None:
    columns = -(-kept.width // 64)
    try:
        words = inflation.decompress(kept.deflated, bufsize=8 * kept.height * columns)
        return Packed(kept.height, kept.width, np.frombuffer(words, WORD).reshape(kept.height, columns))
    except (inflation.error, ValueError):
        return None


def _packed(masks: Mapping[bytes, Kept], digests: Mapping[bytes, bytes]) -> bytes:
    """A file of the cache: its head, the table of masks, digests, the masks, and a hash of all of it."""
    table = [ENTRY.pack(key, kept.height, kept.width, len(kept.deflated)) for key, kept in masks.items()]
    noted = [key + digest for key, digest in digests.items()]
    body = [MAGIC, HEAD.pack(len(table), len(noted)), *table, *noted, *(kept.deflated for kept in masks.values())]
    data = b"".join(body)
    return data + blake2b(data, digest_size=KEY).digest()


def _load(path: Path | None) -> tuple[dict[bytes, Kept], dict[bytes, bytes]]:
    """The masks and digests of a file; none if it is absent, damaged or of another version."""
    try:
        data = b"" if path is None or path.stat().st_size > 2 * MOST_OF_VIDEO else path.read_bytes()
    except OSError:
        data = b""
    body, checked = data[:-KEY], data[-KEY:]
    if not body.startswith(MAGIC) or blake2b(body, digest_size=KEY).digest() != checked:
        return {}, {}
    count, noted = HEAD.unpack_from(body, len(MAGIC))
    start = len(MAGIC) + HEAD.size
    digests_at = start + count * ENTRY.size
    at = digests_at + noted * (KEY + DIGEST)
    masks = {}
    for key, height, width, length in ENTRY.iter_unpack(body[start:digests_at]):
        masks[key] = Kept(height, width, body[at : at + length])
        at += length
    places = range(digests_at, digests_at + noted * (KEY + DIGEST), KEY + DIGEST)
    return masks, {body[place : place + KEY]: body[place + KEY : place + KEY + DIGEST] for place in places}


def _files(place: Path) -> list[tuple[Path, int, float]]:
    """Path, bytes and time of writing of each file of the cache."""
    found = []
    for path in place.glob("*.masks"):
        try:
            status = path.stat()
        except OSError:  # another process removed it
            continue
        found.append((path, status.st_size, status.st_mtime))
    return found


def _bound(place: Path) -> None:
    """Remove the files that were written longest ago, if there are too many bytes."""
    files = sorted(_files(place), key=lambda file: file[2])
    excess = sum(size for _, size, _ in files) - MOST
    for path, size, _ in files:
        if excess <= 0:
            return
        path.unlink(missing_ok=True)
        excess -= size
