"""F2Net's recipe: image and video steps in turn, the centre first given and then predicted. Values: `recipe.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from vosbench.method import Example, Material, Recipe, Setup
from vosbench.method.nn.augment import pick, read, squashed
from vosbench.method.nn.plans import SquarePlan, read_plan, section_of
from vosbench.method.nn.square_recipe import (
    SquareRecipe,
    draw_box,
    draw_image,
    draw_look,
    frozen,
    kind_of,
    loss_of_mask,
    redraw,
)
from vosbench.method.nn.weights import choose
from vosbench.methods.f2net.network import VARIANTS, Config, F2Net
from vosbench.methods.f2net.targets import centre_of, focal_loss, heat_target, top_centres


class CentrePlan(SquarePlan):
    """What F2Net has beyond its baseline."""

    heads: float = Field(gt=0, description="learning rate of all but the encoder, as a multiple of the encoder's")
    truth: float = Field(ge=0, le=1, description="share of the steps, from the first, that are given the true centre")
    auxiliary: float = Field(ge=0, description="weight of the loss of the encoder's own mask, in image steps")
    centre: float = Field(ge=0, description="weight of the loss of the centre")


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreRecipe:
    """Images teach the encoder and the centre branch, videos the whole network.

    Attributes:
        plan: the hyper-parameters.
        config: of the network.
    """

    plan: CentrePlan
    config: Config

    def build(self) -> nn.Module:
        """See `vosbench.method.Recipe`."""
        net = F2Net(self.config)
        redraw(net.encoder)
        return net

    def groups(self, net: nn.Module) -> list[dict[str, Any]]:
        """The encoder, and all else at a multiple of its rate; modules that the variant does not use are in none."""
        unused = () if "spatial" in self.config.fusion else ("spatial_attention_conv",)
        named = [(name, x) for name, x in net.named_parameters() if not frozen(name) and not name.startswith(unused)]
        encoder = [x for name, x in named if name.startswith("encoder.")]
        heads = [x for name, x in named if not name.startswith("encoder.")]
        return [{"params": encoder}, {"params": heads, "scale": self.plan.heads}]

    def example(self, material: Material, step: int, rng: np.random.Generator) -> Example:
        """Draw an image, or a frame with its anchor and the frame before; see `vosbench.method.Recipe`.

        Returns:
            ``frame`` (3, side, side), ``mask`` (1, side, side) and ``heat`` (1, h, w), the target at stride 4. In
            video steps also ``anchor`` (3, side, side), ``previous`` (1, h, w), the Gauss map of the mask before, and
            ``centre`` (2,).
        """
        kind = kind_of(step, self.plan)
        side = self.plan.side
        size = ((side - 1) // 4 + 1, (side - 1) // 4 + 1)
        if kind == "image":
            sample = squashed(draw_look(self.plan, kind, rng).at(draw_image(material, rng)), side)
            return {"frame": sample.frame, "mask": sample.mask, "heat": heat_target(sample.mask[0] > 0, size)[None]}
        video = pick(material.videos, rng)
        indices = sorted(video.annotations)
        place = int(rng.integers(len(indices)))
        shots = [read(video, indices[i]) for i in (0, max(place - 1, 0), place)]
        box, look = draw_box(self.plan, shots, rng), draw_look(self.plan, kind, rng)
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
        """Image step: encoder's mask and centre, no frame before. Video step: mask and centre."""
        network = cast("F2Net", net)
        located = network.guided or self.config.spare
        frame, mask, heat = batch["frame"], batch["mask"], batch["heat"]
        if kind_of(step, self.plan) == "image":
            features = network.encode(frame)
            auxiliary = loss_of_mask(network.encoder.main_classifier(features.embedding), mask, self.plan)
            losses = {"auxiliary": self.plan.auxiliary * auxiliary}
            if located:
                guess = network.locate(features.pyramid, torch.zeros_like(heat))
                losses["centre"] = self.plan.centre * focal_loss(guess, heat)
            return losses
        both = network.encode(torch.cat([batch["anchor"], frame]))
        anchor, current = both.embedding.chunk(2)
        prior, losses = None, {}
        if located:
            levels = cast("tuple[Tensor, Tensor, Tensor, Tensor]", tuple(x.chunk(2)[1] for x in both.pyramid))
            logits = network.locate(levels, batch["previous"])
            losses["centre"] = self.plan.centre * focal_loss(logits, heat)
            image, size = (frame.shape[2], frame.shape[3]), (current.shape[2], current.shape[3])
            given = step < self.plan.truth * self.plan.steps
            prior = network.prior(batch["centre"] if given else top_centres(logits, image), image, size)
        losses["mask"] = loss_of_mask(network.segment(anchor, current, prior), mask, self.plan)
        return losses


def recipe(variant: str, changes: Mapping[str, str]) -> Recipe:
    """Make the recipe of a variant.

    Args:
        variant: as typed behind the dot; ``""`` is the method as it is named.
        changes: hyper-parameters set by the user, as text.

    Raises:
        UsageError: for an unknown variant, or a change that cannot be made.
    """
    config = choose(Setup(variant=variant), "f2net", VARIANTS, default="cgad-csa")
    name, path = f"f2net.{variant or 'cgad-csa'}", Path(__file__).with_name("recipe.yaml")
    plan = read_plan(path, section_of(variant), CentrePlan, changes, name)
    if not config.attention:
        return SquareRecipe(plan=plan, make=lambda: F2Net(config))
    return CentreRecipe(plan=plan, config=config)
