"""AD-Net's recipe, the same for every row of its Table 1. Values: `recipe.yaml`."""

from collections.abc import Mapping
from pathlib import Path

from vosbench.method import Recipe
from vosbench.method.nn.pair_recipe import PairPlan, PairRecipe
from vosbench.method.nn.predictor import choose
from vosbench.method.recipe import read_plan
from vosbench.methods.adnet.predictor import PRESETS

VALUES = Path(__file__).with_name("recipe.yaml")


def recipe(variant: str, changes: Mapping[str, str]) -> Recipe:
    """Make the recipe of a variant.

    Args:
        variant: as typed behind the dot; ``""`` is the method as it is named.
        changes: hyper-parameters set by the user, as text.

    Raises:
        UsageError: for an unknown variant, or a change that cannot be made.
    """
    make, _ = choose(variant, "adnet", PRESETS, default="ad")
    section = "tiny" if variant.startswith("tiny") else "full"
    plan = read_plan(VALUES, section, PairPlan, changes, f"adnet.{variant or 'ad'}")
    return PairRecipe(plan=plan, make=make)
