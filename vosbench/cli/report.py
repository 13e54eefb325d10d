"""``vosbench report``: a site of results."""

import os
from itertools import count
from pathlib import Path
from typing import Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, listening, result, say

Records = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RECORDS]...",
        help="Records: paths, folders, or names below --results; by default the whole folder --results.",
    ),
]
Results = Annotated[Path, typer.Option("--results", help="Folder of the records.")]
Title = Annotated[str, typer.Option("--title", help="Title of the site.")]
Published = Annotated[
    bool, typer.Option("--published/--no-published", help="Show published numbers next to measured ones.")
]
Media = Annotated[
    Literal["none", "thumbs", "full"],
    typer.Option("--media", help="Pictures: none; a small one of each video; or all frames, for the viewer."),
]
Masks = Annotated[
    list[str] | None,
    typer.Option(
        "--masks",
        help="Masks that the viewer shows, as METHOD=PATH or DATASET/METHOD=PATH, in any form that vosbench score "
        "takes; or a folder that contains them, named after their records.",
    ),
]
Root = Annotated[Path | None, typer.Option("--root", help="Folder of the dataset, or one that contains the datasets.")]


@command
def report(
    records: Records = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of the site: new, empty, or an earlier site.")] = Path(
        "site"
    ),
    results: Results = Path("results"),
    title: Title = "vosbench",
    url: Annotated[
        str, typer.Option("--url", help="Address at which the site will be found, for permanent links.")
    ] = "",
    published: Published = True,
    media: Media = "none",
    masks: Masks = None,
    root: Root = None,
    jobs: options.Jobs = 0,
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
    wanted = SiteOptions(
        title=title,
        url=url,
        published=published,
        media=media,
        masks=tuple(masks or ()),
        root=root,
        jobs=jobs or os.cpu_count() or 1,
        plugins=tuple(plugin or ()),
    )
    with listening("videos and methods", quiet=quiet) as listener:
        done = count(1)
        build_site(shown, out, wanted, note=listener.note, advance=lambda name: listener.advance(name, next(done), 0))
    result(f"{out / 'index.html'}\n")
