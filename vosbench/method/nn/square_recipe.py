"""F2Net's two alternating steps, for networks that see one frame (Liu et al., AAAI 2021).

What F2Net itself adds is in `vosbench.methods.f2net.recipe`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from pydantic import Field
from torch import Tensor, nn

from vosbench.method.nn.augment import Box, Look, Shot, enclosing, pick, read, share, squashed
from vosbench.method.nn.losses import enlarge, mask_loss, official_loss, overlap_loss
from vosbench.method.nn.predictor import Network
from vosbench.method.nn.views import Side
from vosbench.method.recipe import Example, Material, Plan

Kind = Literal["image", "video"]


class SquarePlan(Plan):
    """Of a recipe that squashes frames to a square, and takes image and video steps in turn, as F2Net's."""

    side: Side = Field(description="of the square, in pixels; 8 n + 1")
    crop: float = Field(gt=0, le=1, description="share of each side that a crop of a video step keeps")
    enclose: float = Field(ge=0, le=1, description="chance that such a crop encloses the foreground instead")
    mirror: float = Field(ge=0, le=1, description="chance that an example is mirrored")
    recolour: float = Field(ge=0, le=1, description="chance that an example's colours are exchanged")
    cycle: int = Field(ge=1, description="of so many steps, the first is of images; 1 is images alone")
    mask_loss: Literal["bce", "official"] = Field(description="the paper's, or the released code's")
    overlap: float = Field(ge=0, description="weight of the soft Jaccard loss next to it")


def kind_of(step: int, plan: SquarePlan) -> Kind:
    """Say what a step takes: of every ``cycle`` steps the first takes images, the others videos."""
    return "image" if step % plan.cycle == 0 else "video"


def draw_image(material: Material, rng: np.random.Generator) -> Shot:
    """Draw a still image; if there are none, an annotated frame of a video stands for one."""
    video = pick(material.images, rng, "images") if material.images else pick(material.videos, rng)
    indices = sorted(video.annotations)
    return read(video, indices[int(rng.integers(len(indices)))])


def draw_box(plan: SquarePlan, shots: Sequence[Shot], rng: np.random.Generator) -> Box:
    """Draw the crop that the frames of a video step share; one that encloses does so in all of them."""
    if rng.random() < plan.enclose:
        return enclosing(np.logical_or.reduce([shot.mask for shot in shots]), rng)
    return share(shots[0].mask.shape, plan.crop, rng)


def draw_look(plan: SquarePlan, kind: Kind, rng: np.random.Generator) -> Look:
    """Draw how an example looks: images stay as they are but for their colours."""
    return Look.draw(plan.mirror if kind == "video" else 0.0, plan.recolour, rng)


def mask_terms(logits: Tensor, mask: Tensor, plan: SquarePlan) -> dict[str, Tensor]:
    """The plan's losses of logits, (B, 1, h, w), interpolated to masks, (B, 1, H, W): ``mask``, perhaps ``overlap``."""
    large = enlarge(logits, (mask.shape[2], mask.shape[3]), aligned=False)
    terms = {"mask": mask_loss(large, mask) if plan.mask_loss == "bce" else official_loss(large, mask)}
    if plan.overlap:
        terms["overlap"] = plan.overlap * overlap_loss(large, mask)
    return terms


def frozen(name: str) -> bool:
    """Whether a parameter of F2Net's encoder stays as it is: normalisation in projected shortcuts, as released."""
    return ".downsample.1." in name


def redraw(encoder: nn.Module) -> None:
    """Draw an encoder's convolutions as torch does.

    N(0, 0.01²), which F2Net's authors draw, is for layers behind an encoder that has been trained.
    """
    for layer in encoder.modules():
        if isinstance(layer, nn.Conv2d):
            layer.reset_parameters()


@dataclass(frozen=True, slots=True, kw_only=True)
class SquareRecipe:
    """Single frames of images and videos in turn, squashed to a square: the baseline's recipe.

    Attributes:
        plan: the hyper-parameters.
        make: builds the network: one of `vosbench.method.nn.predictor.Network` that needs no anchor.
    """

    plan: SquarePlan
    make: Callable[[], nn.Module]

    def build(self) -> nn.Module:
        """See `vosbench.method.Recipe`."""
        net = self.make()
        redraw(net)
        return net

    def groups(self, net: nn.Module) -> list[dict[str, Any]]:
        """One group: the network is an encoder, and encoders learn at the plan's rate."""
        return [{"params": [x for name, x in net.named_parameters() if not frozen(name)]}]

    def example(self, material: Material, step: int, rng: np.random.Generator) -> Example:
        """Draw a frame; see `vosbench.method.Recipe`.

        Returns:
            ``frame`` (3, side, side) and ``mask`` (1, side, side).
        """
        kind = kind_of(step, self.plan)
        if kind == "image":
            shot = draw_image(material, rng)
        else:
            shot = draw_image(Material(videos=material.videos), rng)
            shot = draw_box(self.plan, [shot], rng).cut(shot)
        sample = squashed(draw_look(self.plan, kind, rng).at(shot), self.plan.side)
        return {"frame": sample.frame, "mask": sample.mask}

    def losses(self, net: nn.Module, batch: Mapping[str, Tensor], step: int) -> Mapping[str, Tensor]:  # noqa: ARG002
        """The loss of the mask, which here is the encoder's only output: in image steps too it counts in full."""
        network = cast("Network", net)
        logits = network.segment(None, network.embed(batch["frame"]))
        return mask_terms(logits, batch["mask"], self.plan)
