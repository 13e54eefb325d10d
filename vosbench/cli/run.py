"""``vosbench run`` and ``vosbench score``: from a method, or from its masks, to a record."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, progress, result, say
from vosbench.errors import DataError, UsageError

if TYPE_CHECKING:
    from vosbench.records.record import Record

OUT = Path("results")


@command
def run(
    method: Annotated[str, typer.Option("--method", help="Method or method.variant; see: vosbench list methods.")],
    dataset: options.DatasetName,
    root: options.Root = None,
    split: options.Split = None,
    layout: options.LayoutName = None,
    protocol: options.ProtocolName = None,
    videos: options.Videos = "",
    limit: options.Limit = None,
    weights: options.Weights = None,
    untrained: options.Untrained = False,
    seed: options.Seed = 0,
    device: options.Device = "cpu",
    batch: options.Batch = 1,
    precision: options.Precision = "fp32",
    compiled: options.Compiled = False,
    settings: options.Settings = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of maps and records.")] = OUT,
    measures: options.Measures = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Discard maps of another setup.")] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Measure time per stage, memory and cost on the first video too.")
    ] = False,
    plugin: options.Plugins = None,
    shown: options.Shown = "table",
    quiet: options.Quiet = False,
) -> None:
    """Run a method on a dataset: write its maps, score them, print the result.

    The same command goes on where an interrupted one stopped.
    """
    from vosbench.dataset.selection import Choice, select
    from vosbench.method import Setup
    from vosbench.registry import load_dataset, load_method
    from vosbench.runner import resolve_options, resolve_weights
    from vosbench.runner import run as run_method

    found, variant = load_method(method, plugin or ())
    setup = Setup(
        variant=variant,
        weights=weights,
        seed=seed,
        device=device,
        batch=batch,
        precision=precision,
        compile=compiled,
        options=resolve_options(found, settings or ()),
    )
    setup = resolve_weights(found, setup, untrained=untrained)
    choice = Choice(
        root=root,
        split=split,
        layout=layout,
        protocol=protocol,
        videos=options.names(videos),
        limit=limit,
        measures=options.names(measures),
    )
    selection = select(load_dataset(dataset, plugin or ()), choice)
    if untrained and not quiet:
        say(f"note: {method} runs with random weights (seed {seed}); its numbers mean nothing")
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
    _show(record, shown)
    if record.speed is not None and shown != "json":
        from vosbench.report.overview import stages_table
        from vosbench.report.table import render

        result("\n" + render(stages_table(record.speed), shown))


@command
def score(
    masks: Annotated[Path, typer.Argument(help="Folder or zip file of masks or maps, as <video>/<frame>.png.")],
    dataset: options.DatasetName,
    root: options.Root = None,
    split: options.Split = None,
    layout: options.LayoutName = None,
    protocol: options.ProtocolName = None,
    videos: options.Videos = "",
    limit: options.Limit = None,
    codec: Annotated[str | None, typer.Option("--codec", help="How masks are read; recognised if not given.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="What to call the method.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the record below this folder too.")] = None,
    measures: options.Measures = "",
    by: Annotated[
        Literal["video", "category", "attribute", "average", "interval"] | None,
        typer.Option("--by", help="Take the result apart."),
    ] = None,
    per_frame: Annotated[
        Path | None, typer.Option("--per-frame", help="Write every value, as .csv or .csv.gz.")
    ] = None,
    pr: Annotated[Path | None, typer.Option("--pr", help="Write the precision-recall curve, as .csv.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=0, help="Processes; 0 takes one per processor.")] = 0,
    plugin: options.Plugins = None,
    shown: options.Shown = "table",
    quiet: options.Quiet = False,
) -> None:
    """Score masks that are on disk, of any method."""
    from vosbench.dataset.selection import Choice, select
    from vosbench.evaluate.score import all_rows, write_curve
    from vosbench.evaluate.score import score as score_masks
    from vosbench.records import record as records
    from vosbench.registry import load_dataset
    from vosbench.report.breakdown import breakdown
    from vosbench.report.table import render

    choice = Choice(
        root=root,
        split=split,
        layout=layout,
        protocol=protocol,
        videos=options.names(videos),
        limit=limit,
        measures=options.names(measures),
    )
    selection = select(load_dataset(dataset, plugin or ()), choice)
    if pr is not None and selection.protocol.saliency is None:
        raise UsageError(f'--pr takes a protocol of saliency measures, which "{selection.protocol.name}" is not')
    with progress(len(selection.videos), "videos", quiet=quiet) as advance:
        record, scored, notes = score_masks(
            masks,
            selection,
            method=name,
            codec=codec,
            jobs=jobs or os.cpu_count() or 1,
            advance=lambda done: advance(masks.name, done),
        )
    for note in notes if not quiet else ():
        say(f"note: {note}")
    if out is not None:
        records.write(out / record.dataset / f"{record.method}.json", record, all_rows(scored))
    if per_frame is not None:
        records.write_rows(per_frame, all_rows(scored))
    if pr is not None:
        write_curve(pr, scored, selection)
    if by is None:
        _show(record, shown)
    else:
        result(render(breakdown(record, scored, selection, by), shown))
    absent = [each for each in record.missing if "/" in each]
    if absent:
        more = ", …" if len(absent) > 5 else ""
        raise DataError(
            f'"{masks}" lacks {len(absent)} masks that protocol "{selection.protocol.name}" scores '
            f"({', '.join(absent[:5])}{more}); without them there is no mean"
        )


def _show(record: "Record", shown: options.Shown) -> None:
    from vosbench.report.leaderboard import scores_table
    from vosbench.report.table import render

    result(record.to_json() if shown == "json" else render(scores_table(record), shown))
