"""From a `Setup` to a network ready for inference, and from a network to the maps of a video.

`choose` and `ready` serve every method here. `FramePredictor` drives a network that needs only the current frame and
the first one; a method with state brings its own `NetworkPredictor`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, Protocol, TypeVar, cast

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
from vosbench.method.predict import Stateless, batches, read_ahead

T = TypeVar("T")
N = TypeVar("N", bound=nn.Module)
F = TypeVar("F")
"""What a network knows of frames: a tensor, or a tuple of tensors."""


def choose(variant: str, method: str, variants: Mapping[str, T], default: str) -> T:
    """Find what the name of a variant stands for.

    Args:
        variant: as typed behind the dot; ``""`` for the default.
        method: name of the method, for the message.
        variants: name → whatever the method makes of it.
        default: what the method's bare name stands for.

    Raises:
        UsageError: if the variant is unknown.
    """
    name = variant or default
    if name not in variants:
        known = ", ".join(f'"{method}.{variant}"' for variant in variants)
        raise UsageError(f'there is no "{method}.{name}"; choose one of {known}')
    return variants[name]


def ready(build: Callable[[], N], setup: Setup) -> N:
    """Build a network and make it ready for inference, on its device and in its precision.

    Without a file the weights are random and depend only on ``setup.seed``; the caller's random state is unchanged.

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


class Network(Protocol[F]):
    """A network in two steps, so that the anchor is encoded once per video."""

    @property
    def anchored(self) -> bool:
        """Whether `segment` looks at the anchor, the first frame of the video."""
        ...

    def embed(self, frames: Tensor) -> F:
        """(B, 3, H, W) → (B, C, h, w), or several such tensors."""
        ...

    def segment(self, anchor: F | None, current: F) -> Tensor:
        """What `embed` says of the anchor, B = 1, and of current frames → logits, (B, 1, h, w)."""
        ...


def vectors(known: Any) -> FloatMap:  # noqa: ANN401 - as the network has it
    """What a network's ``embed`` knows of one frame → the vectors of its cells, (h, w, C)."""
    embedding: Tensor = getattr(known, "embedding", known)
    return embedding[0].permute(1, 2, 0).float().cpu().numpy()


class NetworkPredictor(Stateless):
    """Base of predictors that drive a network; without state, unless a subclass has some.

    Args:
        network: see `vosbench.method.method.Measurable`.
        inputs: see `vosbench.method.method.Measurable`.
    """

    def __init__(self, network: nn.Module, inputs: Sequence[tuple[int, int]]) -> None:
        self.network = network
        self.inputs = inputs


class FramePredictor(NetworkPredictor):
    """A predictor whose map of a frame depends only on that frame and the anchor.

    Args:
        net: the network, on its device.
        view: converts frames to inputs, and logits to maps.
        device: the network's.
        batch: frames per pass; see `vosbench.method.predict.batches`.
    """

    def __init__(self, net: Network[Any], view: View, device: torch.device, batch: int = 1) -> None:
        super().__init__(cast("nn.Module", net), [view.input])
        self.net = net
        self.view = view
        self._device = device
        self._batch = batch

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:  # noqa: ARG002 - has no state
        """See `NetworkPredictor`."""
        if start >= len(video):
            return
        anchor = self._embed([read_frame(video.frames[0])]) if self.net.anchored and start else None
        with closing(batches(video, start, self._batch)) as read:
            for frames, done in read:
                known = None
                if self.net.anchored and anchor is None:  # the video begins, with the anchor
                    anchor = self._embed(frames[:1])
                    known = anchor if len(frames) == 1 else None  # in a batch, sums may be rounded otherwise
                yield from self._maps(anchor, frames, known)[done:]

    def embeddings(self, video: Video) -> Iterator[FloatMap]:
        """See `vosbench.method.method.Embedder`; of baselines that end in the encoder, the logits alone."""
        with closing(read_ahead(video.frames)) as frames:
            for frame in frames:
                yield vectors(self._embed([frame]))

    # Inference mode must not span a yield: it would leak into the caller.
    @torch.inference_mode()
    @stage("encoder")
    def _embed(self, frames: list[Frame]) -> Any:  # noqa: ANN401 - as the network has it
        inputs = torch.stack([self.view.prepare(frame) for frame in frames])
        return self.net.embed(inputs.to(self._device, memory_format=torch.channels_last))

    @torch.inference_mode()
    def _maps(self, anchor: Any, frames: list[Frame], known: Any) -> list[FloatMap]:  # noqa: ANN401 - likewise
        current = self._embed(frames) if known is None else known
        with stage("matching"):
            logits = self.net.segment(anchor, current)
        with stage("post"):
            return [
                self.view.restore(x, (frame.shape[0], frame.shape[1])) for x, frame in zip(logits, frames, strict=True)
            ]
