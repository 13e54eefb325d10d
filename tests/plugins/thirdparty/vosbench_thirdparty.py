"""A third party's method: the left half of every frame."""

from collections.abc import Iterator

import numpy as np

from vosbench.dataset import Video
from vosbench.images import size
from vosbench.method import FloatMap, Method, Setup


class Halves:
    def predict(self, video: Video) -> Iterator[FloatMap]:
        for frame in video.frames:
            height, width = size(frame)
            yield np.tile(np.arange(width) < width / 2, (height, 1)).astype(np.float32)


def load(_setup: Setup) -> Halves:
    return Halves()


method = Method(name="halves", title="Halves", paper="none", licence="MIT", load=load, needs_weights=False)
