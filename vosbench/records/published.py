"""Published numbers: what papers and leaderboards print, with where it stands, and what a method is called where.

The numbers lie as CSV in ``results/published``, one file per table, under one heading. A value is kept as it is
printed, with its unit; a cell that is empty is not stated by the source. Where the sources contradict themselves is in
the README beside them.
"""

import csv
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

import vosbench
from vosbench.errors import DataError, suggest
from vosbench.metrics.measures import MEASURES

FOLDER = next(folder for part in vosbench.__path__ if (folder := Path(part, "published")).is_dir())
ALIASES, SOURCES, TASKS = "aliases.csv", "sources.csv", "tasks.csv"
Task = Literal["unsupervised", "semi-supervised", "image-saliency", "video-saliency"]
"""What a method is given, and what it segments."""
UNKNOWN = "unknown"
"""The task of a method whose task no source states."""
ANY = "*"
LARGEST = {"%": 100.0, "points": 100.0, "1": 1.0}
Stated = Literal["yes", "no", ""]


class Published(BaseModel):
    """One printed number; empty is what the source does not state."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str = Field(pattern=r"^[a-z0-9-]*$", description="as vosbench calls it, if vosbench knows it")
    split: str = Field(pattern=r"^[a-z0-9-]*$")
    protocol: str = Field(pattern=r"^([a-z0-9-]+@[0-9]+)?$", description="name and version, if known")
    method: str = Field(min_length=1, description="one name per method over all sources")
    printed: str = Field(description="what the source calls it, if that is another name")
    group: str = Field(description="the part of the table that it stands in")
    venue: str
    year: str = Field(pattern=r"^((19|20)[0-9]{2})?$")
    measure: str = Field(description="name of a measure of `vosbench.metrics.measures`")
    category: str = Field(description="of objects, if the number is over one alone")
    value: str = Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", description="as printed")
    unit: Literal["%", "1", "points", "fps", "s", "h"]
    training: str = Field(description="data that it was trained on, with semicolons between")
    flow: Stated = Field(description="whether optical flow is used")
    crf: Stated = Field(description="whether a conditional random field is used")
    input: str = Field(pattern=r"^([0-9]+x[0-9]+)?$", description="size of the frames as the network sees them, WxH")
    source: str = Field(min_length=1, description="short for paper and table, or the page; see `sources`")
    note: str

    @field_validator("measure")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in MEASURES:
            raise ValueError(f'there is no measure "{name}"; {suggest(name, list(MEASURES))}')
        return name

    @property
    def number(self) -> float:
        """The value as printed, as a number."""
        return float(self.value)

    @property
    def raw(self) -> float:
        """The value in a record's terms: a fraction if a percentage is printed.

        >>> Published.model_construct(value="91.1", unit="%").raw
        0.911
        """
        return float(Decimal(self.value) / 100) if self.unit in {"%", "points"} else self.number

    @property
    def digits(self) -> int:
        """Decimals of the value as printed.

        >>> published("f2net-3")[0].digits
        1
        """
        return len(self.value.partition(".")[2])

    @property
    def label(self) -> str:
        """What the source calls the method."""
        return self.printed or self.method

    @property
    def task(self) -> str:
        """A `Task`: that of its part of the table, of its source or of its method; `UNKNOWN` if none is stated."""
        stated = self.group.replace(" ", "-")
        if stated in get_args(Task):
            return stated
        known = tasks()
        return known.get((self.source, "")) or known.get(("", self.method)) or UNKNOWN

    @property
    def key(self) -> tuple[str, ...]:
        """What the number is of: two of one key are the same number."""
        return (self.dataset, self.split, self.method, self.measure, self.category, self.source)


@cache
def published(*tables: str) -> tuple[Published, ...]:
    """Read published numbers, in the order of the tables that they are printed in.

    Args:
        tables: names of files, such as ``"f2net-3"``; all if none is given.

    Raises:
        DataError: if a file is missing, a row is not what it should be, or two contradict each other.

    >>> next(each.value for each in published("adnet-1") if each.method == "AD-Net, single scale")
    '78.26'
    """
    names = tables or tuple(
        sorted(path.stem for path in FOLDER.glob("*.csv") if path.name not in {ALIASES, SOURCES, TASKS})
    )
    found = [each for name in names for each in read(FOLDER / f"{name}.csv")]
    unknown = next((each for each in found if each.source not in sources()), None)
    if unknown is not None:
        raise DataError(f'"{FOLDER / SOURCES}" does not say where "{unknown.source}" is')
    check_agreement(found)
    return tuple(found)


def read(path: Path) -> list[Published]:
    """Read and check one file.

    Raises:
        DataError: if it is missing, its heading is another, or a row is not what it should be; the message names
            the line.
    """
    heading, rows = _rows(path)
    expected = list(Published.model_fields)
    if heading != expected:
        raise DataError(f'"{path}" has the columns {",".join(heading)}; it should have {",".join(expected)}')
    found = []
    for line, row in rows:
        try:
            each = Published.model_validate(row)
        except ValidationError as error:
            first = error.errors()[0]
            raise DataError(f'"{path}", line {line}: {".".join(map(str, first["loc"]))}: {first["msg"]}') from None
        if abs(each.number) > LARGEST.get(each.unit, float("inf")):
            raise DataError(
                f'"{path}", line {line}: {each.measure} is {each.value}, more than its unit "{each.unit}" has'
            )
        found.append(each)
    return found


def check_agreement(numbers: Sequence[Published]) -> None:
    """Make sure that what is said twice of one source is said alike, as far as it is printed.

    Raises:
        DataError: if it is not.
    """
    first: dict[tuple[str, ...], Published] = {}
    for each in numbers:
        other = first.setdefault(each.key, each)
        tolerance = sum(0.5 * 10**-one.digits * (one.raw / one.number if one.number else 1) for one in (each, other))
        if abs(each.raw - other.raw) > tolerance + 1e-12:
            raise DataError(
                f"{each.source} has two values of {each.measure} {each.category} of {each.method} on {each.dataset}: "
                f"{other.value} and {each.value}"
            )


@cache
def sources() -> Mapping[str, str]:
    """What a source is called here → where it is.

    Raises:
        DataError: if the file of sources is not what it should be.

    >>> sources()["F2Net Table 3"].endswith("AAAI 2021, Table 3")
    True
    """
    path = FOLDER / SOURCES
    heading, rows = _rows(path)
    if heading != ["source", "where"]:
        raise DataError(f'"{path}" has the columns {",".join(heading)}; it should have source,where')
    return {row["source"]: row["where"] for _, row in rows}


@cache
def tasks() -> Mapping[tuple[str, str], str]:
    """The tasks that sources state: (source, "") of all its rows, and ("", method) of a method in any source.

    Raises:
        DataError: if the file of tasks is not what it should be.

    >>> tasks()["", "OSVOS"], tasks()["F2Net Table 3", ""]
    ('semi-supervised', 'unsupervised')
    """
    path = FOLDER / TASKS
    heading, rows = _rows(path)
    if heading != ["source", "method", "task", "where"]:
        raise DataError(f'"{path}" has the columns {",".join(heading)}; it should have source,method,task,where')
    unknown = next((line for line, row in rows if row["task"] not in get_args(Task)), None)
    if unknown is not None:
        raise DataError(f'"{path}", line {unknown}: the task should be one of {", ".join(get_args(Task))}')
    return {(row["source"], row["method"]): row["task"] for _, row in rows}


def task_of(name: str, options: Mapping[str, str] | None = None) -> str:
    """The task of a record's method, if it is a published one; otherwise `UNKNOWN`.

    >>> task_of("osvos"), task_of("f2net.ad", {"side": "473"}), task_of("mine")
    ('semi-supervised', 'unsupervised', 'unknown')
    """
    method = canonical(name, options)
    return next((each.task for each in published() if each.method == method and each.task != UNKNOWN), UNKNOWN)


@cache
def aliases() -> Mapping[str, tuple[tuple[str, Mapping[str, str]], ...]]:
    """Name, in lower case → the methods that it may mean, each with the options that a record of it has.

    Raises:
        DataError: if the file of aliases is not what it should be.

    >>> aliases()["epo"]
    (('EpO+', {}),)
    """
    path = FOLDER / ALIASES
    heading, rows = _rows(path)
    if heading != ["method", "alias", "options", "where"]:
        raise DataError(f'"{path}" has the columns {",".join(heading)}; it should have method,alias,options,where')
    found: dict[str, tuple[tuple[str, Mapping[str, str]], ...]] = {}
    for _, row in rows:
        options = {key: value for key, _, value in (word.partition("=") for word in row["options"].split())}
        known = found.setdefault(row["alias"].lower(), ())
        found[row["alias"].lower()] = (*known, (row["method"], options))
    return found


def canonical(name: str, options: Mapping[str, str] | None = None) -> str:
    """The one name of a method, from what a paper, a file of masks or a record calls it; itself if nobody knows it.

    Args:
        name: in any case.
        options: a record's; an option that an alias asks for as ``*`` may be anything but empty, as ``a|b`` either,
            and as ``|a`` also missing, as in a record that is older than the option.

    >>> canonical("AnDiff"), canonical("cosnet"), canonical("adnet", {"scales": "multi", "prune": ""})
    ('AD-Net + I.Prun.', 'COSNet', 'AD-Net, multiple scales')
    >>> canonical("adnet", {"scales": "multi", "prune": "", "preset": "official", "gating": "preset"})
    'adnet'
    """
    meanings = aliases().get(name.lower(), ())
    for method, asked in meanings:
        held = {key: (options or {}).get(key, "") for key in asked}
        if all(held[key] in value.split("|") or (value == ANY and held[key]) for key, value in asked.items()):
            return method
    if meanings:  # our "f2net" with other options is not the published "F2Net"
        return name
    return _names().get(name.lower(), name)


@cache
def _names() -> Mapping[str, str]:
    """Every published method's name, by its lower case."""
    return {each.method.lower(): each.method for each in published()}


def _rows(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            heading = next(reader, [])
            lines = [(reader.line_num, cells) for cells in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f'the published numbers "{path}" cannot be read: {error}') from None
    for line, cells in lines:
        if len(cells) != len(heading):
            raise DataError(f'"{path}", line {line}: it has {len(cells)} cells; the heading has {len(heading)}')
    return heading, [(line, dict(zip(heading, cells, strict=True))) for line, cells in lines]
