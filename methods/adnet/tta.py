"""Test-time augmentation: the mean over several views of a frame, at three scales and mirrored."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from vosbench.engine.stages import stage
from vosbench.method import FloatMap
from vosbench.method.nn.predictor import Network
from vosbench.method.nn.views import AlignedView, Frame
from vosbench.methods.adnet.masks import Mask

SCALES = (0.75, 1.0, 1.5)


def rescaled(view: AlignedView, scale: float) -> AlignedView:
    """Scale a view, its sides rounded down to 8 n + 1 pixels (`eval.py` of yz93/anchor-diff-VOS).

    >>> view = rescaled(AlignedView(height=481, width=857), 0.75)
    >>> view.width, view.height
    (641, 353)
    """
    height, width = (int((side * scale - 1) // 8) * 8 + 1 for side in (view.height, view.width))
    return AlignedView(height=height, width=width)


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

    def __init__(self, net: Network, views: tuple[AlignedView, ...], device: torch.device, *, mirror: bool) -> None:
        self._net = net
        self._views = views
        self._mirror = mirror
        self._device = device
        self.network = cast("nn.Module", net)
        self.inputs = [view.input for view in views]

    @torch.inference_mode()
    def anchors(self, frame: Frame) -> list[Tensor | None]:
        """Encode the anchor: (1, C, h, w) per view, or (2, C, h, w) with the mirrored one; None if not needed."""
        if not self._net.anchored:
            return [None] * len(self._views)
        return [self._embed(view, [frame]) for view in self._views]

    @torch.inference_mode()
    def logits(self, anchors: list[Tensor | None], frames: list[Frame]) -> list[Tensor]:
        """Segment F frames.

        Args:
            anchors: of the same video.
            frames: (H, W, 3) each.

        Returns:
            (V, H, W) logits per frame: upright views first, then mirrored ones, mirrored back.
        """
        passes = [
            self._segment(self._repeat(anchor, len(frames)), self._embed(view, frames))
            for view, anchor in zip(self._views, anchors, strict=True)
        ]
        with stage("post"):
            return [torch.cat(self._restored(passes, index, frame)) for index, frame in enumerate(frames)]

    @stage("matching")
    def _segment(self, anchor: Tensor | None, current: Tensor) -> Tensor:
        return self._net.segment(anchor, current)

    @stage("encoder")
    def _embed(self, view: AlignedView, frames: list[Frame]) -> Tensor:
        inputs = torch.stack([view.prepare(frame) for frame in frames])
        if self._mirror:
            inputs = torch.cat([inputs, inputs.flip(3)])
        return self._net.embed(inputs.to(self._device, memory_format=torch.channels_last))

    def _repeat(self, anchor: Tensor | None, frames: int) -> Tensor | None:
        return anchor.repeat_interleave(frames, dim=0) if anchor is not None and self._mirror else anchor

    def _restored(self, passes: list[Tensor], index: int, frame: Frame) -> list[Tensor]:
        upright = [_large(logits[index : index + 1], frame) for logits in passes]
        if not self._mirror:
            return upright
        return upright + [
            _large(logits[i : i + 1], frame).flip(2) for logits in passes for i in (len(logits) // 2 + index,)
        ]


def _large(logits: Tensor, frame: Frame) -> Tensor:
    """(1, 1, h, w) → (1, H, W), corners aligned."""
    size = (frame.shape[0], frame.shape[1])
    return functional.interpolate(logits, size=size, mode="bilinear", align_corners=True)[0]
