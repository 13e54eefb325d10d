"""From a `Setup` to a network that is ready, and from a network to the maps of a video.

`choose` and `ready` serve every method here. `FramePredictor` drives a network that needs no more than the current
frame and the first one; a method that carries something from frame to frame brings a predictor of its own.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from itertools import islice
from typing import Protocol, TypeVar, cast

import torch
from torch import Tensor, nn

from vosbench.dataset import Video
from vosbench.engine.stages import stage
from vosbench.errors import UsageError
from vosbench.images import read_frame
from vosbench.method.method import FloatMap, Setup, State
from vosbench.method.nn.precision import device, hasten
from vosbench.method.nn.views import Frame, View
from vosbench.method.nn.weights import fill
from vosbench.method.predict import read_ahead

T = TypeVar("T")
N = TypeVar("N", bound=nn.Module)


def choose(variant: str, method: str, variants: Mapping[str, T], default: str) -> T:
    """Find what the name of a variant stands for.

    Args:
        variant: as typed behind the dot; ``""`` if nothing was.
        method: name of the method, for the message.
        variants: name → whatever the method makes of it.
        default: what the method's bare name stands for.

    Raises:
        UsageError: if there is no such variant.
    """
    name = variant or default
    if name not in variants:
        known = ", ".join(f'"{method}.{each}"' for each in variants)
        raise UsageError(f'there is no "{method}.{name}"; choose one of {known}')
    return variants[name]


def ready(build: Callable[[], N], setup: Setup) -> N:
    """Build a network and make it ready for inference, on its device and in its precision.

    Without a file the weights are drawn from ``setup.seed``: the same at every run, and the caller's random numbers
    continue as if nothing had been drawn.

    Raises:
        UsageError: if the batch is not positive, or the device, the precision or the compiler is not available.
        DataError: if the file does not fit the network.
    """
    if setup.batch < 1:
        raise UsageError(f"batch must be at least 1, not {setup.batch}")
    target = device(setup.device)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(setup.seed)
        net = build()
    if setup.weights is not None:
        fill(net, setup.weights)
    net = net.eval().to(device=target, memory_format=torch.channels_last)  # type: ignore[call-overload]
    hasten(net, setup, target)
    return net


def batches(video: Video, start: int, size: int) -> Generator[tuple[list[Frame], int], None, None]:
    """Read the frames of a video in batches, ahead of their use.

    Batches begin at multiples of their size, wherever a run is resumed: the same frames always share a pass, and the
    maps are the same to the last bit.

    Args:
        video: the video.
        start: the first frame whose map is wanted.
        size: frames per batch.

    Yields:
        the frames, and how many of them lie before ``start``.
    """
    first = start - start % size
    with closing(read_ahead(video.frames[first:], size + 1)) as ahead:
        while frames := list(islice(ahead, size)):
            yield frames, max(start - first, 0)
            first += size


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

    Args:
        net: the network, on its device.
        view: how it looks at frames.
        device: where to put the frames.
        batch: frames per pass; see `batches`.
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
        with closing(batches(video, start, self._batch)) as read:
            for frames, done in read:
                yield from self._maps(anchor, frames)[done:]

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
