"""What a method is, and how one is driven.

The contract is `Method`, `Setup` and the protocols that a predictor keeps; `Recipe` is the contract of training.
"""

from vosbench.method.method import (
    FloatMap,
    Measurable,
    Method,
    Option,
    Predictor,
    Resumable,
    Setup,
    State,
)
from vosbench.method.recipe import Example, Material, Plan, Recipe

__all__ = [
    "Example",
    "FloatMap",
    "Material",
    "Measurable",
    "Method",
    "Option",
    "Plan",
    "Predictor",
    "Recipe",
    "Resumable",
    "Setup",
    "State",
]
