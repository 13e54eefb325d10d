"""The recipes of the two baselines and of the tiny one. Values: `recipe.yaml`."""

from collections.abc import Mapping
from pathlib import Path

from vosbench.method import Recipe
from vosbench.method.nn.pair_recipe import PairPlan, PairRecipe
from vosbench.method.nn.predictor import choose
from vosbench.method.nn.square_recipe import SquarePlan, SquareRecipe
from vosbench.method.recipe import read_plan
from vosbench.methods.deeplabv3.predictor import PRESETS

VALUES = Path(__file__).with_name("recipe.yaml")


def recipe(variant: str, changes: Mapping[str, str]) -> Recipe:
    """Make the recipe of a variant.

    Args:
        variant: as typed behind the dot; ``""`` is the method as it is named.
        changes: hyper-parameters set by the user, as text.

    Raises:
        UsageError: for an unknown variant, or a change that cannot be made.
    """
    make, _ = choose(variant, "deeplabv3", PRESETS, default="adnet")
    section = variant or "adnet"
    name = f"deeplabv3.{section}"
    if section == "f2net":
        return SquareRecipe(plan=read_plan(VALUES, section, SquarePlan, changes, name), make=make)
    return PairRecipe(plan=read_plan(VALUES, section, PairPlan, changes, name), make=make)
