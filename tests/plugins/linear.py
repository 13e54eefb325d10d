"""A method whose checkpoint is a line: the weighted sum of a pixel's colours, and a threshold."""

from collections.abc import Iterator

import numpy as np

from vosbench.dataset import Video
from vosbench.images import read_frame
from vosbench.method import FloatMap, Method, Setup


class Linear:
    def __init__(self, setup: Setup) -> None:
        from safetensors.numpy import load_file

        assert setup.weights is not None
        self.weights = load_file(setup.weights)

    def predict(self, video: Video) -> Iterator[FloatMap]:
        for path in video.frames:
            score = read_frame(path).astype(np.float32) / 255 @ self.weights["colour"] + self.weights["bias"]
            yield (1 / (1 + np.exp(-score))).astype(np.float32)


linear = Method(name="linear", title="Linear", paper="none", licence="MIT", load=Linear)
