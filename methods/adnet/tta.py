"""AD-Net's two ways of averaging views into a map and a mask: as the paper describes it, and as released."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch

from vosbench.method import FloatMap
from vosbench.method.nn.tta import Outputs
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

    @torch.inference_mode()
    def average(self, outputs: Outputs) -> Heat:
        """The outputs for a frame → its map and mask."""
        if self.space == "logit":
            mean = outputs.logits().mean(dim=0)
            saliency = torch.sigmoid(mean)
        else:
            mean = saliency = outputs.maps().mean(dim=0)
        return Heat(saliency.float().cpu().numpy(), (mean > self.threshold).cpu().numpy())

    def saliency(self, outputs: Outputs) -> FloatMap:
        """The map alone."""
        return self.average(outputs).saliency


PRESETS = {
    "paper": Preset("probability", 0.5, gating=False),
    "official": Preset("logit", 0.5, gating=True),
}
