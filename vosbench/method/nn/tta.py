"""Test-time augmentation: several views of a frame, at other scales and mirrored, whose outputs are averaged.

The anchor of a view is the first frame in the same view, so a mirrored frame has a mirrored anchor.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from vosbench.dataset import Video
from vosbench.engine.stages import stage
from vosbench.method.method import FloatMap, State
from vosbench.method.nn.predictor import FramePredictor, Network, NetworkPredictor
from vosbench.method.nn.views import Resized, View, inputs
from vosbench.method.options import numbers
from vosbench.method.predict import batches


@dataclass(frozen=True, slots=True)
class Views:
    """The views of a frame. A mirrored view shares a pass with the upright one of the same size.

    Attributes:
        sizes: one view per size, in order.
        mirror: whether every size is also mirrored.
    """

    sizes: tuple[View, ...]
    mirror: bool = False

    @classmethod
    def asked(cls, view: View, options: Mapping[str, str]) -> "Views":
        """What the options `scales` and `flip` make of a view (`vosbench.method.options.view_options`)."""
        scales = numbers(options.get("scales", "1"))
        sizes = tuple(view if scale == 1 else view.rescaled(scale) for scale in scales)
        return cls(sizes, options.get("flip") == "yes")

    @property
    def single(self) -> View | None:
        """The view if it is only one."""
        return self.sizes[0] if len(self.sizes) == 1 and not self.mirror else None

    def read(self, path: Path) -> Resized:
        """Read a frame, in all sizes."""
        return Resized.read(path, self.sizes)

    def inputs(self, index: int, frames: Sequence[Resized], device: torch.device) -> Tensor:
        """F frames in a size → (F, 3, h, w), or (2 F, 3, h, w): upright frames first, then mirrored ones."""
        upright = inputs(self.sizes[index], [frame.pictures[index] for frame in frames], device)
        both = torch.cat([upright, upright.flip(3)]) if self.mirror else upright
        return both.contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True, slots=True)
class Outputs:
    """The outputs for a frame in all views.

    Attributes:
        views: the views.
        passes: (F, 1, h, w) or (2 F, 1, h, w) logits per size, of F frames.
        index: of the frame among them.
        size: (H, W) of the frame.
    """

    views: Views
    passes: Sequence[Tensor]
    index: int
    size: tuple[int, int]

    def logits(self) -> Tensor:
        """Logits, (V, H, W): upright views first, then mirrored ones, mirrored back."""
        return self._restored(lambda view, x: view.enlarged(x[None], self.size)[0, 0])

    def maps(self) -> Tensor:
        """Probabilities, (V, H, W), likewise: each is the map that its view alone would give."""
        return self._restored(lambda view, x: torch.from_numpy(view.restore(x, self.size)))

    def mean(self) -> FloatMap:
        """The mean of the maps, (H, W) in [0, 1]."""
        maps: FloatMap = self.maps().mean(dim=0).numpy()
        return maps

    def _restored(self, convert: Callable[[View, Tensor], Tensor]) -> Tensor:
        pairs = list(zip(self.views.sizes, self.passes, strict=True))
        all_views = [convert(view, x[self.index]) for view, x in pairs]
        if self.views.mirror:
            all_views += [convert(view, x[len(x) // 2 + self.index]).flip(1) for view, x in pairs]
        return torch.stack(all_views)


class Ensemble:
    """A network applied to several views of a frame; the anchor is encoded once per view.

    Args:
        net: the network, on its device.
        views: of each frame.
        device: the network's.
    """

    def __init__(self, net: Network[Any], views: Views, device: torch.device) -> None:
        self._net = net
        self.views = views
        self._device = device
        self.network = cast("nn.Module", net)
        self.inputs = [view.input for view in views.sizes]

    @torch.inference_mode()
    def anchors(self, frame: Resized) -> list[Any]:
        """Encode the anchor: (1, C, h, w) per size, or (2, C, h, w) with the mirrored one; None if not needed.

        A network may know several such tensors of a frame.
        """
        if not self._net.anchored:
            return [None] * len(self.views.sizes)
        return [self._embed(index, [frame]) for index in range(len(self.views.sizes))]

    @torch.inference_mode()
    def outputs(self, anchors: list[Any], frames: list[Resized], known: list[Any] | None = None) -> list[Outputs]:
        """Segment F frames.

        Args:
            anchors: of the same video.
            frames: in the sizes of the views.
            known: what `anchors` returns for the frame, if it is one frame; it is encoded anew if None.

        Returns:
            the outputs of each.
        """
        mirror = self.views.mirror
        encoded = known or (self._embed(index, frames) for index in range(len(anchors)))
        passes = [
            self._segment(_repeated(anchor, len(frames)) if mirror else anchor, current)
            for anchor, current in zip(anchors, encoded, strict=True)
        ]
        return [Outputs(self.views, passes, i, frame.size) for i, frame in enumerate(frames)]

    @stage("matching")
    def _segment(self, anchor: Any, current: Any) -> Tensor:  # noqa: ANN401 - as the network has it
        return self._net.segment(anchor, current)

    @stage("encoder")
    def _embed(self, index: int, frames: list[Resized]) -> Any:  # noqa: ANN401 - likewise
        return self._net.embed(self.views.inputs(index, frames, self._device))


class EnsemblePredictor(NetworkPredictor):
    """Maps averaged over views; each depends only on its frame and the anchor.

    Args:
        ensemble: the network and its views.
        average: the outputs of a frame → its map; runs in inference mode.
        batch: frames per pass; see `vosbench.method.predict.batches`.
    """

    def __init__(
        self, ensemble: Ensemble, average: Callable[[Outputs], FloatMap] = Outputs.mean, batch: int = 1
    ) -> None:
        super().__init__(ensemble.network, ensemble.inputs)
        self._ensemble = ensemble
        self._average = average
        self._batch = batch

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:  # noqa: ARG002 - has no state
        """See `NetworkPredictor`."""
        with closing(self.outputs(video, start)) as found:
            for outputs in found:
                with torch.inference_mode(), stage("post"):
                    values = self._average(outputs)
                yield values

    def outputs(self, video: Video, start: int) -> Generator[Outputs, None, None]:
        """Yield what the network says of frames ``start``, ``start + 1``, …, in all views."""
        if start >= len(video):
            return
        read_views = self._ensemble.views.read
        anchors = self._ensemble.anchors(read_views(video.frames[0])) if start else []
        with closing(batches(video, start, self._batch, read_views)) as read:
            for frames, done in read:
                known = None
                if not anchors:  # the video begins, with the anchor
                    anchors = self._ensemble.anchors(frames[0])
                    alone = len(frames) == 1 and None not in anchors  # in a batch, sums may be rounded otherwise
                    known = anchors if alone else None
                yield from self._ensemble.outputs(anchors, frames, known)[done:]


def map_predictor(
    net: Network[Any],
    views: Views,
    device: torch.device,
    batch: int,
    average: Callable[[Outputs], FloatMap] = Outputs.mean,
) -> FramePredictor | EnsemblePredictor:
    """The predictor of soft maps in one view or several."""
    if views.single:
        return FramePredictor(net, views.single, device, batch)
    return EnsemblePredictor(Ensemble(net, views, device), average, batch)


def _repeated(anchor: Any, frames: int) -> Any:  # noqa: ANN401 - as the network has it
    """Repeat each half of an anchor for the frames of a mirrored batch."""
    if isinstance(anchor, tuple):
        parts = [_repeated(part, frames) for part in anchor]
        return type(anchor)(*parts) if hasattr(anchor, "_fields") else tuple(parts)
    return anchor if anchor is None else anchor.repeat_interleave(frames, dim=0)
