"""The contract of a recipe: what it takes, besides the loop of `vosbench.train`, to train a method's network."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vosbench.dataset import Video
from vosbench.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor, nn

Example = Mapping[str, NDArray[np.float32]]
"""One training example: named arrays, whose shapes are the same in every example of a step."""


class Plan(BaseModel):
    """The hyper-parameters that every recipe has; a recipe's own come with a subclass.

    A value that a user may change is changed by name (``--set lr=0.001``).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(gt=0, description="optimiser steps")
    batch: int = Field(gt=0, description="examples per step, over all processes")
    lr: float = Field(gt=0, description="learning rate at the first step")
    optimiser: Literal["sgd", "adamw"] = Field(default="sgd", description="SGD with momentum, or AdamW")
    momentum: float = Field(default=0.9, ge=0, lt=1, description="of SGD; of AdamW, its first beta")
    weight_decay: float = Field(default=5e-4, ge=0, description="of SGD by the gradient, of AdamW apart from it")
    power: float = Field(default=0.9, ge=0, description="of the polynomial decay of the learning rate")
    horizon: int = Field(gt=0, description="steps after which the learning rate would be 0")

    def rate(self, step: int) -> float:
        """The factor of the learning rate at a step, counted from 0: (1 - step / horizon) ^ power."""
        return float(max(0.0, 1 - step / self.horizon) ** self.power)


P = TypeVar("P", bound=Plan)


def read_plan(path: Path, section: str, kind: type[P], changes: Mapping[str, str], name: str) -> P:
    """Read the hyper-parameters of a recipe.

    Args:
        path: a YAML file of sections.
        section: which of them.
        kind: the plan to make.
        changes: hyper-parameters that the user sets, as text.
        name: of the method and variant, for the message.

    Raises:
        UsageError: if a change names no hyper-parameter, or has a value that it cannot take.
    """
    import yaml

    values: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))[section]
    unknown = sorted(changes.keys() - kind.model_fields.keys())
    if unknown:
        raise UsageError(f'"{name}" has no hyper-parameter "{unknown[0]}"; available: {", ".join(kind.model_fields)}')
    try:
        return kind.model_validate({**values, **changes})
    except ValidationError as error:
        first = error.errors()[0]
        what = ".".join(str(part) for part in first["loc"]) or "the plan"
        raise UsageError(
            f'"{what}" of "{name}" cannot be {first["input"]!r}: {first["msg"].removeprefix("Value error, ")}'
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What is trained on.

    Attributes:
        videos: annotated videos.
        images: annotated still images, each a video of one frame.
    """

    videos: tuple[Video, ...] = ()
    images: tuple[Video, ...] = ()


class Recipe(Protocol):
    """How one variant of a method is trained."""

    @property
    def plan(self) -> Plan:
        """The hyper-parameters."""
        ...

    def build(self) -> "nn.Module":
        """Make the network, its weights drawn from torch's default generator; keys as `vosbench run` loads them."""
        ...

    def groups(self, net: "nn.Module") -> list[dict[str, Any]]:
        """The optimiser's groups: ``params``, and ``scale`` where their learning rate is a multiple of the plan's.

        Every parameter that is trained is in exactly one of them.
        """
        ...

    def example(self, material: Material, step: int, rng: np.random.Generator) -> Example:
        """Draw one example.

        Args:
            material: what there is; of a kind that the recipe needs, at least one.
            step: index of the optimiser's step, from 0: all examples of a step are of one kind.
            rng: the only source of chance, so that an example is known by its seed and index.

        Raises:
            DataError: if the material is missing what the recipe needs, or a file cannot be read.
        """
        ...

    def losses(self, net: "nn.Module", batch: Mapping[str, "Tensor"], step: int) -> Mapping[str, "Tensor"]:
        """The terms of the loss of a batch, weighted: their sum is minimised. Each is a mean over examples."""
        ...
