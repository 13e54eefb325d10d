"""Methods: the contract, and how to run one.

The contract consists of `Method`, `Setup` and the protocols of a predictor; `Recipe` is the contract of training.
"""

from vosbench.method.method import (
    Embedder,
    FloatMap,
    Measurable,
    Method,
    Predictor,
    Resumable,
    Setup,
    State,
)
from vosbench.method.options import Option
from vosbench.method.recipe import Example, Material, Plan, Recipe

__all__ = [
    "Embedder",
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
