"""Soft maps averaged over views."""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice

from torch import nn

from vosbench.dataset import Video
from vosbench.images import read_frame
from vosbench.method import FloatMap, State
from vosbench.method.predict import read_ahead
from vosbench.methods.adnet.tta import Ensemble, Heat, Preset


class MapPredictor:
    """Soft maps, averaged over views; frames are independent but for the anchor.

    Args:
        ensemble: the network and its views.
        preset: how views become a map and a mask.
        batch: frames per pass; see `FramePredictor`.
    """

    def __init__(self, ensemble: Ensemble, preset: Preset, batch: int = 1) -> None:
        self._ensemble = ensemble
        self._preset = preset
        self._batch = batch

    @property
    def network(self) -> nn.Module:
        """See `vosbench.method.method.Measurable`."""
        return self._ensemble.network

    @property
    def inputs(self) -> list[tuple[int, int]]:
        """See `vosbench.method.method.Measurable`."""
        return self._ensemble.inputs

    def predict(self, video: Video) -> Iterator[FloatMap]:
        """Segment a video; see `vosbench.method.method.Predictor`."""
        return self.resume(video, 0, {})

    def state(self) -> State:
        """Nothing: frames are all it takes."""
        return {}

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:  # noqa: ARG002 - there is none
        """Yield the maps of frames ``start``, ``start + 1``, …; see `vosbench.method.method.Resumable`."""
        for heat in self.heats(video, start):
            yield heat.saliency

    def heats(self, video: Video, start: int) -> Iterator[Heat]:
        """Yield maps and masks, before pruning and gating, of frames ``start``, ``start + 1``, …."""
        if start >= len(video):
            return
        anchors = self._ensemble.anchors(read_frame(video.frames[0]))
        first = start - start % self._batch
        with closing(read_ahead(video.frames[first:], self._batch + 1)) as ahead:
            while frames := list(islice(ahead, self._batch)):
                logits = self._ensemble.logits(anchors, frames)
                yield from [self._preset.average(views) for views in logits][max(start - first, 0) :]
                first += self._batch
