"""AD-Net's recipe, for every network that sees a frame and perhaps an anchor (Yang et al., ICCV 2019, section 4)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from vosbench.dataset import Video
from vosbench.method.nn.augment import Look, enclosing, pick, read, turned, turns, whole
from vosbench.method.nn.deeplab import AdnetEncoder
from vosbench.method.nn.losses import enlarge, mask_loss, overlap_loss
from vosbench.method.nn.predictor import Network
from vosbench.method.nn.views import Side
from vosbench.method.recipe import Example, Material, Plan


class PairPlan(Plan):
    """Of a recipe that draws crops around the foreground, as AD-Net's."""

    height: Side = Field(description="of the crops, resized; 8 n + 1 pixels")
    width: Side = Field(description="of the crops, resized; 8 n + 1 pixels")
    images: float = Field(ge=0, le=1, description="chance that an example is of a still image, if there are any")
    whole: float = Field(ge=0, le=1, description="chance that a pair's frames are not cropped")
    upright: float = Field(ge=0, le=1, description="chance of no rotation; the seven others share the rest")
    mirror: float = Field(ge=0, le=1, description="chance that an example is mirrored")
    recolour: float = Field(ge=0, le=1, description="chance that an example's colours are exchanged")
    auxiliary: float = Field(ge=0, description="weight of the loss of the encoder's auxiliary head, baseline alone")
    overlap: float = Field(ge=0, description="weight of the soft Jaccard loss next to the cross-entropy")


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRecipe:
    """Pairs of a video's first annotated frame and a random other one, or of a still image twice, cropped and rotated.

    Attributes:
        plan: the hyper-parameters.
        make: builds the network, an `AdnetEncoder` or one around it.
    """

    plan: PairPlan
    make: Callable[[], nn.Module]

    def build(self) -> nn.Module:
        """See `vosbench.method.Recipe`."""
        return self.make()

    def groups(self, net: nn.Module) -> list[dict[str, Any]]:
        """One group; the auxiliary head is in it if the plan gives it a loss."""
        trained = [x for name, x in net.named_parameters() if "dsn" not in name.split(".") or self._has_auxiliary(net)]
        return [{"params": trained}]

    def example(self, material: Material, step: int, rng: np.random.Generator) -> Example:  # noqa: ARG002
        """Draw a pair; see `vosbench.method.Recipe`.

        Returns:
            ``frame`` and ``anchor`` (3, h, w), ``mask`` and ``weight`` (1, h, w) of the frame.
        """
        video = self._draw(material, rng)
        first, *others = sorted(video.annotations)
        index = others[int(rng.integers(len(others)))] if others else first
        turn, look = turns(self.plan.upright, rng), Look.draw(self.plan.mirror, self.plan.recolour, rng)
        size = (self.plan.height, self.plan.width)
        shots, cropped = (read(video, first), read(video, index)), rng.random() >= self.plan.whole
        boxes = [enclosing(shot.mask, rng) if cropped else whole(shot.mask) for shot in shots]
        anchor, current = (turned(look.at(box.cut(shot)), size, turn) for shot, box in zip(shots, boxes, strict=True))
        return {"anchor": anchor.frame, **current._asdict()}

    def _draw(self, material: Material, rng: np.random.Generator) -> Video:
        """Draw a video, or a still image, which is its own anchor."""
        still = bool(material.images) and (not material.videos or rng.random() < self.plan.images)
        return pick(material.images, rng, "images") if still else pick(material.videos, rng)

    def losses(self, net: nn.Module, batch: Mapping[str, Tensor], step: int) -> Mapping[str, Tensor]:  # noqa: ARG002
        """Binary cross-entropy on the logits, interpolated to the crops; pixels outside the picture do not count.

        The anchors are encoded with the frames, in one batch, and pass gradients on.
        """
        frame, mask, weight = batch["frame"], batch["mask"], batch["weight"]
        size = (mask.shape[2], mask.shape[3])
        network, auxiliary = cast("Network", net), None
        if self._has_auxiliary(net):
            logits, auxiliary = cast("AdnetEncoder", net).both(frame)
        elif network.anchored:
            anchor, current = network.embed(torch.cat([batch["anchor"], frame])).chunk(2)
            logits = network.segment(anchor, current)
        else:
            logits = network.segment(None, network.embed(frame))
        large = enlarge(logits, size, aligned=True)
        losses = {"mask": mask_loss(large, mask, weight)}
        if auxiliary is not None:
            losses["auxiliary"] = self.plan.auxiliary * mask_loss(enlarge(auxiliary, size, aligned=True), mask, weight)
        if self.plan.overlap:
            losses["overlap"] = self.plan.overlap * overlap_loss(large, mask, weight)
        return losses

    def _has_auxiliary(self, net: nn.Module) -> bool:
        return self.plan.auxiliary > 0 and isinstance(net, AdnetEncoder)
