"""F2Net's recipe (Liu et al., AAAI 2021, eq. 12 to 14). Values: `recipe.yaml`.

Image and video steps alternate; the prior is placed at the true centre first, and at the predicted one later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from vosbench.method import Example, Material, Recipe
from vosbench.method.nn.augment import pick, read, squashed
from vosbench.method.nn.camera import coverage
from vosbench.method.nn.deeplab import EncoderConfig, strided
from vosbench.method.nn.lite_recipe import LitePlan, LiteRecipe, embedded, lite_terms, pictured, sample_scene
from vosbench.method.nn.recipes import (
    SquarePlan,
    SquareRecipe,
    Variants,
    frozen,
    kind_of,
    mask_terms,
    reset_convolutions,
    sample_box,
    sample_image,
    sample_look,
)
from vosbench.methods.f2net.centre import Map, centre_of, splat_mask, to_pixels
from vosbench.methods.f2net.heads import Config
from vosbench.methods.f2net.network import VARIANTS, F2Net, LiteF2Net

VALUES = Path(__file__).with_name("recipe.yaml")


class CentrePlan(SquarePlan):
    """Hyper-parameters of F2Net beyond those of its baseline."""

    heads: float = Field(
        gt=0, description="learning rate of everything but the encoder, as a multiple of the encoder's"
    )
    truth: float = Field(ge=0, le=1, description="share of the steps, from the first, that use the true centre")
    auxiliary: float = Field(ge=0, description="weight of the loss of the encoder's own mask in image steps")
    centre: float = Field(ge=0, description="weight of the loss of the centre")


def heat_target(mask: NDArray[np.bool_], size: tuple[int, int]) -> Map:
    """The target heat map of a mask, (H, W), on a grid of size (h, w): zeros if the mask is empty."""
    target = splat_mask(mask, size)
    return np.zeros(size, dtype=np.float32) if target is None else target[0]


def top_centres(heat: Tensor, image: tuple[int, int]) -> Tensor:
    """The highest cells of heat maps, (B, 1, h, w), as (B, 2) pixels (x, y) of an input of size (H, W)."""
    size = (heat.shape[2], heat.shape[3])
    best = heat.detach().flatten(1).argmax(dim=1).cpu().numpy()
    cells = np.stack([best % size[1], best // size[1]], axis=1).astype(np.float64)
    return torch.from_numpy(to_pixels(cells, size, image)).to(heat.device, torch.float32)


def focal_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Penalty-reduced focal loss of heat maps (eq. 12), as in CornerNet, with α = 2 and β = 4.

    Cells of target 1 are positive. An example's sum is divided by the number of its positives; without any, only the
    negatives count, undivided. (Eq. 12 as printed omits the sign and the number.) The released code clamps
    probabilities to 1e-4 from 0 and 1. Clamped values have no gradient, so a confident but wrong branch would never
    recover; here they are not clamped.

    Args:
        logits: (B, 1, h, w).
        target: (B, 1, h, w), in [0, 1].

    Returns:
        the mean over examples.
    """
    p, hits = torch.sigmoid(logits), target.eq(1)
    positive = (functional.logsigmoid(logits) * (1 - p) ** 2).where(hits, 0).flatten(1).sum(dim=1)
    negative = (functional.logsigmoid(-logits) * p**2 * (1 - target) ** 4).where(~hits, 0).flatten(1).sum(dim=1)
    count = hits.flatten(1).sum(dim=1).clamp(min=1)
    return (-(positive + negative) / count).mean()


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreRecipe:
    """Images train the encoder and the centre branch, videos the whole network.

    Attributes:
        plan: the hyper-parameters.
        config: of the network.
    """

    plan: CentrePlan
    config: Config

    def build(self) -> nn.Module:
        """See `vosbench.method.Recipe`."""
        net = F2Net(self.config)
        reset_convolutions(net.encoder)
        return net

    def groups(self, net: nn.Module) -> list[dict[str, Any]]:
        """The encoder, and the rest at a multiple of its rate; modules that the variant does not use are left out."""
        unused = () if "spatial" in self.config.fusion else ("spatial_attention_conv",)
        named = [(name, x) for name, x in net.named_parameters() if not frozen(name) and not name.startswith(unused)]
        encoder = [x for name, x in named if name.startswith("encoder.")]
        heads = [x for name, x in named if not name.startswith("encoder.")]
        return [{"params": encoder}, {"params": heads, "scale": self.plan.heads}]

    def example(self, material: Material, step: int, rng: np.random.Generator) -> Example:
        """Sample an image, or a frame with its anchor and the previous frame; see `vosbench.method.Recipe`.

        Returns:
            ``frame`` (3, side, side), ``mask`` (1, side, side) and ``heat`` (1, h, w), the target at stride 4. In
            video steps also ``anchor`` (3, side, side), ``previous`` (1, h, w), the Gauss map of the previous mask,
            and ``centre`` (2,).
        """
        kind = kind_of(step, self.plan)
        side = self.plan.side
        size = ((side - 1) // 4 + 1, (side - 1) // 4 + 1)
        if kind == "image":
            sample = squashed(sample_look(self.plan, kind, rng).at(sample_image(material, rng)), side)
            return {"frame": sample.frame, "mask": sample.mask, "heat": heat_target(sample.mask[0] > 0, size)[None]}
        video = pick(material.videos, rng)
        indices = sorted(video.annotations)
        place = int(rng.integers(len(indices)))
        shots = [read(video, indices[i]) for i in (0, max(place - 1, 0), place)]
        box, look = sample_box(self.plan, shots, rng), sample_look(self.plan, kind, rng)
        anchor, before, current = (squashed(look.at(box.cut(shot)), side) for shot in shots)
        mask = current.mask[0] > 0
        return {
            "frame": current.frame,
            "mask": current.mask,
            "heat": heat_target(mask, size)[None],
            "anchor": anchor.frame,
            "previous": heat_target(before.mask[0] > 0, size)[None],
            "centre": centre_of(mask),
        }

    def losses(self, net: nn.Module, batch: Mapping[str, Tensor], step: int) -> Mapping[str, Tensor]:
        """Image step: the encoder's mask, and the centre without a previous frame. Video step: mask and centre."""
        network = cast("F2Net", net)
        located = network.guided or self.config.spare
        frame, mask, heat = batch["frame"], batch["mask"], batch["heat"]
        if kind_of(step, self.plan) == "image":
            features = network.encode(frame)
            terms = mask_terms(network.encoder.main_classifier(features.embedding), mask, self.plan)
            losses = {"auxiliary": self.plan.auxiliary * terms.pop("mask")}
            losses |= {name: self.plan.auxiliary * term for name, term in terms.items()}
            if located:
                guess = network.locate(features.pyramid, torch.zeros_like(heat))
                losses["centre"] = self.plan.centre * focal_loss(guess, heat)
            return losses
        both = network.encode(torch.cat([batch["anchor"], frame]))
        anchor, current = both.embedding.chunk(2)
        prior, losses = None, dict[str, Tensor]()
        if located:
            levels = cast("tuple[Tensor, Tensor, Tensor, Tensor]", tuple(x.chunk(2)[1] for x in both.pyramid))
            logits = network.locate(levels, batch["previous"])
            losses["centre"] = self.plan.centre * focal_loss(logits, heat)
            image, size = (frame.shape[2], frame.shape[3]), (current.shape[2], current.shape[3])
            true = step < self.plan.truth * self.plan.steps
            prior = network.prior(batch["centre"] if true else top_centres(logits, image), image, size)
        return losses | mask_terms(network.segment(anchor, current, prior), mask, self.plan)


class LiteCentrePlan(LitePlan):
    """Hyper-parameters of F2Net's heads on the small network."""

    truth: float = Field(ge=0, le=1, description="share of the steps, from the first, that use the true centre")
    centre: float = Field(ge=0, description="weight of the loss of the centre")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteCentreRecipe:
    """The recipe of the lite variants, and the centre; stills have no previous frame, like the first of a video.

    Attributes:
        plan: the hyper-parameters.
        config: of the network.
    """

    plan: LiteCentrePlan
    config: Config

    def build(self) -> nn.Module:
        """See `vosbench.method.Recipe`."""
        return self._base.build()

    def groups(self, net: nn.Module) -> list[dict[str, Any]]:
        """See `LiteRecipe`."""
        return self._base.groups(net)

    @property
    def _base(self) -> LiteRecipe:
        return LiteRecipe(plan=self.plan, make=lambda: LiteF2Net(self.config), anchored=True)

    def example(self, material: Material, step: int, rng: np.random.Generator) -> Example:
        """Sample a frame with its anchor; see `vosbench.method.Recipe`.

        Returns:
            what `LiteRecipe` returns, and ``heat`` (1, side / 4, side / 4), ``previous`` of the same shape, the Gauss
            map of the previous mask, and ``centre`` (2,).
        """
        side = self.plan.side_at(step)
        scene = sample_scene(material, self.plan, rng, anchored=True, previous=True)
        cells, mask = (side // 4, side // 4), scene.current.mask
        before = np.zeros(cells, np.float32) if scene.previous is None else heat_target(scene.previous, cells)
        square = coverage(mask, (side, side)) >= 0.5
        return {
            **pictured(scene, self.plan, side, rng),
            "heat": heat_target(mask, cells)[None],
            "previous": before[None],
            "centre": centre_of(square),
        }

    def losses(self, net: nn.Module, batch: Mapping[str, Tensor], step: int) -> Mapping[str, Tensor]:
        """The losses of `LiteRecipe`, and of the centre."""
        network, heat = cast("LiteF2Net", net), batch["heat"]
        anchor, current = embedded(network, batch)
        prior, losses = None, dict[str, Tensor]()
        if network.guided:
            logits = network.locate(current.pyramid, batch["previous"])
            losses["centre"] = self.plan.centre * focal_loss(logits, heat)
            image, size = (
                (4 * heat.shape[2], 4 * heat.shape[3]),
                (current.embedding.shape[2], current.embedding.shape[3]),
            )
            true = step < self.plan.truth * self.plan.steps
            prior = network.prior(batch["centre"] if true else top_centres(logits, image), image, size)
        mask = network.segment(anchor, current, prior)
        return losses | lite_terms(network, current, mask, batch["mask"], self.plan)


def recipe(variant: str, changes: Mapping[str, str]) -> Recipe:
    """Make the recipe of a variant; see `vosbench.method.nn.recipes.Variants.plan`."""
    networks = Variants(method="f2net", networks=VARIANTS, default="cgad-csa", values=VALUES)
    if variant.startswith("lite"):
        config, lite = networks.plan(variant, LiteCentrePlan, changes)
        if not config.attention:
            return LiteRecipe(plan=lite, make=lambda: LiteF2Net(config))
        return LiteCentreRecipe(plan=lite, config=config)
    config, plan = networks.plan(variant, CentrePlan, changes)
    assert isinstance(config.encoder, EncoderConfig)
    config = replace(config, encoder=strided(config.encoder, plan.stride_on))
    if not config.attention:
        return SquareRecipe(plan=plan, make=lambda: F2Net(config))
    return CentreRecipe(plan=plan, config=config)
