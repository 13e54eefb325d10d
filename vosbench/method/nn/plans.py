"""Hyper-parameters: what the recipes take beyond `vosbench.method.recipe.Plan`, and reading them from a YAML file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import AfterValidator, Field, ValidationError

from vosbench.errors import UsageError
from vosbench.method.recipe import Plan

P = TypeVar("P", bound=Plan)


def _aligned(side: int) -> int:
    if side % 8 != 1:
        raise ValueError(f"a side has 8 n + 1 pixels, such as {max(side // 8, 2) * 8 + 1}")
    return side


Side = Annotated[int, Field(ge=17), AfterValidator(_aligned)]
"""Pixels of a side: 8 n + 1, so that the n + 1 positions of a feature map lie on pixels."""


class PairPlan(Plan):
    """Of a recipe that draws crops around the foreground, as AD-Net's."""

    height: Side = Field(description="of the crops, resized; 8 n + 1 pixels")
    width: Side = Field(description="of the crops, resized; 8 n + 1 pixels")
    images: float = Field(ge=0, le=1, description="chance that an example is of a still image, where there are some")
    whole: float = Field(ge=0, le=1, description="chance that a pair's frames are not cropped")
    upright: float = Field(ge=0, le=1, description="chance of no rotation; the seven others share the rest")
    mirror: float = Field(ge=0, le=1, description="chance that an example is mirrored")
    recolour: float = Field(ge=0, le=1, description="chance that an example's colours are exchanged")
    auxiliary: float = Field(ge=0, description="weight of the loss of the encoder's auxiliary head, baseline alone")
    overlap: float = Field(ge=0, description="weight of the soft Jaccard loss beside the cross-entropy")


class SquarePlan(Plan):
    """Of a recipe that squashes frames to a square, and takes image and video steps in turn, as F2Net's."""

    side: Side = Field(description="of the square, in pixels; 8 n + 1")
    crop: float = Field(gt=0, le=1, description="share of each side that a crop of a video step keeps")
    enclose: float = Field(ge=0, le=1, description="chance that such a crop encloses the foreground instead")
    mirror: float = Field(ge=0, le=1, description="chance that an example is mirrored")
    recolour: float = Field(ge=0, le=1, description="chance that an example's colours are exchanged")
    cycle: int = Field(ge=1, description="of so many steps, the first is of images; 1 is images alone")
    mask_loss: Literal["bce", "official"] = Field(description="the paper's, or the released code's")
    overlap: float = Field(ge=0, description="weight of the soft Jaccard loss beside it")


def section_of(variant: str) -> str:
    """The section that a variant of AD-Net or F2Net is trained by.

    >>> section_of("tiny-base"), section_of("")
    ('tiny', 'full')
    """
    return "tiny" if variant.partition("-")[0] == "tiny" else "full"


def read_plan(path: Path, section: str, kind: type[P], changes: Mapping[str, str], name: str) -> P:
    """Read the hyper-parameters of a recipe.

    Args:
        path: a YAML file of sections.
        section: which of them.
        kind: the plan to make.
        changes: hyper-parameters that the user sets, as text.
        name: of the method and variant, for the message.

    Raises:
        UsageError: where a change names no hyper-parameter, or has a value that it cannot take.
    """
    values: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))[section]
    unknown = sorted(changes.keys() - kind.model_fields.keys())
    if unknown:
        raise UsageError(f'"{name}" has no hyper-parameter "{unknown[0]}"; there are {", ".join(kind.model_fields)}')
    try:
        return kind.model_validate({**values, **changes})
    except ValidationError as error:
        first = error.errors()[0]
        what = ".".join(str(part) for part in first["loc"]) or "the plan"
        raise UsageError(
            f'"{what}" of "{name}" cannot be {first["input"]!r}: {first["msg"].removeprefix("Value error, ")}'
        ) from None
