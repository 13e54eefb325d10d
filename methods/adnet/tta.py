"""Test-time augmentation: the mean over several views of a frame, at three scales and mirrored."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, cast

import torch
from torch import Tensor, nn

from vosbench.engine.stages import stage
from vosbench.method import FloatMap
from vosbench.method.nn.predictor import Network
from vosbench.method.nn.views import Frame, View
from vosbench.methods.adnet.masks import Mask

SCALES = (0.75, 1.0, 1.5)


class Heat(NamedTuple):
    """The prediction for a frame: the (H, W) saliency map in [0, 1], and the (H, W) mask."""

    saliency: FloatMap
    mask: Mask


@dataclass(frozen=True, slots=True)
class Preset:
    """How views are combined into a map and a mask.

    Attributes:
        space: what is averaged over views and compared with the threshold.
        threshold: in that space; the mask lies strictly above it.
        gating: whether masks are gated by the previous one.
    """

    space: Literal["logit", "probability"]
    threshold: float
    gating: bool

    @stage("post")
    def average(self, logits: Tensor) -> Heat:
        """(V, H, W) logits of V views of a frame → its map and mask."""
        if self.space == "logit":
            mean = logits.mean(dim=0)
            saliency = torch.sigmoid(mean)
        else:
            mean = saliency = torch.sigmoid(logits).mean(dim=0)
        return Heat(saliency.float().cpu().numpy(), (mean > self.threshold).cpu().numpy())


PRESETS = {
    "paper": Preset("probability", 0.5, gating=False),
    "official": Preset("logit", 0.5, gating=True),
}


class Ensemble:
    """A network applied to several views of a frame; the anchor is encoded once per view.

    A mirrored view shares its pass with the upright one of the same size, and has a mirrored anchor.

    Args:
        net: the network, on its device.
        views: one per size, in order.
        device: the network's.
        mirror: whether every size is also mirrored.
    """

    def __init__(self, net: Network[Any], views: tuple[View, ...], device: torch.device, *, mirror: bool) -> None:
        self._net = net
        self._views = views
        self._mirror = mirror
        self._device = device
        self.network = cast("nn.Module", net)
        self.inputs = [view.input for view in views]

    @torch.inference_mode()
    def anchors(self, frame: Frame) -> list[Any]:
        """Encode the anchor: (1, C, h, w) per view, or (2, C, h, w) with the mirrored one; None if not needed.

        A network may know several such tensors of a frame.
        """
        if not self._net.anchored:
            return [None] * len(self._views)
        return [self._embed(view, [frame]) for view in self._views]

    @torch.inference_mode()
    def logits(self, anchors: list[Any], frames: list[Frame]) -> list[Tensor]:
        """Segment F frames.

        Args:
            anchors: of the same video.
            frames: (H, W, 3) each.

        Returns:
            (V, H, W) logits per frame: upright views first, then mirrored ones, mirrored back.
        """
        passes = [
            self._segment(_repeated(anchor, len(frames)) if self._mirror else anchor, self._embed(view, frames))
            for view, anchor in zip(self._views, anchors, strict=True)
        ]
        with stage("post"):
            return [torch.cat(self._restored(passes, index, frame)) for index, frame in enumerate(frames)]

    @stage("matching")
    def _segment(self, anchor: Any, current: Any) -> Tensor:  # noqa: ANN401 - as the network has it
        return self._net.segment(anchor, current)

    @stage("encoder")
    def _embed(self, view: View, frames: list[Frame]) -> Any:  # noqa: ANN401 - likewise
        inputs = torch.stack([view.prepare(frame) for frame in frames])
        if self._mirror:
            inputs = torch.cat([inputs, inputs.flip(3)])
        return self._net.embed(inputs.to(self._device, memory_format=torch.channels_last))

    def _restored(self, passes: list[Tensor], index: int, frame: Frame) -> list[Tensor]:
        size = (frame.shape[0], frame.shape[1])
        views = list(zip(self._views, passes, strict=True))
        upright = [view.enlarged(logits[index : index + 1], size)[0] for view, logits in views]
        if not self._mirror:
            return upright
        mirrored = [view.enlarged(x[len(x) // 2 + index :][:1], size)[0].flip(2) for view, x in views]
        return upright + mirrored


def _repeated(anchor: Any, frames: int) -> Any:  # noqa: ANN401 - as the network has it
    """Repeat each half of an anchor for the frames of a mirrored batch."""
    if isinstance(anchor, tuple):
        parts = [_repeated(part, frames) for part in anchor]
        return type(anchor)(*parts) if hasattr(anchor, "_fields") else tuple(parts)
    return anchor if anchor is None else anchor.repeat_interleave(frames, dim=0)
