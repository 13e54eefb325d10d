"""``vosbench merge``: make the record of a run that was done in shards."""

from pathlib import Path
from typing import Annotated

import typer

from vosbench.cli import options
from vosbench.cli.console import command, listening
from vosbench.cli.run import OUT, finished


@command
def merge(
    method: Annotated[str, typer.Option("--method", help="As it was run.")],
    dataset: Annotated[str, typer.Option("--dataset", help=options.DATASET)],
    selecting: options.Selecting = options.Selecting(),
    setting_up: options.SettingUp = options.SettingUp(),
    out: Annotated[Path, typer.Option("--out", help="Folder with the maps and rows of all shards.")] = OUT,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a record of other maps.")] = False,
    plugin: options.Plugins = None,
    shown: options.Shown = "table",
    quiet: options.Quiet = False,
) -> None:
    """Put together what the jobs of vosbench run --shard have done: the record is that of a single run.

    Options are those of the run, without --shard. If a shard is missing, still running, or of another setup, nothing
    is written.
    """
    from vosbench.face import sharding

    with listening("videos", quiet=quiet) as listener:
        done = sharding.merge(
            method,
            dataset,
            out=out,
            overwrite=overwrite,
            plugins=plugin or (),
            listener=listener,
            **options.run_options(selecting, setting_up),
        )
    finished(done, out, shown, quiet=quiet)
