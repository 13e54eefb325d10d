"""AD-Net's recipe, the same for every row of its Table 1. Values: `recipe.yaml`."""

from collections.abc import Mapping
from pathlib import Path

from vosbench.method import Recipe
from vosbench.method.nn.lite_recipe import LitePlan, LiteRecipe
from vosbench.method.nn.recipes import PairPlan, PairRecipe, Variants
from vosbench.methods.adnet.network import STREAMS, is_anchored
from vosbench.methods.adnet.predictor import PRESETS

VARIANTS = Variants(method="adnet", networks=PRESETS, default="ad", values=Path(__file__).with_name("recipe.yaml"))


def recipe(variant: str, changes: Mapping[str, str]) -> Recipe:
    """Make the recipe of a variant; see `vosbench.method.nn.recipes.Variants.plan`."""
    if variant.startswith("lite"):
        (make, _), lite = VARIANTS.plan(variant, LitePlan, changes)
        streams = STREAMS.get(variant.removeprefix("lite-"), () if variant.endswith("base") else STREAMS["ad"])
        return LiteRecipe(plan=lite, make=make, anchored=is_anchored(streams))
    (make, _), plan = VARIANTS.plan(variant, PairPlan, changes)
    return PairRecipe(plan=plan, make=make)
