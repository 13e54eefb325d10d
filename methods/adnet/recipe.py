"""AD-Net's recipe, the same for every row of its Table 1. Values: `recipe.yaml`."""

from collections.abc import Mapping
from pathlib import Path

from vosbench.method import Recipe, Setup
from vosbench.method.nn.pair_recipe import PairRecipe
from vosbench.method.nn.plans import PairPlan, read_plan, section_of
from vosbench.method.nn.weights import choose
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
    make, _ = choose(Setup(variant=variant), "adnet", PRESETS, default="ad")
    plan = read_plan(VALUES, section_of(variant), PairPlan, changes, f"adnet.{variant or 'ad'}")
    return PairRecipe(plan=plan, make=make)
