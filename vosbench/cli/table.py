"""``vosbench table``: print tables of records and published numbers."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, result, say
from vosbench.errors import UsageError

PAGE = "readme"


@command
def table(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A dataset, or its path, for its leaderboard; a table of a paper, adnet-1 to adnet-3 or f2net-1 to "
            "f2net-5; davis-leaderboard; saliency or speed, over all datasets; or readme, the page of results."
        ),
    ] = None,
    suite: Annotated[
        str | None,
        typer.Option("--suite", help="Table of a suite, methods by datasets; see: vosbench list suites."),
    ] = None,
    results: Annotated[Path, typer.Option("--results", help="Folder of the records.")] = Path("results"),
    protocol: options.ProtocolName = None,
    split: options.Split = None,
    by: Annotated[
        Literal["category", "attribute", "video"] | None,
        typer.Option("--by", help="Break the results down, a column for each method."),
    ] = None,
    measure: Annotated[
        str | None, typer.Option("--measure", help="What --by shows; by default J&F, or the first one.")
    ] = None,
    published: Annotated[
        bool, typer.Option("--published", help="Also published numbers; only these for a paper's table.")
    ] = False,
    measured: Annotated[
        bool, typer.Option("--measured", help="Require measured numbers; fail if there are none.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Also differences, measured − published.")] = False,
    sort: Annotated[str | None, typer.Option("--sort", help="Measure to sort by, best first.")] = None,
    plugin: options.Plugins = None,
    shown: Annotated[
        Literal["table", "md", "csv", "json", "latex"], typer.Option("--format", help="Output format.")
    ] = "table",
    quiet: options.Quiet = False,
) -> None:
    """Print a table of results: a dataset's leaderboard, a suite, a paper's table, saliency, or speed.

    The best numbers are bold and the second underlined in md and latex; csv and json hold them unrounded.
    """
    from vosbench.report.named import TableRequest, make_table
    from vosbench.report.table import render

    def warn(line: str) -> None:
        say(f"warning: {line}")

    if (name is None) == (suite is None):
        raise UsageError("pass either the name of a table or --suite")
    if name == PAGE:
        from vosbench.report.page import results_page

        if shown not in {"table", "md"}:
            raise UsageError(f"{PAGE} is a page in Markdown; --format {shown} is for single tables")
        result(results_page(results, warn))
        return
    request = TableRequest(
        name=name or "",
        suite=suite,
        results=results,
        protocol=protocol,
        split=split,
        by=by,
        measure=measure,
        published=published,
        measured=measured,
        diff=diff,
        sort=sort,
        warn=warn,
        plugins=tuple(plugin or ()),
    )
    made, left_out = make_table(request)
    for line in left_out if not quiet else ():
        say(f"note: {line}")
    result(render(made, shown))
