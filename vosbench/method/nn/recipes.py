"""The recipes of AD-Net (Yang et al., ICCV 2019, section 4) and of F2Net's baseline (Liu et al., AAAI 2021).

`PairRecipe` trains any network that sees a frame and possibly an anchor, `SquareRecipe` any network that sees one
frame. What F2Net itself adds is in `vosbench.methods.f2net.recipe`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, cast

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from vosbench.dataset import Video
from vosbench.method.nn.augment import Box, Look, Shot, enclosing, pick, read, share, squashed, turned, turns, whole
from vosbench.method.nn.deeplab import AdnetEncoder, StrideOn
from vosbench.method.nn.losses import enlarge, mask_loss, official_loss, overlap_loss
from vosbench.method.nn.predictor import Network, choose
from vosbench.method.nn.views import Side
from vosbench.method.recipe import Example, Material, P, Plan, read_plan

Kind = Literal["image", "video"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variants(Generic[T]):
    """The variants of a method, and the values of their recipes.

    Attributes:
        method: its name.
        networks: variant → whatever the method makes of it.
        default: what the method's bare name stands for.
        values: a YAML file with a section per variant, or the sections ``full`` and ``tiny``.
    """

    method: str
    networks: Mapping[str, T]
    default: str
    values: Path

    def plan(self, variant: str, kind: type[P], changes: Mapping[str, str]) -> tuple[T, P]:
        """Find what a variant stands for, and read its plan.

        Args:
            variant: as typed behind the dot; ``""`` for the default.
            kind: the plan to make.
            changes: hyper-parameters set by the user, as text.

        Raises:
            UsageError: if the variant or a hyper-parameter is unknown, or a value is not allowed.
        """
        network, name = choose(variant, self.method, self.networks, self.default), variant or self.default
        return network, read_plan(self.values, name, kind, changes, f"{self.method}.{name}")


class PairPlan(Plan):
    """Hyper-parameters of a recipe that crops around the foreground, like AD-Net's."""

    height: Side = Field(description="of the crops, resized; 8 n + 1 pixels")
    width: Side = Field(description="of the crops, resized; 8 n + 1 pixels")
    images: float = Field(ge=0, le=1, description="probability that an example is a still image, if there are any")
    whole: float = Field(ge=0, le=1, description="probability that a pair's frames are not cropped")
    upright: float = Field(ge=0, le=1, description="probability of no rotation; the seven others share the rest")
    mirror: float = Field(ge=0, le=1, description="probability that an example is mirrored")
    recolour: float = Field(ge=0, le=1, description="probability that an example's colours are exchanged")
    auxiliary: float = Field(ge=0, description="weight of the auxiliary head's loss; baseline only")
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
        """One group; it includes the auxiliary head if the plan gives it a loss."""
        trained = [x for name, x in net.named_parameters() if "dsn" not in name.split(".") or self._has_auxiliary(net)]
        return [{"params": trained}]

    def example(self, material: Material, step: int, rng: np.random.Generator) -> Example:  # noqa: ARG002
        """Sample a pair; see `vosbench.method.Recipe`.

        Returns:
            ``frame`` and ``anchor`` (3, h, w); ``mask`` and ``weight`` of the frame, (1, h, w).
        """
        video = self._sample_video(material, rng)
        first, *others = sorted(video.annotations)
        index = others[int(rng.integers(len(others)))] if others else first
        turn, look = turns(self.plan.upright, rng), Look.sample(self.plan.mirror, self.plan.recolour, rng)
        size = (self.plan.height, self.plan.width)
        shots, cropped = (read(video, first), read(video, index)), rng.random() >= self.plan.whole
        boxes = [enclosing(shot.mask, rng) if cropped else whole(shot.mask) for shot in shots]
        anchor, current = (turned(look.at(box.cut(shot)), size, turn) for shot, box in zip(shots, boxes, strict=True))
        return {"anchor": anchor.frame, **current._asdict()}

    def _sample_video(self, material: Material, rng: np.random.Generator) -> Video:
        """Sample a video, or a still image, which is its own anchor."""
        still = bool(material.images) and (not material.videos or rng.random() < self.plan.images)
        return pick(material.images, rng, "images") if still else pick(material.videos, rng)

    def losses(self, net: nn.Module, batch: Mapping[str, Tensor], step: int) -> Mapping[str, Tensor]:  # noqa: ARG002
        """Binary cross-entropy on the logits, interpolated to the crops; pixels outside the picture do not count.

        Anchors and frames are encoded in one batch, and gradients flow through both.
        """
        frame, mask, weight = batch["frame"], batch["mask"], batch["weight"]
        size = (mask.shape[2], mask.shape[3])
        network, auxiliary = cast("Network[Tensor]", net), None
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


class SquarePlan(Plan):
    """Hyper-parameters of a recipe that squashes frames and alternates image and video steps, like F2Net's."""

    side: Side = Field(description="of the square, in pixels; 8 n + 1")
    crop: float = Field(gt=0, le=1, description="share of each side that a crop of a video step keeps")
    enclose: float = Field(ge=0, le=1, description="probability that such a crop encloses the foreground instead")
    mirror: float = Field(ge=0, le=1, description="probability that an example is mirrored")
    recolour: float = Field(ge=0, le=1, description="probability that an example's colours are exchanged")
    cycle: int = Field(ge=1, description="every so many steps, one is an image step; 1 for image steps only")
    mask_loss: Literal["bce", "official"] = Field(description="the paper's, or the released code's")
    overlap: float = Field(ge=0, description="weight of the soft Jaccard loss next to it")
    stride_on: StrideOn = Field(
        default="conv1", description="the convolution of a stage with its stride: conv1, or conv2 as in torchvision"
    )


def kind_of(step: int, plan: SquarePlan) -> Kind:
    """Return the kind of a step: of every ``cycle`` steps the first is an image step, the others are video steps."""
    return "image" if step % plan.cycle == 0 else "video"


def sample_image(material: Material, rng: np.random.Generator) -> Shot:
    """Sample a still image, or an annotated frame of a video if there are no images."""
    video = pick(material.images, rng, "images") if material.images else pick(material.videos, rng)
    indices = sorted(video.annotations)
    return read(video, indices[int(rng.integers(len(indices)))])


def sample_box(plan: SquarePlan, shots: Sequence[Shot], rng: np.random.Generator) -> Box:
    """Sample the crop that the frames of a video step share; an enclosing one encloses the object in all of them."""
    if rng.random() < plan.enclose:
        return enclosing(np.logical_or.reduce([shot.mask for shot in shots]), rng)
    return share(shots[0].mask.shape, plan.crop, rng)


def sample_look(plan: SquarePlan, kind: Kind, rng: np.random.Generator) -> Look:
    """Sample the look of an example; images are not mirrored."""
    return Look.sample(plan.mirror if kind == "video" else 0.0, plan.recolour, rng)


def mask_terms(logits: Tensor, mask: Tensor, plan: SquarePlan) -> dict[str, Tensor]:
    """The plan's losses of logits, (B, 1, h, w), interpolated to masks, (B, 1, H, W): ``mask``, perhaps ``overlap``."""
    large = enlarge(logits, (mask.shape[2], mask.shape[3]), aligned=False)
    terms = {"mask": mask_loss(large, mask) if plan.mask_loss == "bce" else official_loss(large, mask)}
    if plan.overlap:
        terms["overlap"] = plan.overlap * overlap_loss(large, mask)
    return terms


def frozen(name: str) -> bool:
    """Whether a parameter of F2Net's encoder is not trained: normalisation in projected shortcuts, as released."""
    return ".downsample.1." in name


def reset_convolutions(encoder: nn.Module) -> None:
    """Initialise an encoder's convolutions with torch's defaults.

    The N(0, 0.01²) of F2Net's authors is meant for layers on top of a trained encoder.
    """
    for layer in encoder.modules():
        if isinstance(layer, nn.Conv2d):
            layer.reset_parameters()


@dataclass(frozen=True, slots=True, kw_only=True)
class SquareRecipe:
    """Single frames of images and videos in turn, squashed to a square: the baseline's recipe.

    Attributes:
        plan: the hyper-parameters.
        make: builds the network, a `vosbench.method.nn.predictor.Network` that needs no anchor.
    """

    plan: SquarePlan
    make: Callable[[], nn.Module]

    def build(self) -> nn.Module:
        """See `vosbench.method.Recipe`."""
        net = self.make()
        reset_convolutions(net)
        return net

    def groups(self, net: nn.Module) -> list[dict[str, Any]]:
        """One group: the network is an encoder, and encoders learn at the plan's rate."""
        return [{"params": [x for name, x in net.named_parameters() if not frozen(name)]}]

    def example(self, material: Material, step: int, rng: np.random.Generator) -> Example:
        """Sample a frame; see `vosbench.method.Recipe`.

        Returns:
            ``frame`` (3, side, side) and ``mask`` (1, side, side).
        """
        kind = kind_of(step, self.plan)
        if kind == "image":
            shot = sample_image(material, rng)
        else:
            shot = sample_image(Material(videos=material.videos), rng)
            shot = sample_box(self.plan, [shot], rng).cut(shot)
        sample = squashed(sample_look(self.plan, kind, rng).at(shot), self.plan.side)
        return {"frame": sample.frame, "mask": sample.mask}

    def losses(self, net: nn.Module, batch: Mapping[str, Tensor], step: int) -> Mapping[str, Tensor]:  # noqa: ARG002
        """The loss of the mask; as the encoder's only output it has full weight in image steps too."""
        network = cast("Network[Tensor]", net)
        logits = network.segment(None, network.embed(batch["frame"]))
        return mask_terms(logits, batch["mask"], self.plan)
