"""Drive a network that needs no more than the current frame and the first one."""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from vosbench.dataset import Video
from vosbench.engine.stages import stage
from vosbench.images import read_frame
from vosbench.method.method import FloatMap, State
from vosbench.method.nn.views import Frame, View
from vosbench.method.predict import read_ahead


class Network(Protocol):
    """A network in two steps, so that the anchor is encoded once per video."""

    @property
    def anchored(self) -> bool:
        """Whether `segment` looks at the anchor, the first frame of the video."""
        ...

    def embed(self, frames: Tensor) -> Tensor:
        """(B, 3, H, W) → (B, C, h, w)."""
        ...

    def segment(self, anchor: Tensor | None, current: Tensor) -> Tensor:
        """(1, C, h, w) and (B, C, h, w) → logits, (B, 1, h, w)."""
        ...


class FramePredictor:
    """A predictor whose map of a frame depends on that frame and the anchor alone.

    Batches begin at multiples of the batch size, wherever a run is resumed: the same frames always share a pass,
    and the maps are the same to the last bit.

    Args:
        net: the network, on its device.
        view: how it looks at frames.
        device: where to put the frames.
        batch: frames per pass.
    """

    def __init__(self, net: Network, view: View, device: torch.device, batch: int = 1) -> None:
        self._net = net
        self._view = view
        self._device = device
        self._batch = batch

    @property
    def network(self) -> nn.Module:
        """See `vosbench.method.method.Measurable`."""
        return cast("nn.Module", self._net)

    @property
    def inputs(self) -> list[tuple[int, int]]:
        """See `vosbench.method.method.Measurable`."""
        return [self._view.input]

    def predict(self, video: Video) -> Iterator[FloatMap]:
        """Segment a video; see `vosbench.method.method.Predictor`."""
        return self.resume(video, 0, {})

    def state(self) -> State:
        """Nothing: frames are all it takes."""
        return {}

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:  # noqa: ARG002 - there is none
        """Yield the maps of frames ``start``, ``start + 1``, …; see `vosbench.method.method.Resumable`."""
        if start >= len(video):
            return
        anchor = self._embed([read_frame(video.frames[0])]) if self._net.anchored else None
        first = start - start % self._batch
        with closing(read_ahead(video.frames[first:], self._batch + 1)) as ahead:
            while frames := list(islice(ahead, self._batch)):
                yield from self._maps(anchor, frames)[max(start - first, 0) :]
                first += self._batch

    # Inference mode is entered inside these two and never around a yield, where it would leak into the caller.
    @torch.inference_mode()
    @stage("encoder")
    def _embed(self, frames: list[Frame]) -> Tensor:
        inputs = torch.stack([self._view.prepare(frame) for frame in frames])
        return self._net.embed(inputs.to(self._device, memory_format=torch.channels_last))

    @torch.inference_mode()
    def _maps(self, anchor: Tensor | None, frames: list[Frame]) -> list[FloatMap]:
        current = self._embed(frames)
        with stage("matching"):
            logits = self._net.segment(anchor, current)
        with stage("post"):
            return [
                self._view.restore(x, (frame.shape[0], frame.shape[1])) for x, frame in zip(logits, frames, strict=True)
            ]
