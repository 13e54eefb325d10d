"""``vosbench table``: records in, a table out."""

from pathlib import Path
from typing import Annotated

import typer

from vosbench.cli import options
from vosbench.cli.console import command, result, say


@command
def table(
    dataset: Annotated[str, typer.Argument(help="Dataset whose records are shown.")],
    results: Annotated[Path, typer.Option("--results", help="Folder of the records.")] = Path("results"),
    protocol: options.ProtocolName = None,
    split: options.Split = None,
    plugin: options.Plugins = None,
    shown: options.Shown = "table",
    quiet: options.Quiet = False,
) -> None:
    """Print the leaderboard of a dataset from the records of runs and scores."""
    from vosbench.leaderboard import leaderboard, read_records
    from vosbench.registry import load_dataset
    from vosbench.tables import render

    found = load_dataset(dataset, plugin or ())
    ranked, left_out = leaderboard(read_records(results, found.name, protocol, split))
    for line in left_out if not quiet else ():
        say(f"note: {line}")
    result(render(ranked, shown))
