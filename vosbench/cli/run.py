"""``vosbench run``: from a method to maps and a record."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vosbench.cli import options
from vosbench.cli.console import command, progress, result, say

if TYPE_CHECKING:
    from vosbench.records.record import Record

OUT = Path("results")


@command
def run(
    method: Annotated[str, typer.Option("--method", help="Method or method.variant; see: vosbench list methods.")],
    dataset: options.DatasetName,
    selecting: options.Selecting,
    setting_up: options.SettingUp,
    out: Annotated[Path, typer.Option("--out", help="Folder of maps and records.")] = OUT,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Discard maps of another setup.")] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Measure time per stage, memory and cost on the first video too.")
    ] = False,
    plugin: options.Plugins = None,
    shown: options.Shown = "table",
    quiet: options.Quiet = False,
) -> None:
    """Run a method on a dataset: write its maps, score them, print the result.

    The same command resumes an interrupted run.
    """
    from dataclasses import replace

    from vosbench.dataset.selection import select
    from vosbench.registry import load_dataset, load_families, load_method
    from vosbench.runner import resolve_options, resolve_weights
    from vosbench.runner import run as run_method

    found, variant = load_method(method, plugin or ())
    chosen = resolve_options(found, setting_up.settings or ())
    setup = replace(setting_up.setup(), variant=variant, options=chosen)
    setup = resolve_weights(found, setup, untrained=setting_up.untrained)
    selection = select(load_dataset(dataset, plugin or ()), selecting.choice(), load_families(plugin or ()))
    if setting_up.untrained and not quiet:
        say(f"note: {method} runs with random weights (seed {setting_up.seed}); its numbers mean nothing")
    if profile and not quiet:
        say(f'note: once the maps are made, speed is measured on the first frames of "{selection.videos[0].name}"')
    total = sum(len(video) for video in selection.videos)
    with progress(total, "frames", quiet=quiet) as advance:
        before = dict.fromkeys((video.name for video in selection.videos), 0)

        def count(video: str, done: int) -> None:
            before[video] = done
            advance(video, sum(before.values()))

        record, path = run_method(found, setup, selection, out, overwrite=overwrite, profile=profile, advance=count)
    if not quiet:
        say(f"note: maps and record are in {path.with_suffix('')} and {path}")
    show(record, shown)
    if record.speed is not None and shown != "json":
        from vosbench.report.overview import stages_table
        from vosbench.report.table import render

        result("\n" + render(stages_table(record.speed), shown))


def show(record: "Record", shown: options.Shown) -> None:
    """Print a record."""
    from vosbench.report.leaderboard import scores_table
    from vosbench.report.table import render

    result(record.to_json() if shown == "json" else render(scores_table(record), shown))
