"""The data of `results/benchmarks.json`, which `series` reads and writes; see `benchmarks.schema.json`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """What all parts of the data share: unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Amount(Part):
    """A number with its unit."""

    value: float
    """as measured; the page shows three digits"""
    unit: str
    """such as "ms per pair", "MB", or "×" for a ratio"""
    note: str = ""
    """what else there is to say, in brackets on the page"""


class Target(Part):
    """What an amount is compared with."""

    bound: Literal["≥", "≤", "<"]
    """how the amount has to compare with the value"""
    value: float
    """in the unit of the amount"""


class Scores(Part):
    """How the scores of two sides compare."""

    what: str
    """the scores"""
    apart: float | None = None
    """the largest difference; None if it was not computed"""
    allowed: float | None = None
    """the largest difference with which a target still counts as met; None if any does"""
    note: str = ""
    """why they differ, or what else there is to say"""


class Row(Part):
    """One task, done by us and by at most one other."""

    task: str
    """what is done"""
    ours: Amount | None
    """our amount; None if it was not measured"""
    peer: str = ""
    """the name of the other side; empty if there is none"""
    theirs: Amount | None = None
    """its amount"""
    measured: Amount | None
    """the ratio or amount to compare with the target; None if it was not measured"""
    target: Target | None = None
    """what was aimed at"""
    scores: Scores | None = None
    """how the scores of the two sides compare"""
    limit: Amount | None = None
    """the same files read, inflated and unfiltered in C, in the unit of our amount"""
    failed: str = ""
    """why nothing was measured"""

    @property
    def met(self) -> bool:
        """Whether the target was met, by equal scores."""
        if self.scores and self.scores.allowed is not None and (self.scores.apart or 0) > self.scores.allowed:
            return False
        if self.target is None:
            return True
        if self.measured is None:
            return False
        value, goal = self.measured.value, self.target.value
        return {"≥": value >= goal, "≤": value <= goal, "<": value < goal}[self.target.bound]


class Machine(Part):
    """Where something was measured."""

    processor: str
    """its name, and its family and model, by which processors with the same name differ"""
    cores: int
    """how many"""
    load: tuple[float, ...] = ()
    """load averages over 1, 5 and 15 minutes at the end, this run included; only that over 5 if there is one"""


class Tasks(Part):
    """A section of tasks that we and others do in turn."""

    kind: Literal["tasks"]
    title: str
    """the heading"""
    script: str
    """what measured it"""
    date: str
    """day of the measurement, UTC, as YYYY-MM-DD"""
    machine: Machine
    """where it was measured"""
    rounds: int
    """rounds by turns, after one to warm up; amounts and ratios are medians"""
    python: str
    """version"""
    versions: dict[str, str]
    """our packages"""
    peers: dict[str, str]
    """packages of the others, or peer → its packages"""
    missing: dict[str, str] = {}
    """peer → why it was not measured"""
    notes: list[str] = []
    """remarks"""
    rows: list[Row]
    """the tasks"""


class Network(Part):
    """A network on a GPU."""

    network: str
    """method and variant"""
    precision: str
    """of convolutions and products"""
    batch: int
    """frames at a time"""
    compiled: bool
    """by ``torch.compile``"""
    rate: float
    """frames per second"""
    first: float
    """seconds to the first map, building and compiling included"""
    work: float
    """floating-point operations per frame"""
    busy: float
    """seconds per frame that the GPU was busy"""
    memory: int
    """the most bytes that tensors had"""


class Networks(Part):
    """The section of networks on a GPU."""

    kind: Literal["networks"]
    title: str
    """the heading"""
    script: str
    """what measured it"""
    date: str
    """day of the measurement, as YYYY-MM-DD"""
    machine: str
    """the GPU and the version of torch"""
    frames: int
    """how many were measured"""
    size: int
    """rows and columns of the matrices whose product is the ceiling"""
    ceiling: float
    """operations per second of that product in bf16"""
    rows: list[Network]
    """the networks"""


class Column(Part):
    """What one column of figures has."""

    name: str
    """its heading"""
    unit: str = ""
    """of its numbers; empty for text"""


class Figures(Part):
    """A section of figures of ours alone, such as memory by the number of frames."""

    kind: Literal["figures"]
    title: str
    """the heading"""
    script: str
    """what measured it"""
    date: str
    """day of the measurement, UTC, as YYYY-MM-DD"""
    machine: Machine
    """where it was measured"""
    python: str
    """version"""
    versions: dict[str, str]
    """our packages"""
    columns: list[Column]
    """what was varied, and what was measured"""
    rows: list[list[float | str]]
    """a cell for each column"""
    notes: list[str] = []
    """remarks"""


class Small(Part):
    """A small benchmark."""

    seconds: float
    """processor seconds of a round, the median"""
    ratio: float
    """the same divided by the time of the calibration loop next to each round, the median"""


class Calibrated(Part):
    """The section of small benchmarks, as ratios to a calibration loop."""

    kind: Literal["small"]
    title: str
    """the heading"""
    script: str
    """what measured it"""
    loop: int
    """version of the calibration loop; ratios to another one are not comparable"""
    date: str
    """day of the measurement, UTC, as YYYY-MM-DD"""
    machine: Machine
    """where it was measured"""
    python: str
    """version"""
    versions: dict[str, str]
    """our packages"""
    calibration: float
    """processor seconds of the calibration loop, the median"""
    benchmarks: dict[str, Small]
    """by name"""


Section = Annotated[Tasks | Networks | Figures | Calibrated, Field(discriminator="kind")]


class Series(Part):
    """All that benchmarks measured."""

    version: Literal[1] = 1
    """of this schema"""
    sections: dict[str, Section] = {}
    """topic → section, in the order of the page"""
