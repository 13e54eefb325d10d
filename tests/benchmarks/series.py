"""What benchmarks measured: the data of `results/benchmarks.json`, and the page that is written from them.

Every script of this folder replaces its own section of the data; the page, `results/benchmarks.md`, is always written
from all of the data, so that the two cannot differ. ``python tests/benchmarks/series.py`` writes the page again.
"""

import datetime as dt
import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

REPOSITORY = Path(__file__).parents[2]
DATA = REPOSITORY / "results" / "benchmarks.json"
SCHEMA = Path(__file__).with_name("benchmarks.schema.json")
ORDER = ("masks", "submissions", "saliency", "stability", "methods", "gpu", "small")
"""Of sections; others follow."""
OURS = ("numba", "numpy", "opencv-python", "pillow", "zlib-ng")


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


def read(path: Path = DATA) -> Series:
    """The data; none if there is no such file."""
    return Series.model_validate_json(path.read_text("utf-8")) if path.exists() else Series()


def replace(topic: str, section: Section, path: Path = DATA) -> None:
    """Replace a section, or append it, and write the page again."""
    sections = {**read(path).sections, topic: section}
    places = {name: ORDER.index(name) if name in ORDER else len(ORDER) for name in sections}
    write(Series(sections={name: sections[name] for name in sorted(sections, key=places.__getitem__)}), path)


def write(series: Series, path: Path = DATA) -> None:
    """Write the data, and the page next to them."""
    content = {"version": series.version, **series.model_dump(exclude_defaults=True)}
    text = json.dumps(content, indent=1, ensure_ascii=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", "utf-8")
    path.with_suffix(".md").write_text(page(series), "utf-8")


def schema() -> str:
    """The JSON Schema of the data."""
    return json.dumps(Series.model_json_schema(), indent=1, ensure_ascii=False) + "\n"


def machine() -> Machine:
    """This machine, and how busy it was."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    found = {line.partition(":")[0].strip(): line.partition(":")[2].strip() for line in reversed(lines)}
    known = "model name" in found and "cpu family" in found
    processor = "{model name} (family {cpu family}, model {model})".format_map(found) if known else platform.machine()
    load = tuple(round(value, 2) for value in os.getloadavg()) if hasattr(os, "getloadavg") else ()
    return Machine(processor=processor, cores=os.cpu_count() or 1, load=load)


def today() -> str:
    """The date of what is measured now."""
    return f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"


def versions() -> dict[str, str]:
    """Of vosbench, and of the packages that its speed depends on, if they are installed."""
    found = {}
    for name in ("vosbench", *OURS):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def figures(title: str, script: str, columns: Mapping[str, str], rows: list[list[float | str]], *notes: str) -> Figures:
    """A section of figures that were measured here and now.

    Args:
        title: its heading.
        script: what measured it, as a path of the repository.
        columns: heading → unit of the numbers.
        rows: a cell for each column.
        notes: remarks.
    """
    return Figures(
        kind="figures",
        title=title,
        script=script,
        date=today(),
        machine=machine(),
        python=platform.python_version(),
        versions=versions(),
        columns=[Column(name=name, unit=unit) for name, unit in columns.items()],
        rows=rows,
        notes=list(notes),
    )


def page(series: Series) -> str:
    """The page in Markdown."""
    head = (
        "<!-- Written by tests/benchmarks/series.py from benchmarks.json; do not edit. A test fails if it is out of "
        "date. -->\n# Benchmarks\n\nAll numbers are in [benchmarks.json](benchmarks.json); "
        "`tests/benchmarks/README.md` says how they are measured.\n"
    )
    return "\n".join([head, *map(_written, series.sections.values())])


def _written(section: Section) -> str:
    match section:
        case Tasks():
            return _tasks(section)
        case Networks():
            return _networks(section)
        case Figures():
            return _figures(section)
        case Calibrated():
            return _small(section)


def _tasks(section: Tasks) -> str:
    limited = any(row.limit for row in section.rows)
    columns = ["task", "vosbench", "peer", "measured", "target", "met", "scores"]
    cells = [[*columns, "decode limit"] if limited else columns]
    for row in section.rows:
        theirs = f"{_amount(row.theirs)} ({row.peer})" if row.theirs and row.peer else _amount(row.theirs)
        goal = f"{row.target.bound} {row.target.value:g}{_unit(row.measured)}" if row.target else "–"
        measured = f"not measured: {row.failed}" if row.failed else _amount(row.measured)
        met = ("yes" if row.met else "no") if row.target else "–"
        line = [row.task, _amount(row.ours), theirs, measured, goal, met, _scores(row.scores)]
        cells.append([*line, _limit(row)] if limited else line)
    lines = [
        f"{_where(section.machine)}; {section.date}; {section.rounds} alternating rounds after one warm-up round",
        f"Python {section.python}, {_listed(section.versions)}",
        *(f"{name}: {version}" for name, version in section.peers.items()),
        *(f"not measured: {name}: {reason}" for name, reason in section.missing.items()),
        *section.notes,
    ]
    return _section(section, cells, lines)


def _section(section: Section, cells: Iterable[Sequence[str]], lines: Iterable[str]) -> str:
    notes = "\n".join(f"* {line}" for line in (*lines, f"measured by {section.script}"))
    return f"## {section.title}\n\n{_table(cells)}\n\n{notes}\n"


def line(row: Row) -> str:
    """A row, as it is shown while others are measured."""
    sides = [_amount(row.ours), f"{_amount(row.theirs)} {row.peer}"]
    return " | ".join([row.task, *sides, row.failed or _amount(row.measured), _limit(row)])


def _where(found: Machine) -> str:
    if not found.load:
        return f"{found.processor}, {found.cores} cores"
    load = found.load[len(found.load) // 2]
    return f"{found.processor}, {found.cores} cores, load average {load:.1f} over 5 minutes, including this run"


def _amount(amount: Amount | None) -> str:
    if amount is None:
        return "–"
    return f"{_digits(amount.value)}{_unit(amount)}" + (f" ({amount.note})" if amount.note else "")


def _digits(value: float) -> str:
    """Three digits, or all those of a large number before the point."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _unit(amount: Amount | None) -> str:
    return "" if amount is None or not amount.unit else amount.unit if amount.unit == "×" else f" {amount.unit}"


def _scores(scores: Scores | None) -> str:
    if scores is None:
        return "–"
    apart = "" if scores.apart is None else " equal" if scores.apart == 0 else f" within {scores.apart:.0e}"
    return f"{scores.what}{apart}" + (f", {scores.note}" if scores.note else "")


def _limit(row: Row) -> str:
    if row.limit is None or row.ours is None:
        return "–"
    return f"{_amount(row.limit)}: {_digits(row.ours.value / row.limit.value)}× of it"


def _networks(section: Networks) -> str:
    columns = ["network", "precision", "batch", "compiled", "frames per second", "GPU busy", "of its rate", "memory"]
    cells = [
        [
            row.network,
            row.precision,
            f"{row.batch}",
            "yes" if row.compiled else "no",
            f"{row.rate:.0f}",
            f"{1e3 * row.busy:.1f} ms per frame",
            f"{row.work / row.busy / section.ceiling:.0%}",
            f"{row.memory / 2**20:.0f} MiB",
        ]
        for row in section.rows
    ]
    product = f"a bf16 product of two {section.size}×{section.size} matrices, {section.ceiling / 1e12:.0f} TFLOP/s"
    lines = [
        f"{section.machine}; {section.date}; {section.frames} frames of DAVIS-2016 at 854×480; random weights",
        "frames per second: from reading a frame to its map on the CPU, in one process",
        f"its rate is that of {product}, for the time that it is busy",
    ]
    return _section(section, [columns, *cells], lines)


def _figures(section: Figures) -> str:
    cells = [[column.name for column in section.columns]]
    for row in section.rows:
        pairs = zip(section.columns, row, strict=True)
        cells.append(
            [cell if isinstance(cell, str) else _amount(Amount(value=cell, unit=at.unit)) for at, cell in pairs]
        )
    lines = [f"{_where(section.machine)}; {section.date}", f"Python {section.python}, {_listed(section.versions)}"]
    return _section(section, cells, [*lines, *section.notes])


def _small(section: Calibrated) -> str:
    cells = [["benchmark", "a round", "ratio to the calibration loop"]]
    cells += [[name, f"{1e3 * each.seconds:.1f} ms", f"{each.ratio:.3f}"] for name, each in section.benchmarks.items()]
    lines = [
        f"{_where(section.machine)}; {section.date}",
        f"calibration loop {section.loop}: {1e3 * section.calibration:.1f} ms",
        f"Python {section.python}, {_listed(section.versions)}",
    ]
    return _section(section, cells, lines)


def _table(cells: Iterable[Sequence[str]]) -> str:
    first, *others = cells
    return "\n".join(f"| {' | '.join(line)} |" for line in (first, ["---"] * len(first), *others))


def _listed(found: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in found.items()) or "none"


if __name__ == "__main__":
    write(read())
    SCHEMA.write_text(schema(), "utf-8")
