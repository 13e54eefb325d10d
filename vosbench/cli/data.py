"""``vosbench verify``, ``fetch`` and ``data``: check, download and locate datasets."""

from pathlib import Path
from typing import Annotated

import typer

from vosbench.cli import options
from vosbench.cli.console import Command, command, progress, result, say
from vosbench.errors import DataError, UsageError, counted


@command
def verify(
    dataset: Annotated[
        str, typer.Argument(help=f"{options.DATASET} Or the folder of a contribution, see: vosbench submit.")
    ],
    root: options.Root = None,
    split: options.Split = None,
    layout: options.LayoutName = None,
    masks: Annotated[
        Path | None,
        typer.Option(
            "--masks",
            help="Of a contribution: its masks, unless they are packed in it; of several datasets, a folder with a "
            "folder or archive for each.",
        ),
    ] = None,
    no_score: Annotated[
        bool, typer.Option("--no-score", help="Of a contribution: check its files without scoring masks again.")
    ] = False,
    jobs: Annotated[
        int, typer.Option("--jobs", min=0, help="Of a contribution: number of processes; 0 for one per processor.")
    ] = 0,
    plugin: options.Plugins = None,
    shown: options.Shown = "table",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.", hidden=True)] = False,
) -> None:
    """Check a dataset on disk: missing or extra files, wrong sizes or encodings.

    Or check a contribution: its card and files, and its records against its masks, which are scored again.
    """
    if (Path(dataset) / "card.yaml").is_file():
        from vosbench.cli.submit import verify_contribution

        if split is not None or layout is not None:
            raise UsageError("--split and --layout are for a dataset; the record of a contribution states its split")
        verify_contribution(
            Path(dataset), masks=masks, root=root, score=not no_score, jobs=jobs, plugins=plugin or [], shown=shown
        )
        return
    if masks is not None or no_score or jobs:
        raise UsageError("--masks, --no-score and --jobs are for a contribution, a folder with a card.yaml")
    from vosbench.dataset.roots import find_root
    from vosbench.dataset.selection import split_of
    from vosbench.dataset.verify import verify as check
    from vosbench.registry import load_dataset
    from vosbench.report.table import Table, render

    found = load_dataset(dataset, plugin or ())
    place = find_root(found, root)
    part = split_of(found, split)
    report = check(found, place, part, layout)
    rows = [(finding.level, finding.video, finding.message) for finding in report.findings]
    notes = (
        f'{found.title} {part} in "{place}", layout {report.layout}',
        f"{report.complete} of {report.listed} sequences are complete",
        f"annotations {report.annotations}",
    )
    table = Table(columns=("level", "video", "finding"), rows=rows, notes=notes)
    result(render(table, "json" if as_json else shown))
    if report.errors:
        raise DataError(f'{found.title} {part} in "{place}" is unusable: {len(report.errors)} errors, see the table')


@command
def fetch(
    dataset: Annotated[str, typer.Argument(help="Dataset; see: vosbench list datasets --long.")],
    to: Annotated[Path, typer.Option("--to", help="Target folder.")],
    accept_licence: Annotated[bool, typer.Option("--accept-licence", help="Accept the dataset's licence.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Do not connect; fail instead.")] = False,
    plugin: options.Plugins = None,
    quiet: options.Quiet = False,
) -> None:
    """Download a dataset once its licence is accepted; resume an interrupted download."""
    from vosbench.dataset.fetch import fetch as fetch_files
    from vosbench.registry import registered_dataset

    found = registered_dataset(dataset, plugin or ())
    if not quiet and found.downloads:
        say(f"{found.title}: {found.licence}")
    with progress(0, "bytes", quiet=quiet) as advance:
        files = fetch_files(found, to, accepted=accept_licence, offline=offline, advance=advance)
    for path in files:
        result(f"{path}\n")
    if not quiet:
        say(f"to remember its folder, run: vosbench data set-root {found.name} FOLDER")


@command
def set_root(
    dataset: Annotated[str, typer.Argument(help="Dataset.")],
    folder: Annotated[Path, typer.Argument(help="Its folder.")],
    plugin: options.Plugins = None,
) -> None:
    """Remember the folder of a dataset, so that --root is not needed."""
    from vosbench.dataset.roots import set_root as remember
    from vosbench.registry import registered_dataset

    path = remember(registered_dataset(dataset, plugin or ()), folder)
    say(f"remembered in {path}")


@command
def roots() -> None:
    """Show the remembered folders."""
    from vosbench.dataset.roots import read_roots
    from vosbench.report.table import Table, render

    rows = [(name, str(folder)) for name, folder in read_roots().items()]
    result(render(Table(columns=("dataset", "folder"), rows=rows), "table"))


@command
def warm() -> None:
    """Compile what T and saliency compile on their first use, such as when an image of a machine is made."""
    from vosbench.images import levels
    from vosbench.metrics.compiled import COMPILING
    from vosbench.metrics.warm import warm as compile_all

    if not COMPILING:
        raise UsageError('nothing is compiled without Numba: pip install "vosbench[fast]"')
    compile_all()
    levels.warm()


@command
def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove what is kept.")] = False,
) -> None:
    """Show the annotations that are kept decoded, so that scoring reads them faster, or remove them.

    The indexes of large folders of records are removed as well.
    """
    from vosbench.images import kept
    from vosbench.records import index

    files, size = kept.usage()
    if clear:
        say(f"removed {(kept.clear() + index.clear()) / 1e6:.1f} MB")
    else:
        result(f"{kept.folder()}\n")
        say(f"{counted(files, 'video')}, {size / 1e6:.1f} MB of at most {kept.MOST / 1e6:.0f} MB")


app = typer.Typer(
    help="Where datasets are on this machine, and what is kept of them.", no_args_is_help=True, rich_markup_mode=None
)
app.command("set-root", cls=Command)(set_root)
app.command("roots", cls=Command)(roots)
app.command("cache", cls=Command)(cache)
app.command("warm", cls=Command)(warm)
