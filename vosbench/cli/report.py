"""``vosbench report``: a site of results."""

from pathlib import Path
from typing import Annotated

import typer

from vosbench.cli import options
from vosbench.cli.console import command, result, say


@command
def report(
    records: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RECORDS]...",
            help="Records: paths, folders, or names below --results; by default the whole folder --results.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of the site: new, empty, or an earlier site.")] = Path(
        "site"
    ),
    results: Annotated[Path, typer.Option("--results", help="Folder of the records.")] = Path("results"),
    title: Annotated[str, typer.Option("--title", help="Title of the site.")] = "vosbench",
    url: Annotated[
        str, typer.Option("--url", help="Address at which the site will be found, for permanent links.")
    ] = "",
    published: Annotated[
        bool, typer.Option("--published/--no-published", help="Show published numbers next to measured ones.")
    ] = True,
    plugin: options.Plugins = None,
    quiet: options.Quiet = False,
) -> None:
    """Make a static site of results: leaderboard, and a page for each dataset, method and video.

    It opens from disk and from any server, and asks nothing of other machines.
    """
    from vosbench.report.figures.sources import read
    from vosbench.report.site.build import build_site
    from vosbench.report.site.model import SiteOptions

    def warn(line: str) -> None:
        if not quiet:
            say(f"warning: {line}")

    shown = read(records or [str(results)], results, warn)
    build_site(shown, out, SiteOptions(title=title, url=url, published=published, plugins=tuple(plugin or ())))
    result(f"{out / 'index.html'}\n")
