"""What benchmarks measured: the data of `results/benchmarks.json`, and the page that is written from them.

Every script of this folder replaces its own section of the data; the page, `results/benchmarks.md`, is always written
from all of the data, so that the two cannot differ. ``python tests/benchmarks/series.py`` writes the page again.
"""

import datetime as dt
import json
import os
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from measured import Column, Figures, Machine, Section, Series
from page import page

REPOSITORY = Path(__file__).parents[2]
DATA = REPOSITORY / "results" / "benchmarks.json"
SCHEMA = Path(__file__).with_name("benchmarks.schema.json")
ORDER = ("masks", "submissions", "saliency", "stability", "methods", "gpu", "small")
"""Of sections; others follow."""
OURS = ("numba", "numpy", "opencv-python", "pillow", "zlib-ng")


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


if __name__ == "__main__":
    write(read())
    SCHEMA.write_text(schema(), "utf-8")
