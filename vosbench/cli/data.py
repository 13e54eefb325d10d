"""``vosbench list``, ``verify``, ``fetch`` and ``data``: what there is, where it is, and whether it is whole."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, progress, result, say
from vosbench.errors import DataError

if TYPE_CHECKING:
    from vosbench.registry import Found
    from vosbench.report.table import Table


@command
def list_(
    what: Annotated[Literal["methods", "datasets"], typer.Argument(help="What to list.")] = "methods",
    long: Annotated[bool, typer.Option("--long", help="A block each, with all that is known.")] = False,
    plugin: options.Plugins = None,
    shown: options.Shown = "table",
) -> None:
    """List the methods or datasets that are installed."""
    from vosbench.registry import DATASETS, METHODS, find
    from vosbench.report.table import render

    found = list(find(METHODS if what == "methods" else DATASETS, plugin or ()).values())
    make = {("methods", False): _methods, ("methods", True): _methods_long}
    make |= {("datasets", False): _datasets, ("datasets", True): _datasets_long}
    result(render(make[what, long](found), shown))


def _methods(found: "list[Found]") -> "Table":
    from vosbench.registry import as_method
    from vosbench.report.table import Table

    rows = [(m.name, m.title, " ".join(m.variants), entry.origin) for entry in found for m in [as_method(entry)]]
    return Table(columns=("method", "title", "variants", "from"), rows=rows)


def _methods_long(found: "list[Found]") -> "Table":
    from vosbench.registry import as_method
    from vosbench.report.table import Cell, Table

    rows: list[tuple[Cell, ...]] = []
    for entry in found:
        method = as_method(entry)
        about = [("title", method.title), ("paper", method.paper), ("licence", method.licence)]
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
            about.append((f"split {split}", f"{len(listing)} videos{frames}"))
        about.append(("protocols", " ".join(protocol.name for protocol in dataset.protocols)))
        about.append(("layouts", " ".join(dataset.layouts)))
        about.append(("here", str(known_root(dataset) or "no")))
        rows += [(dataset.name if index == 0 else "", *line) for index, line in enumerate(about)]
    return Table(columns=("dataset", "what", ""), rows=rows)


@command
def verify(
    dataset: Annotated[str, typer.Argument(help="Dataset; see: vosbench list datasets.")],
    root: options.Root = None,
    split: options.Split = None,
    layout: options.LayoutName = None,
    plugin: options.Plugins = None,
    as_json: Annotated[bool, typer.Option("--json", help="Show the findings as JSON.")] = False,
) -> None:
    """Hold a dataset on disk against its list: what is missing, extra, of the wrong size or encoding."""
    from vosbench.dataset.roots import find_root
    from vosbench.dataset.selection import split_of
    from vosbench.dataset.verify import verify as check
    from vosbench.registry import load_dataset
    from vosbench.report.table import Table, render

    found = load_dataset(dataset, plugin or ())
    place = find_root(found, root)
    part = split_of(found, split)
    report = check(found, place, part, layout)
    rows = [(each.level, each.video, each.message) for each in report.findings]
    notes = (
        f'{found.title} {part} in "{place}", layout {report.layout}',
        f"{report.complete} of {report.listed} sequences are whole",
        f"annotations {report.annotations}",
    )
    table = Table(columns=("level", "video", "finding"), rows=rows, notes=notes)
    result(render(table, "json" if as_json else "table"))
    if report.errors:
        raise DataError(f'{found.title} {part} in "{place}" is unfit: {len(report.errors)} errors in the table above')


@command
def fetch(
    dataset: Annotated[str, typer.Argument(help="Dataset; see: vosbench list datasets --long.")],
    to: Annotated[Path, typer.Option("--to", help="Folder to put it in.")],
    accept_licence: Annotated[bool, typer.Option("--accept-licence", help="Accept the dataset's licence.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Open no connection: refuse.")] = False,
    plugin: options.Plugins = None,
    quiet: options.Quiet = False,
) -> None:
    """Download a dataset, after its licence was accepted; an interrupted download goes on."""
    from vosbench.dataset.fetch import fetch as fetch_files
    from vosbench.registry import load_dataset

    found = load_dataset(dataset, plugin or ())
    if not quiet and found.downloads:
        say(f"{found.title}: {found.licence}")
    with progress(0, "bytes", quiet=quiet) as advance:
        files = fetch_files(found, to, accepted=accept_licence, offline=offline, advance=advance)
    for path in files:
        result(f"{path}\n")
    if not quiet:
        say(f"to be found from now on: vosbench data set-root {found.name} FOLDER")


@command
def set_root(
    dataset: Annotated[str, typer.Argument(help="Dataset.")],
    folder: Annotated[Path, typer.Argument(help="The folder that holds it.")],
    plugin: options.Plugins = None,
) -> None:
    """Remember where a dataset is, so that --root need not be given."""
    from vosbench.dataset.roots import set_root as remember
    from vosbench.registry import load_dataset

    path = remember(load_dataset(dataset, plugin or ()), folder)
    say(f"remembered in {path}")


@command
def roots() -> None:
    """Show the folders that are remembered."""
    from vosbench.dataset.roots import read_roots
    from vosbench.report.table import Table, render

    rows = [(name, str(folder)) for name, folder in read_roots().items()]
    result(render(Table(columns=("dataset", "folder"), rows=rows), "table"))
