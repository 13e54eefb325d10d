"""``vosbench compare``: compare records."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, listening, result, say, terminal_width


@command
def compare(
    records: Annotated[
        list[Path],
        typer.Argument(metavar="RECORD...", help="Records, .json files; the first is the reference for the others."),
    ],
    measure: Annotated[
        str, typer.Option("--measure", help="Scores to compare, separated by commas; all means by default.")
    ] = "",
    by: Annotated[
        Literal["measure", "attribute", "video"] | None, typer.Option("--by", help="Show only this table.")
    ] = None,
    resamples: Annotated[
        int, typer.Option("--resamples", min=100, help="Bootstrap samples, and maximum number of permutations.")
    ] = 9999,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of intervals and p.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Compare even if the records are not comparable.")] = False,
    plugin: options.Plugins = None,
    shown: Annotated[
        Literal["table", "md", "csv", "json", "latex", "html"],
        typer.Option("--format", help="Output format; json is the whole comparison."),
    ] = "table",
    wide: options.Wide = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare records with the first, video by video: differences, intervals, p, attributes, worst and best videos.

    If there are several, p is also corrected for their number (Holm).
    """
    from vosbench import face

    with listening("", quiet=quiet) as listener:
        done = face.compare(
            *records,
            measures=measure,
            resamples=resamples,
            seed=seed,
            force=force,
            plugins=plugin or (),
            listener=listener,
        )
    for warning in done.warnings:
        say(f"warning: {warning}")
    result(done.render(shown, by, terminal_width(wide=wide)))
