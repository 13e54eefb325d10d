"""``plan.yaml``: which methods are run on which datasets, in its own words.

Conventions:
    Every scalar is text, see `vosbench.dataset.plain_yaml`. Paths are relative to the folder of the plan, so that a
    plan means the same from wherever it is started. What is written as a mapping or a list of alternatives, such as
    ``weights: {a: a.pth, b: b.pth}`` or ``seeds: [0, 1]``, gives each of them a folder of results of its own; then one
    more moves no record.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from vosbench.dataset.plain_yaml import LONGEST, read_yaml
from vosbench.errors import UsageError, suggest
from vosbench.evaluate.numbering import Numbering
from vosbench.records.naming import check_name
from vosbench.records.store import CONTRIBUTIONS
from vosbench.registry.folders import RESERVED

Json = dict[str, Any]


def _folder(name: str) -> str:
    try:
        check_name(name, "folder")
    except UsageError as error:
        raise ValueError(str(error)) from None
    if name in {CONTRIBUTIONS, *RESERVED}:
        raise ValueError(f'"{name}" has a meaning of its own in a folder of results')
    return name


def _word(value: object) -> object:
    """A list of one, for what may also be written as a list."""
    return [value] if isinstance(value, str) else value


def _short(key: str) -> Callable[[Json], None]:
    """State in a JSON Schema that a name alone will do."""

    def extend(schema: Json) -> None:
        # Title and description are of both forms, and older versions of pydantic add them after this call.
        inner = {name: schema.pop(name) for name in list(schema) if name not in ("title", "description")}
        schema["anyOf"] = [{"type": "string", "description": f"short for {{{key}: …}}"}, inner]

    return extend


Folder = Annotated[str, AfterValidator(_folder)]
Words = Annotated[
    list[str], BeforeValidator(_word), Field(min_length=1, json_schema_extra={"type": ["array", "string"]})
]
Text = Annotated[str, Field(json_schema_extra={"type": ["string", "number", "boolean"]})]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MethodPart(_Strict):
    """A method, and the setups in which it is run."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_short("method"))

    method: str = Field(description="method or method.variant")
    variants: Words | None = Field(default=None, description="several of its variants, in place of one")
    folder: Folder = Field(default="", description="folder of its results below out; by default out itself")
    weights: str | dict[Folder, str] | None = Field(
        default=None,
        description="as --weights, or name → weights, each with a folder of results; {seed} and {variant} are replaced",
    )
    untrained: bool = Field(default=False, description="run with random weights")
    seed: int = Field(default=0, ge=0, description="of random weights, or what {seed} in weights stands for")
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] | None = Field(
        default=None, description="several seeds in place of one, each with a folder of results, such as seed0"
    )
    options: dict[str, Text] = Field(default={}, description="options of the method, as --set")
    settings: dict[Folder, dict[str, Text]] | None = Field(
        default=None, description="name → further options, each with a folder of results"
    )
    device: str = Field(default="cpu", description="torch device")
    batch: int = Field(default=1, ge=1, description="frames per forward pass")
    threads: int = Field(default=1, ge=1, description="threads that a CPU computes with")
    precision: Literal["fp32", "bf16", "fp16"] = Field(default="fp32", description="of the network")
    compile: bool = Field(default=False, description="compile the network first")
    flow: str | None = Field(default=None, description="optical flow, as --flow")

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: object) -> object:
        return {"method": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if self.variants is not None and "." in self.method:
            raise ValueError(f'variants contradicts the variant of "{self.method}"')
        for name in ("weights", "settings"):
            if getattr(self, name) == {}:
                raise ValueError(f"{name} is empty")
        files = list(self.weights.values()) if isinstance(self.weights, dict) else [self.weights or ""]
        if self.seeds is not None and not self.untrained and not all("{seed}" in file for file in files):
            raise ValueError("seeds change nothing unless weights has {seed}, or untrained is set")
        if self.seeds is not None and len(set(self.seeds)) < len(self.seeds):
            raise ValueError("a seed is given twice")
        return self


class DatasetPart(_Strict):
    """A dataset, or the datasets of a suite, and the videos and protocols on which methods are run."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_short("dataset"))

    dataset: str = Field(default="", description="its name, or the path of a folder of frames and masks")
    suite: str = Field(default="", description="a suite in place of a dataset; it states splits and protocols")
    root: str | None = Field(default=None, description="folder of the dataset; of a suite, one that contains them")
    splits: Words | None = Field(default=None, description="its splits; by default the one that papers report")
    protocols: Words | None = Field(default=None, description="protocols; by default the dataset's own")
    layout: str | None = Field(default=None, description="folder layout; recognised by default")
    videos: Words | None = Field(default=None, description="only these videos")
    limit: int | None = Field(default=None, ge=1, description="only the first frames of each video")
    measures: Words | None = Field(default=None, description="some of the protocol's measures, or added ones")

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: object) -> object:
        return {"dataset": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.dataset) == bool(self.suite):
            raise ValueError("either dataset or suite is needed")
        if self.suite:
            fixed = next((name for name in ("splits", "protocols", "layout", "videos") if getattr(self, name)), "")
            if fixed:
                raise ValueError(f"{fixed} is for a dataset, not a suite")
        return self


class SubmissionPart(_Strict):
    """Masks to score, of one method or of several."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_short("masks"))

    masks: str = Field(
        description="folder or archive of masks, or a pattern of such, such as submissions/{dataset}/*.zip; {dataset} "
        "and {split} are replaced"
    )
    name: str = Field(default="", description="name of the method; by default that of the folder or archive")
    folder: Folder = Field(default="", description="folder of its records below out; by default out itself")
    codec: str | None = Field(default=None, description="encoding of the masks; recognised by default")
    numbering: Numbering = Field(default="auto", description="how numbers in names of masks are read")

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: object) -> object:
        return {"masks": value} if isinstance(value, str) else value


class Rule(_Strict):
    """Pairs of a method or submission and a dataset, by patterns such as ``f2net*``; what is left out is any."""

    method: str = Field(default="*", description="as typed, with its variant; or the name of a submission")
    folder: str = Field(default="*", description="folder of results; empty for out itself")
    dataset: str = Field(default="*", description="name of the dataset")
    split: str = Field(default="*", description="name of the split")
    protocol: str = Field(default="*", description="name of the protocol")


class Plan(_Strict):
    """Methods × datasets, or submissions × datasets."""

    out: str = Field(default="results", description="folder of maps and records")
    plugins: list[str] = Field(default=[], description="Python files with methods, datasets, suites or measures")
    changed: Literal["refuse", "replace"] = Field(
        default="refuse",
        description="what is done if the inputs of a record have changed: it is kept and named, or replaced",
    )
    methods: list[MethodPart] = Field(default=[], description="what is run: vosbench run --plan")
    submissions: list[SubmissionPart] = Field(default=[], description="what is scored: vosbench score --plan")
    datasets: Annotated[list[DatasetPart], Field(min_length=1)] = Field(description="on which")
    include: list[Rule] = Field(default=[], description="only pairs that match one of these")
    exclude: list[Rule] = Field(default=[], description="no pairs that match one of these")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.methods and not self.submissions:
            raise ValueError("there are neither methods nor submissions")
        return self


KINDS: dict[str, type[BaseModel]] = {
    "methods": MethodPart,
    "datasets": DatasetPart,
    "submissions": SubmissionPart,
    "include": Rule,
    "exclude": Rule,
}


def read_plan(path: Path) -> Plan:
    """Read a plan.

    Raises:
        DataError: if the file cannot be read or is not YAML.
        UsageError: if it has unknown keys, or values that are not allowed.
    """
    content = read_yaml(path)
    try:
        return Plan.model_validate(content)
    except ValidationError as error:
        raise UsageError(f'"{path}": {_problem(error)}') from None


def json_schema() -> str:
    """The JSON Schema of a plan, as shipped in ``plan.schema.json``."""
    return json.dumps(Plan.model_json_schema(), indent=2) + "\n"


def _problem(error: ValidationError) -> str:
    """The first problem, in one line."""
    first = error.errors()[0]
    place = [str(part + 1) if isinstance(part, int) else part for part in first["loc"] if part != "[key]"]
    at = ".".join(place)[:LONGEST]
    if first["type"] == "extra_forbidden":
        kind = KINDS[place[0]] if len(place) > 1 and place[0] in KINDS else Plan
        return f'there is no key "{at}"; {suggest(place[-1], list(kind.model_fields))}'
    said = first["msg"].removeprefix("Value error, ")[:LONGEST]
    return f"{at}: {said}" if at else said
