"""``vosbench serve``: the site of results over localhost."""

import os
from itertools import count
from pathlib import Path
from typing import Annotated

import typer

from vosbench.cli import options, report
from vosbench.cli.console import command, listening, result, say


@command
def serve(
    records: report.Records = None,
    results: report.Results = Path("results"),
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port to listen to; 0 for any that is free.")
    ] = 8765,
    title: report.Title = "vosbench",
    published: report.Published = True,
    media: report.Media = "full",
    masks: report.Masks = None,
    root: report.Root = None,
    jobs: options.Jobs = 0,
    plugin: options.Plugins = None,
    quiet: options.Quiet = False,
) -> None:
    """Show the site of vosbench report in a browser of this machine, built again when records change.

    Frames are made from the dataset's folder when they are looked at. The server listens on 127.0.0.1 alone. Stop it
    with Ctrl-C.
    """
    from vosbench.engine.locks import locked
    from vosbench.report.site import live
    from vosbench.report.site.model import SiteOptions
    from vosbench.report.site.serve import Server

    sources = records or [str(results)]
    wanted = SiteOptions(
        title=title,
        published=published,
        media=media,
        masks=tuple(masks or ()),
        root=root,
        on_demand=True,
        jobs=jobs or os.cpu_count() or 1,
        plugins=tuple(plugin or ()),
    )
    folder = live.folder_of(sources, results)
    noted = set[str]()

    def note(line: str) -> None:
        if not quiet and line not in noted:  # once, however often the site is built
            noted.add(line)
            say(f"note: {line}")

    with locked(folder.with_name(f"{folder.name}.lock")):
        with listening("videos and methods", quiet=quiet) as listener:
            done = count(1)
            site = live.live(
                sources,
                results,
                folder,
                wanted,
                note=note,
                advance=lambda name: listener.advance(name, next(done), 0),
            )
        with Server(site, port) as server:
            result(f"{server.url}\n")
            try:
                server.serve_forever()
            except KeyboardInterrupt:  # which is how it is stopped
                return
