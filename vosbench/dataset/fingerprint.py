"""The content of annotations as a hash: results with equal hashes were scored on the same ground truth."""

import hashlib

from vosbench.metrics.packed import Packed


class Content:
    """Hashes the scored annotations of one video, as decoded: how they are stored does not matter.

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
        """Take in the annotation of a frame; frames come in order."""
        self._digest.update(f"{index} {annotation.shape}".encode() + annotation.words.tobytes())

    def hexdigest(self) -> str:
        """SHA-256 of what was taken in."""
        return self._digest.hexdigest()
