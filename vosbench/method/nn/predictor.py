"""From a `Setup` to a network ready for inference, and from a network to the maps of a video.

`choose` and `ready` serve every method here. `FramePredictor` drives a network that needs only the current frame and
the first one; a method with state brings its own `NetworkPredictor`.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import torch
from torch import Tensor, nn

from vosbench.dataset import Video
from vosbench.engine.stages import is_collecting, stage
from vosbench.errors import UsageError
from vosbench.method.method import FloatMap, Setup, State
from vosbench.method.nn.precision import device, hasten
from vosbench.method.nn.views import Resized, View, inputs
from vosbench.method.nn.weights import fill
from vosbench.method.predict import Stateless, batches, one_ahead

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
        batch: frames per pass; see `vosbench.method.predict.batches`. They are resized in the thread that reads them.
    """

    def __init__(self, net: Network[Any], view: View, device: torch.device, batch: int = 1) -> None:
        super().__init__(cast("nn.Module", net), [view.input])
        self.net = net
        self.view = view
        self._device = device
        self._batch = batch
        self.overlapping = device.type == "cuda"  # a processor would compute no more in the same time

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:  # noqa: ARG002 - has no state
        """See `NetworkPredictor`. A GPU begins a batch before the maps of the one in front of it are used."""
        with closing(self._passes(video, start)) as passes:
            for found, done in one_ahead(passes) if self.overlapping and not is_collecting() else passes:
                with stage("post"):
                    maps = found.maps(self.view)
                yield from maps[done:]

    def _passes(self, video: Video, start: int) -> Generator[tuple["Pass", int], None, None]:
        """Begin the passes of a video; and tell how many frames of each lie before ``start``."""
        if start >= len(video):
            return
        anchor = self._embed([self._read(video.frames[0])]) if self.net.anchored and start else None
        with closing(batches(video, start, self._batch, self._read)) as read:
            for frames, done in read:
                known = None
                if self.net.anchored and anchor is None:  # the video begins, with the anchor
                    anchor = self._embed(frames[:1])
                    known = anchor if len(frames) == 1 else None  # in a batch, sums may be rounded otherwise
                yield self._begin(anchor, frames, known), done

    def embeddings(self, video: Video) -> Iterator[FloatMap]:
        """See `vosbench.method.method.Embedder`; of baselines that end in the encoder, the logits alone."""
        with closing(batches(video, 0, 1, self._read)) as read:
            for frames, _ in read:
                yield vectors(self._embed(frames))

    def _read(self, path: Path) -> Resized:
        return Resized.read(path, [self.view])

    # Inference mode must not span a yield: it would leak into the caller.
    @torch.inference_mode()
    @stage("encoder")
    def _embed(self, frames: list[Resized]) -> Any:  # noqa: ANN401 - as the network has it
        return self.net.embed(inputs(self.view, [frame.pictures[0] for frame in frames], self._device))

    @torch.inference_mode()
    def _begin(self, anchor: Any, frames: list[Resized], known: Any) -> "Pass":  # noqa: ANN401 - likewise
        current = self._embed(frames) if known is None else known
        with stage("matching"):
            logits = self.net.segment(anchor, current)
        with stage("post"):
            sizes = [frame.size for frame in frames]
            return Pass.begun([self.view.probabilities(x, size) for x, size in zip(logits, sizes, strict=True)], sizes)


@dataclass(frozen=True, slots=True)
class Pass:
    """What a network says of some frames, on its way to the processor's memory.

    Attributes:
        probabilities: of each frame, as its view has them.
        sizes: (H, W) of each frame.
        wait: waits until the probabilities have arrived.
    """

    probabilities: list[Tensor]
    sizes: list[tuple[int, int]]
    wait: Callable[[], object]

    @classmethod
    def begun(cls, probabilities: list[Tensor], sizes: list[tuple[int, int]]) -> "Pass":
        """Send probabilities off, all of one device."""
        if probabilities[0].device.type != "cuda":
            return cls([x.cpu() for x in probabilities], sizes, lambda: None)
        copies = [x.to("cpu", non_blocking=True) for x in probabilities]  # into pinned memory
        with torch.cuda.device(probabilities[0].device):
            arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
            arrived.record()
        return cls(copies, sizes, arrived.synchronize)

    def maps(self, view: View) -> list[FloatMap]:
        """Wait for the probabilities, and make the maps."""
        self.wait()
        return [view.finish(x.numpy(), size) for x, size in zip(self.probabilities, self.sizes, strict=True)]
