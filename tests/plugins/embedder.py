"""Methods without networks: one tells embeddings, one tells single numbers, and one nothing."""

from collections.abc import Iterator

import numpy as np

from vosbench.dataset import Video
from vosbench.images import read_frame
from vosbench.method import FloatMap, Method, Setup


class Plain:
    """Bright is foreground."""

    def predict(self, video: Video) -> Iterator[FloatMap]:
        for path in video.frames:
            yield read_frame(path).mean(axis=2).astype(np.float32) / 255


class Colours(Plain):
    """A vector for each block of 4×4 pixels: brightness, and darkness, which grows over time."""

    channels = 2

    def embeddings(self, video: Video) -> Iterator[FloatMap]:
        for index, path in enumerate(video.frames):
            bright = read_frame(path)[2::4, 2::4, 0].astype(np.float32) / 255
            yield np.stack([bright, 0.3 + 0.1 * index - bright * 0.2], axis=2)[..., : self.channels]


class Single(Colours):
    """Ends in one number for each position."""

    channels = 1


def load_plain(_setup: Setup) -> Plain:
    return Plain()


def load_colours(_setup: Setup) -> Colours:
    return Colours()


def load_single(_setup: Setup) -> Single:
    return Single()


KNOWN = {"paper": "none", "licence": "MIT", "needs_weights": False}
plain = Method(name="plain", title="Plain", load=load_plain, **KNOWN)
colours = Method(name="colours", title="Colours", load=load_colours, **KNOWN)
single = Method(name="single", title="Single", load=load_single, **KNOWN)
