"""The contract of a recipe: what `vosbench.train` needs to train a method's network."""

import math
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
"""A training example: named arrays, of the same shapes in every example of a step."""


class Plan(BaseModel):
    """The hyper-parameters of every recipe; a recipe adds its own in a subclass.

    Users change them by name (``--set lr=0.001``).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(gt=0, description="optimiser steps")
    batch: int = Field(gt=0, description="examples per step, over all processes")
    lr: float = Field(gt=0, description="learning rate at the first step")
    optimiser: Literal["sgd", "adamw"] = Field(default="sgd", description="SGD with momentum, or AdamW")
    momentum: float = Field(default=0.9, ge=0, lt=1, description="of SGD; the first beta of AdamW")
    weight_decay: float = Field(default=5e-4, ge=0, description="added to the gradient in SGD, decoupled in AdamW")
    decay: Literal["polynomial", "cosine"] = Field(default="polynomial", description="of the learning rate")
    power: float = Field(default=0.9, ge=0, description="of the polynomial decay of the learning rate")
    floor: float = Field(default=0.0, ge=0, le=1, description="share of the learning rate at the end of the cosine")
    horizon: int = Field(gt=0, description="steps after which the learning rate reaches 0, or its floor")
    warmup: int = Field(
        default=0, ge=0, description="first steps, in which the learning rate grows linearly to its own"
    )
    clip: float = Field(default=0.0, ge=0, description="largest norm of a step's gradient; 0 for no clipping")
    ema: float = Field(
        default=0.0, ge=0, lt=1, description="decay of the moving average of the weights, which is exported; 0 for none"
    )

    def rate(self, step: int) -> float:
        """The factor of the learning rate at a step, counted from 0.

        It is (1 - step / horizon) ^ power, or a half period of a cosine from 1 to the floor; times (step + 1) / warmup
        in the first ``warmup`` steps.
        """
        growth = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        left = max(0.0, 1 - step / self.horizon)
        if self.decay == "cosine":
            return growth * (self.floor + (1 - self.floor) * (1 - math.cos(math.pi * left)) / 2)
        return float(growth * left**self.power)


P = TypeVar("P", bound=Plan)


def read_plan(path: Path, variant: str, kind: type[P], changes: Mapping[str, str], name: str) -> P:
    """Read the hyper-parameters of a recipe.

    Args:
        path: a YAML file of sections: one named as the variant, or as its family, such as ``tiny`` for ``tiny-base``;
            otherwise ``full``.
        variant: of the method.
        kind: the plan to make.
        changes: hyper-parameters set by the user, as text.
        name: of the method and variant, for the message.

    Raises:
        UsageError: if a hyper-parameter is unknown, or a value is not allowed.
    """
    import yaml

    sections: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text("utf-8"))
    values = sections.get(variant) or sections.get(variant.partition("-")[0]) or sections["full"]
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
    """The training data.

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
        """Make the network, initialised from torch's default generator; its keys are those `vosbench run` loads."""
        ...

    def groups(self, net: "nn.Module") -> list[dict[str, Any]]:
        """The optimiser's groups: ``params``, and optionally ``scale``, a multiple of the plan's learning rate.

        Every trained parameter is in exactly one group.
        """
        ...

    def example(self, material: Material, step: int, rng: np.random.Generator) -> Example:
        """Sample an example.

        Args:
            material: the training data.
            step: index of the optimiser's step, from 0; all examples of a step are of one kind.
            rng: the only source of randomness, so that seed and index determine an example.

        Raises:
            DataError: if the data that the recipe needs is missing, or a file cannot be read.
        """
        ...

    def losses(self, net: "nn.Module", batch: Mapping[str, "Tensor"], step: int) -> Mapping[str, "Tensor"]:
        """The weighted terms of a batch's loss, each a mean over examples; their sum is minimised."""
        ...
