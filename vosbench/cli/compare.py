"""``vosbench compare``: two records side by side."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, result, say
from vosbench.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vosbench.dataset import Listed
    from vosbench.records.record import Record


@command
def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="Record of one method, a .json file.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Record of the other.")],
    measure: Annotated[
        str, typer.Option("--measure", help="Scores to compare, with commas between; every mean where not given.")
    ] = "",
    by: Annotated[
        Literal["measure", "attribute", "video"] | None, typer.Option("--by", help="One table alone.")
    ] = None,
    resamples: Annotated[int, typer.Option("--resamples", min=100, help="Bootstrap samples, and most swaps.")] = 9999,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of interval and p.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Compare what was not taken alike.")] = False,
    plugin: options.Plugins = None,
    shown: Annotated[
        Literal["table", "md", "csv", "json", "latex"],
        typer.Option("--format", help="How the result is shown; json is the whole comparison."),
    ] = "table",
    quiet: options.Quiet = False,
) -> None:
    """Compare two records video by video: difference, interval, p, attributes, worst and best videos."""
    from vosbench.records import compare as comparing
    from vosbench.records import record
    from vosbench.registry import load_families
    from vosbench.report import comparison as contrasts
    from vosbench.report.table import render

    one, other = record.read(first), record.read(second)
    warnings = [*comparing.unlike(one, other), *comparing.frames_apart(one, other)]
    if warnings and not force:
        raise DataError(f"the records cannot be compared: {'; '.join(warnings)}; --force compares them all the same")
    for warning in warnings:
        say(f"warning: {warning}")
    load_families(plugin or ())
    listing = _listing(one, plugin or (), quiet=quiet)
    effects = comparing.compare(one, other, listing, options.names(measure), resamples, seed)
    if shown == "json":
        result(contrasts.to_json(one, other, effects, warnings))
        return
    if shown == "csv" and by is None:
        by = "measure"
    made = contrasts.tables(one, other, effects, by, warnings)
    if not made:
        raise DataError(f'nobody lists attributes of the videos of "{one.dataset}"')
    result("\n".join(render(table, shown) for table in made))


def _listing(record: "Record", plugins: "Sequence[Path]", *, quiet: bool) -> "Mapping[str, Listed]":
    """What the dataset's list says of the videos; nothing where the dataset is not known here."""
    from vosbench.registry import load_dataset

    try:
        return load_dataset(record.dataset, plugins).listing(record.split)
    except UsageError as error:
        if not quiet:
            say(f"note: without the dataset's list there are no attributes: {error}")
        return {}
