"""``dataset.yaml``: what a dataset that is just a folder says of itself.

Conventions:
    Every scalar is text, see `vosbench.dataset.plain_yaml`. Videos are named by their folders, and may be patterns,
    such as ``cow*``. Frames are named by their files, without the suffix.
"""

import json
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from vosbench.dataset.plain_yaml import LONGEST, read_yaml
from vosbench.dataset.protocol import HALF, DatasetProtocol
from vosbench.errors import DataError, VosbenchError, suggest
from vosbench.images.codecs import codec
from vosbench.metrics.measures import MAPS, MASKS, OVERLAPS, REGIONS

FILE = "dataset.yaml"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
VIDEO = "{video}"
UNITS = {"foreground": (*MASKS, *MAPS), "objects": OVERLAPS, "regions": REGIONS}
"""What masks are taken for → measures of it."""


def _plain(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError("names consist of letters, digits, dots, hyphens and underscores")
    return name


def _pattern(path: str) -> str:
    parts = path.replace("\\", "/").split("/")
    if path.startswith("/") or not all(parts) or {".", ".."} & set(parts) or ":" in path:
        raise ValueError('a path below the dataset\'s folder, such as "JPEGImages/480p/{video}", is needed')
    if VIDEO in path and (parts.count(VIDEO) != 1 or path.count("{") != 1):
        raise ValueError(f"{VIDEO} stands for the whole name of a folder, once")
    return "/".join(parts)


def _codec(name: str) -> str:
    try:
        return codec(name).name
    except VosbenchError as error:
        raise ValueError(str(error)) from None


Plain = Annotated[str, AfterValidator(_plain), Field(pattern=f"^{NAME.pattern}$")]
Names = Annotated[list[str], Field(min_length=1)]
Place = Annotated[str, AfterValidator(_pattern)]


class ProtocolDescription(BaseModel):
    """How masks are scored; see `vosbench.dataset.DatasetProtocol`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(default=1, ge=1, description="raised whenever a score could change")
    measures: Names = Field(
        default=["J", "F"], description=f"of {', '.join((*MASKS, *MAPS))}, or for regions {', '.join(REGIONS)}"
    )
    unit: Literal["foreground", "objects", "regions"] = Field(
        default="foreground", description="one mask per frame; numbered proposals and objects; or clusters and regions"
    )
    frames: Literal["inner", "annotated-inner", "after-first", "before-last", "before-last-two", "all"] = Field(
        default="all",
        description="annotated frames that count: all, all but a video's first and last frame (inner), or all but the "
        "first or last annotated ones",
    )
    empty: Literal["score", "skip", "skip-both"] = Field(
        default="score",
        description="whether frames count whose annotation has no foreground; skip-both leaves out those whose mask "
        "has none either",
    )
    resize: Literal["refuse", "prediction"] = Field(
        default="refuse", description="whether masks of another size are refused or resized"
    )
    maps_above: int = Field(
        default=HALF, ge=0, le=254, description="level of a soft map above which a pixel is the object"
    )
    tolerance: float = Field(default=0.008, gt=0, lt=1, description="of F, as a fraction of the image diagonal")
    t_first: Literal["gt", "skip"] = Field(
        default="skip", description="whether T begins with frame 0's annotation or with the first two scored masks"
    )
    junctions: Literal["gcc4", "gcc5"] = Field(default="gcc4", description="how T splits crossing contours")
    saliency: Literal["davsod", "pysod", "adnet", "f-of-mean-pr", "slt-net"] = Field(
        default="davsod", description="the convention of saliency measures"
    )
    average: Literal["video", "category", "object", "frame"] = Field(
        default="video", description="what means are over, after frames"
    )
    about: str = Field(default="", description="what it is, in a line")

    @model_validator(mode="after")
    def _measures_of_unit(self) -> "ProtocolDescription":
        known = UNITS[self.unit]
        for name in self.measures:
            if name not in known:
                raise ValueError(f'there is no measure "{name}" of {self.unit}; {suggest(name, known)}')
        if len(set(self.measures)) < len(self.measures):
            raise ValueError("a measure is named twice")
        soft = tuple(name for name in self.measures if name in MAPS)
        if soft:
            from vosbench.metrics.saliency import convention  # loads the compiler

            convention(self.saliency).check(soft)
        return self

    def protocol(self, name: str) -> DatasetProtocol:
        """The protocol, with its measures in the usual order."""
        measures = tuple(each for each in (*REGIONS, *MASKS, *MAPS) if each in self.measures)
        saliency = self.saliency if set(measures) & set(MAPS) else None
        return DatasetProtocol(
            name=name, **{**self.model_dump(exclude={"measures"}), "measures": measures, "saliency": saliency}
        )


class Description(BaseModel):
    """A dataset that is a folder, in its own words; everything is optional."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="", description="to name records after; by default that of the folder")
    title: str = Field(default="", description="its name in tables and messages")
    paper: str = Field(default="–", description="what to cite")
    licence: str = Field(default="–", description="of frames and annotations")
    layout: Literal["videos", "per-video", "one-video", "stills"] | None = Field(
        default=None, description="how files are laid out, if that is not recognised"
    )
    frames: Place | None = Field(
        default=None, description="folder of frames, such as JPEGImages/480p/{video}, if it is not recognised"
    )
    annotations: Place | None = Field(default=None, description="folder of annotations, likewise")
    codec: Annotated[str, AfterValidator(_codec)] | None = Field(
        default=None, description="encoding of annotations, as of --codec; recognised from all of them by default"
    )
    splits: dict[Plain, Names] = Field(
        default={}, description="split → videos; the first one is the default; without any, all videos are one split"
    )
    categories: dict[str, Names] = Field(default={}, description="category → videos")
    attributes: dict[str, Names] = Field(default={}, description="attribute → videos")
    unstable: list[str] = Field(default=[], description="videos that the mean of T leaves out")
    annotated: dict[str, Names] = Field(
        default={}, description="video → frames whose annotations count, by name; by default all that exist"
    )
    protocols: dict[Plain, ProtocolDescription] = Field(
        default={}, description="name → protocol; the first one is the default, followed by generic and others"
    )

    @model_validator(mode="after")
    def _places_agree(self) -> "Description":
        if self.frames is not None and self.annotations is None:
            raise ValueError("frames needs annotations, too")
        if self.frames is not None and (VIDEO in self.frames) != (VIDEO in (self.annotations or "")):
            raise ValueError(f"frames and annotations both need {VIDEO}, or neither")
        flat = self.layout in {"one-video", "stills"}
        if self.annotations is not None and self.layout is not None and flat == (VIDEO in self.annotations):
            raise ValueError(f'layout "{self.layout}" and annotations "{self.annotations}" contradict each other')
        return self


def read_description(root: Path) -> Description:
    """Read the description of a folder; an empty one if it has none.

    Raises:
        DataError: if it is not YAML, has keys that are unknown or given twice, or values that are not allowed.
    """
    path = root / FILE
    if not path.exists():
        return Description()
    content = read_yaml(path)
    try:
        return Description.model_validate(content)
    except ValidationError as error:
        raise DataError(f'"{path}": {_problem(error)}') from None


def json_schema() -> str:
    """The JSON Schema of a description, as shipped in ``dataset.schema.json``."""
    return json.dumps(Description.model_json_schema(), indent=2) + "\n"


def _problem(error: ValidationError) -> str:
    """The first problem, in one line."""
    first = error.errors()[0]
    place = [str(part) for part in first["loc"] if part != "[key]"]
    at = ".".join(place)[:LONGEST]
    if first["type"] == "extra_forbidden":
        kind = ProtocolDescription if place[0] == "protocols" else Description
        return f'there is no key "{at}"; {suggest(place[-1], list(kind.model_fields))}'
    said = first["msg"].removeprefix("Value error, ")[:LONGEST]
    return f"{at}: {said}" if at else said
