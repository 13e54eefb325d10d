"""``vosbench verify``, ``fetch`` and ``data``: where datasets are, whether they are whole, and how to get them."""

from pathlib import Path
from typing import Annotated

import typer

from vosbench.cli import options
from vosbench.cli.console import command, progress, result, say
from vosbench.errors import DataError


@command
def verify(
    dataset: Annotated[str, typer.Argument(help="Dataset; see: vosbench list datasets.")],
    root: options.Root = None,
    split: options.Split = None,
    layout: options.LayoutName = None,
    plugin: options.Plugins = None,
    as_json: Annotated[bool, typer.Option("--json", help="Show the findings as JSON.")] = False,
) -> None:
    """Check a dataset on disk against its list: what is missing, extra, of the wrong size or encoding."""
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
    """Download a dataset, after its licence was accepted; an interrupted download resumes."""
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


app = typer.Typer(help="Where datasets are on this machine.", no_args_is_help=True, rich_markup_mode=None)
app.command("set-root")(set_root)
app.command("roots")(roots)
