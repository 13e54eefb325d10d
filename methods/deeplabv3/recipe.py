"""The recipes of the two baselines, of the tiny and of the lite one. Values: `recipe.yaml`."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from vosbench.method import Recipe
from vosbench.method.nn.deeplab import F2NET, F2netDeepLab, strided
from vosbench.method.nn.lite import LiteDeepLab
from vosbench.method.nn.lite_recipe import LitePlan, LiteRecipe
from vosbench.method.nn.recipes import PairPlan, PairRecipe, SquarePlan, SquareRecipe, Variants
from vosbench.methods.deeplabv3.predictor import PRESETS

VALUES = Path(__file__).with_name("recipe.yaml")
VARIANTS = Variants(method="deeplabv3", networks=PRESETS, default="adnet", values=VALUES)


def recipe(variant: str, changes: Mapping[str, str]) -> Recipe:
    """Make the recipe of a variant; see `vosbench.method.nn.recipes.Variants.plan`."""
    if variant == "f2net":
        _, square = VARIANTS.plan(variant, SquarePlan, changes)
        return SquareRecipe(plan=square, make=partial(F2netDeepLab, strided(F2NET, square.stride_on)))
    if variant == "lite":
        _, lite = VARIANTS.plan(variant, LitePlan, changes)
        return LiteRecipe(plan=lite, make=LiteDeepLab)
    (make, _), plan = VARIANTS.plan(variant, PairPlan, changes)
    return PairRecipe(plan=plan, make=make)
