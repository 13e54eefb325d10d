"""``vosbench merge``: make the record of a run that was done in shards."""

from pathlib import Path
from typing import Annotated

import typer

from vosbench.cli import options, plan
from vosbench.cli.console import command, listening
from vosbench.cli.run import OUT, finished
from vosbench.errors import UsageError

PLANNED = {"planned", "out", "overwrite", "available", "plugin", "shown", "quiet"}
"""Parameters that go with a plan."""


@command
def merge(
    context: typer.Context,
    method: Annotated[str | None, typer.Option("--method", help="As it was run.")] = None,
    dataset: Annotated[str | None, typer.Option("--dataset", help=options.DATASET)] = None,
    planned: options.Planned = None,
    available: options.Available = False,
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

    if planned is not None:
        plan.refuse_others(context, PLANNED)
        place = out if plan.is_given(context, "out") else None
        with listening("videos", quiet=quiet) as listener:
            all_done = sharding.merge_plan(
                planned, out=place, overwrite=overwrite, available=available, plugins=plugin or (), listener=listener
            )
        plan.finish(all_done, shown)
        return
    if method is None or dataset is None:
        raise UsageError("pass --method and --dataset, or --plan")
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
