"""Predictors of masks, made of predictors of maps."""

from collections.abc import Iterator
from typing import cast

import numpy as np

from vosbench.dataset import Video
from vosbench.images import size
from vosbench.method.method import FloatMap, Predictor, Resumable, State
from vosbench.method.predict import check_map


class Masks:
    """A predictor whose maps are masks: 1 from a threshold on, 0 below it.

    Args:
        predictor: the method.
        threshold: in [0, 1].
    """

    def __init__(self, predictor: Predictor, threshold: float) -> None:
        self._predictor, self._threshold = predictor, threshold

    def predict(self, video: Video) -> Iterator[FloatMap]:
        """See `Predictor`."""
        return self._masks(self._predictor.predict(video), video, 0)

    def _masks(self, maps: Iterator[FloatMap], video: Video, start: int) -> Iterator[FloatMap]:
        for index, values in enumerate(maps, start):
            if index < len(video):  # before NaN and the like become masks
                check_map(values, size(video.frames[index]), f'map {index} of "{video.name}"')
            yield (values >= self._threshold).astype(np.float32)


class ResumableMasks(Masks):
    """The same for a `Resumable` predictor."""

    def __init__(self, predictor: Resumable, threshold: float) -> None:
        super().__init__(cast("Predictor", predictor), threshold)  # it has both protocols
        self._resumable = predictor

    def state(self) -> State:
        """See `Resumable`."""
        return self._resumable.state()

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:
        """See `Resumable`."""
        return self._masks(self._resumable.resume(video, start, state), video, start)


def masks_of(predictor: Predictor, threshold: float) -> Predictor:
    """A predictor of masks, which is `Resumable` if that of the maps is."""
    if isinstance(predictor, Resumable):
        return ResumableMasks(predictor, threshold)
    return Masks(predictor, threshold)
