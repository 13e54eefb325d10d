"""``vosbench inspect``: what a submission contains, before it is scored."""

from pathlib import Path
from typing import Annotated

import typer

from vosbench.cli import options
from vosbench.cli.console import command, listening, result
from vosbench.errors import DataError


@command
def inspect(
    masks: Annotated[Path, typer.Argument(metavar="PRED", help="Masks in any form that vosbench score takes.")],
    dataset: Annotated[str, typer.Option("--dataset", help=options.DATASET)],
    selecting: options.Selecting = options.Selecting(),
    sheet: Annotated[
        Path | None,
        typer.Option(
            "--sheet", help="Also write a contact sheet to this .png file: what to look at, and some of each video."
        ),
    ] = None,
    codec: Annotated[
        str | None, typer.Option("--codec", help="Encoding of the masks, see vosbench score; recognised by default.")
    ] = None,
    numbering: options.NumberingName = "auto",
    jobs: options.Jobs = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the contact sheet.")] = False,
    plugin: options.Plugins = None,
    no_cache: options.NoCache = False,  # noqa: ARG001 - it acts when it is parsed
    quiet: options.Quiet = False,
) -> None:
    """Look at masks before they are scored: encodings, sizes, coverage, numbers, and what may be wrong.

    Masks are read as vosbench score reads them. Exit status 3 if scoring would refuse them.
    """
    from vosbench.face import looking

    with listening("videos", quiet=quiet) as listener:
        found = looking.inspect(
            masks,
            dataset,
            sheet=sheet,
            codec=codec,
            numbering=numbering,
            jobs=jobs,
            overwrite=overwrite,
            plugins=plugin or (),
            listener=listener,
            **options.select_options(selecting),
        )
    result(f"{found!r}\n")
    if sheet is not None:
        result(f"contact sheet: {sheet}\n")
    if found.problem:
        raise DataError(f"scoring would refuse these masks: {found.problem}")
