"""The annotations of a video as scoring reads them: from the cache if they are there, with a hash of their content."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2b

from vosbench.dataset import Video
from vosbench.dataset.fingerprint import Content
from vosbench.images.kept import KEY, Annotations
from vosbench.metrics.packed import Packed

MOST = 2**27
"""Bytes of masks that are kept while several predictions of a video are scored; what is beyond is read again."""
_shared: ContextVar["_Shared | None"] = ContextVar("vosbench-annotations", default=None)


class _Shared:
    """What was read of one video's annotations, and the cache that knows them."""

    def __init__(self) -> None:
        self.kept: Annotations | None = None
        self.masks: dict[int, tuple[Packed, bytes]] = {}
        self.left = MOST

    def keep(self, index: int, mask: Packed, key: bytes) -> None:
        self.left -= mask.words.nbytes
        if self.left >= 0:
            self.masks[index] = (mask, key)


@contextmanager
def shared() -> Iterator[None]:
    """Read the annotations of a video once, while several predictions of this one video are scored in this thread."""
    token = _shared.set(_Shared())
    try:
        yield
    finally:
        _shared.reset(token)


class Annotated:
    """The annotations of a video, read in order.

    The hash of their content is kept in the cache, too, under the keys of the annotations in order; then their pixels
    need not be hashed again.

    Args:
        video: the video.
    """

    def __init__(self, video: Video) -> None:
        self._video = video
        self._shared = _shared.get()
        known = None if self._shared is None else self._shared.kept
        self._kept = known or Annotations(video.name, video.annotations, video.codec)
        if self._shared is not None:
            self._shared.kept = self._kept
        self._order = blake2b(video.name.encode(), digest_size=KEY)
        self._indices: list[int] = []
        self._keyed = True
        self._content = None if self._kept.has_digests else Content(video.name)

    def read(self, index: int) -> Packed:
        """Read the annotation of a frame; see `vosbench.images.read_annotation`."""
        mask, key = self._read(index)
        self._order.update(b"%d\0" % index + key)
        self._indices.append(index)
        self._keyed &= bool(key)
        if self._content is not None:
            self._content.add(index, mask, self._video.annotations[index])
        return mask

    def _read(self, index: int) -> tuple[Packed, bytes]:
        known = None if self._shared is None else self._shared.masks.get(index)
        mask, key = self._kept.read(index) if known is None else known
        if self._shared is not None and known is None:
            self._shared.keep(index, mask, key)
        return mask, key

    def hexdigest(self) -> str:
        """SHA-256 of what was read, see `Content`; what was decoded is written to the cache."""
        order = self._order.digest()
        known = None if self._content or not self._keyed else self._kept.digest(order)
        digest = known or (self._content or self._again()).hexdigest()
        if known is None and self._keyed:
            self._kept.keep(order, digest)
        self._kept.save()
        return digest

    def _again(self) -> Content:
        """The content of what was read, which differs from what was read when hashes were kept."""
        content = Content(self._video.name)
        for index in self._indices:
            content.add(index, self._read(index)[0], self._video.annotations[index])
        return content
