"""A method in one file: pixels that differ from the median of the first frames are foreground.

Try it: ``vosbench run --plugin examples/median.py --method median --dataset sample``
"""

from collections.abc import Iterator

import numpy as np

from vosbench.dataset import Video
from vosbench.method import FloatMap, Method, Setup
from vosbench.method.predict import read_ahead

FRAMES = 15


class Median:
    """The background is the median of each pixel over the first frames, so the camera must not move."""

    def predict(self, video: Video) -> Iterator[FloatMap]:
        """Segment a video; see `vosbench.method.method.Predictor`."""
        background = np.median([*read_ahead(video.frames[:FRAMES])], axis=0)
        for frame in read_ahead(video.frames):
            difference = np.abs(frame - background).max(axis=2)
            yield (difference / 255).astype(np.float32)


def load(_setup: Setup) -> Median:
    """Make the predictor, which needs no setup."""
    return Median()


method = Method(
    name="median",
    title="Temporal median",
    paper="none: an example",
    licence="MIT",
    load=load,
    needs={"previous"},
    needs_weights=False,
)
