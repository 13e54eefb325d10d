"""``vosbench score``: from masks on disk to a record."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, progress, result, say
from vosbench.cli.run import show
from vosbench.errors import DataError, UsageError


@command
def score(
    masks: Annotated[Path, typer.Argument(help="Folder or zip file of masks or maps, as <video>/<frame>.png.")],
    dataset: options.DatasetName,
    selecting: options.Selecting,
    codec: Annotated[str | None, typer.Option("--codec", help="How masks are read; recognised if not given.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="What to call the method.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the record below this folder too.")] = None,
    by: Annotated[
        Literal["video", "category", "attribute", "average", "interval"] | None,
        typer.Option("--by", help="Break the result down."),
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
    from vosbench.dataset.selection import select
    from vosbench.evaluate.score import all_rows, write_curve
    from vosbench.evaluate.score import score as score_masks
    from vosbench.records import record as records
    from vosbench.registry import load_dataset, load_families
    from vosbench.report.grouped import breakdown
    from vosbench.report.table import render

    selection = select(load_dataset(dataset, plugin or ()), selecting.choice(), load_families(plugin or ()))
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
        show(record, shown)
    else:
        result(render(breakdown(record, scored, selection, by), shown))
    absent = [each for each in record.missing if "/" in each]
    if absent:
        more = ", …" if len(absent) > 5 else ""
        raise DataError(
            f'"{masks}" lacks {len(absent)} masks that protocol "{selection.protocol.name}" scores '
            f"({', '.join(absent[:5])}{more}); without them there is no mean"
        )
