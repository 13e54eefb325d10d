"""``vosbench list``: list methods, datasets, suites and measures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vosbench.registry import Found
    from vosbench.report.table import Table


@command
def list_(
    what: Annotated[
        Literal["methods", "datasets", "suites", "measures"], typer.Argument(help="What to list.")
    ] = "methods",
    long: Annotated[bool, typer.Option("--long", help="Show all details.")] = False,
    plugin: options.Plugins = None,
    shown: options.Shown = "table",
) -> None:
    """List installed methods, datasets, suites or measures."""
    from vosbench.registry import DATASETS, METHODS, SUITES, find
    from vosbench.report.table import render

    if what == "measures":
        result(render(_measures(plugin or ()), shown))
        return
    if what == "suites":
        suites = list(find(SUITES, plugin or ()).values())
        result(render((_suites_long if long else _suites)(suites, plugin or ()), shown))
        return
    found = list(find(METHODS if what == "methods" else DATASETS, plugin or ()).values())
    make = {("methods", False): _methods, ("methods", True): _methods_long}
    make |= {("datasets", False): _datasets, ("datasets", True): _datasets_long}
    result(render(make[what, long](found), shown))


def _measures(plugins: "Sequence[Path]") -> "Table":
    from vosbench.metrics.measures import MEASURES
    from vosbench.registry import MEASURES as GROUP
    from vosbench.registry import find, load_families
    from vosbench.report.table import Table

    load_families(plugins)
    origins = {name: found.origin for name, found in find(GROUP, plugins).items()}
    rows = [
        (measure.symbol, measure.name, measure.heading, measure.better, origins.get(measure.symbol, "vosbench"))
        for measure in MEASURES.values()
        if measure.symbol
    ]
    return Table(columns=("measure", "score", "heading", "better", "from"), rows=rows)


def _methods(found: "list[Found]") -> "Table":
    from vosbench.registry import as_method
    from vosbench.report.table import Table

    rows = [(m.name, m.title, " ".join(m.variants), entry.origin) for entry in found for m in [as_method(entry)]]
    return Table(columns=("method", "title", "variants", "from"), rows=rows)


def _methods_long(found: "list[Found]") -> "Table":
    from vosbench.method.method import NEEDS
    from vosbench.registry import as_method
    from vosbench.report.table import Cell, Table

    rows: list[tuple[Cell, ...]] = []
    for entry in found:
        method = as_method(entry)
        about = [("title", method.title), ("paper", method.paper), ("licence", method.licence)]
        about += [(f"needs {need}", NEEDS[need]) for need in NEEDS if need in method.needs]
        about += [(f"{method.name}.{variant}", line) for variant, line in method.variants.items()]
        rows += [(method.name if index == 0 else "", *line) for index, line in enumerate(about)]
    return Table(columns=("method", "what", ""), rows=rows)


def _datasets(found: "list[Found]") -> "Table":
    from vosbench.dataset.roots import known_root
    from vosbench.registry import as_dataset
    from vosbench.report.table import Table

    rows = [
        (d.name, d.title, " ".join(p.name for p in d.protocols), "yes" if known_root(d) else "no", entry.origin)
        for entry in found
        for d in [as_dataset(entry)]
    ]
    return Table(columns=("dataset", "title", "protocols", "here", "from"), rows=rows)


def _datasets_long(found: "list[Found]") -> "Table":
    from vosbench.dataset.roots import known_root
    from vosbench.registry import as_dataset
    from vosbench.report.table import Cell, Table

    rows: list[tuple[Cell, ...]] = []
    for entry in found:
        dataset = as_dataset(entry)
        about = [("title", dataset.title), ("paper", dataset.paper), ("licence", dataset.licence)]
        for split in dataset.splits:
            listing = dataset.listing(split)
            counts = [listed.frames for listed in listing.values()]
            frames = f", {sum(c for c in counts if c is not None)} frames" if None not in counts else ""
            counted = f"{len(listing)} videos{frames}" if listing else "the videos that are there"
            about.append((f"split {split}", counted))
        about += [(f"protocol {protocol.name}", protocol.about) for protocol in dataset.protocols]
        about.append(("layouts", " ".join(dataset.layouts)))
        about.append(("here", str(known_root(dataset) or "no")))
        rows += [(dataset.name if index == 0 else "", *line) for index, line in enumerate(about)]
    return Table(columns=("dataset", "what", ""), rows=rows)


def _suites(found: "list[Found]", plugins: "Sequence[Path]") -> "Table":
    from vosbench.dataset import Suite
    from vosbench.dataset.roots import known_root
    from vosbench.registry import as_kind, load_dataset
    from vosbench.report.table import Cell, Table

    rows: list[tuple[Cell, ...]] = []
    for entry in found:
        suite = as_kind(entry, Suite)
        names = list(dict.fromkeys(each.dataset for each in suite.entries))
        here = sum(known_root(load_dataset(name, plugins)) is not None for name in names)
        rows.append((suite.name, suite.title, " ".join(names), f"{here} of {len(names)}", entry.origin))
    return Table(columns=("suite", "title", "datasets", "here", "from"), rows=rows)


def _suites_long(found: "list[Found]", plugins: "Sequence[Path]") -> "Table":
    from vosbench.dataset import Suite
    from vosbench.dataset.roots import known_root
    from vosbench.metrics.measures import headings
    from vosbench.registry import as_kind, load_dataset
    from vosbench.report.table import Cell, Table

    rows: list[tuple[Cell, ...]] = []
    for entry in found:
        suite = as_kind(entry, Suite)
        for index, each in enumerate(suite.entries):
            here = str(known_root(load_dataset(each.dataset, plugins)) or "no")
            shown = ", ".join(headings(each.scores))
            rows.append((suite.name if index == 0 else "", each.dataset, each.split, each.protocol, shown, here))
    return Table(columns=("suite", "dataset", "split", "protocol", "shown", "here"), rows=rows)
