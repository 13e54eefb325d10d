"""A hash of the annotations' content: results with equal hashes were scored on the same ground truth."""

import hashlib

from vosbench.metrics.packed import Packed


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

    def add(self, index: int, annotation: Packed) -> None:
        """Add the annotation of a frame, in order."""
        self._digest.update(f"{index} {annotation.shape}".encode() + annotation.words.tobytes())

    def hexdigest(self) -> str:
        """SHA-256 of the annotations added so far."""
        return self._digest.hexdigest()
