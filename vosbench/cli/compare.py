"""``vosbench compare``: compare two records."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, listening, result, say


@command
def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="Record of one method, a .json file.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Record of the other method.")],
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
        Literal["table", "md", "csv", "json", "latex"],
        typer.Option("--format", help="Output format; json is the whole comparison."),
    ] = "table",
    quiet: options.Quiet = False,
) -> None:
    """Compare two records video by video: differences, intervals, p, attributes, worst and best videos."""
    from vosbench import face

    with listening("", quiet=quiet) as listener:
        done = face.compare(
            first,
            second,
            measures=measure,
            resamples=resamples,
            seed=seed,
            force=force,
            plugins=plugin or (),
            listener=listener,
        )
    for warning in done.warnings:
        say(f"warning: {warning}")
    result(done.render(shown, by))
