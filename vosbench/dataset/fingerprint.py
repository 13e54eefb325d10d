"""Hashes of content: results with equal hashes were scored on the same ground truth, or are of the same predictions."""

import hashlib
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vosbench.files import combined, sha256
from vosbench.images.annotations import Annotation, Box
from vosbench.metrics.packed import Packed


def files_digest(paths: Iterable[Path]) -> str:
    """SHA-256 of the names and the contents of files, in order; of a file that cannot be read, of its name alone."""
    return combined(f"{path.name} {_content(path)}" for path in paths)


def _content(path: Path) -> str:
    try:
        return sha256(path)
    except OSError:  # whoever decodes it says what is wrong
        return ""


class Content:
    """Hashes the decoded annotations of one video, independent of their file format.

    >>> import numpy as np
    >>> from vosbench.metrics.packed import pack
    >>> one, other = Content("cow"), Content("cow")
    >>> one.add(0, pack(np.eye(3, dtype=bool)))
    >>> one.hexdigest() == other.hexdigest()
    False
    """

    def __init__(self, video: str) -> None:
        self._digest = hashlib.sha256(video.encode())

    def add(self, index: int, mask: Packed, annotation: Annotation | None = None) -> None:
        """Add the mask of a frame's annotation, in order; of a box also its edges, which may be fractions of pixels."""
        self._digest.update(f"{index} {mask.shape}".encode())
        self._digest.update(mask.words.data.cast("B"))
        if isinstance(annotation, Box):
            self._digest.update(f"{annotation.edges} {annotation.motion}".encode())

    def hexdigest(self) -> str:
        """SHA-256 of the annotations added so far."""
        return self._digest.hexdigest()


class Checksums:
    """Hashes the decoded predictions of one video, independent of their file format.

    A checksum of each frame is hashed rather than all pixels, which would take 2 % of the time of scoring. It tells
    predictions apart, but is no protection from forgery.

    >>> import numpy as np
    >>> one, other = Checksums("cow"), Checksums("cow")
    >>> one.add(0, np.eye(3, dtype=np.uint8))
    >>> one.hexdigest() == other.hexdigest()
    False
    """

    def __init__(self, video: str) -> None:
        self._digest = hashlib.sha256(video.encode())

    def add(self, index: int, prediction: Packed | NDArray[Any]) -> None:
        """Add the prediction of a frame: a packed mask, or an (H, W) array of levels or numbers."""
        pixels = prediction.words if isinstance(prediction, Packed) else prediction
        self._digest.update(
            f"\n{index} {prediction.shape} {zlib.crc32(np.ascontiguousarray(pixels).data):08x}".encode()
        )

    def hexdigest(self) -> str:
        """SHA-256 of the checksums added so far."""
        return self._digest.hexdigest()
