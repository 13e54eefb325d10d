"""``vosbench score``: score masks on disk."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, listening, result
from vosbench.errors import DataError


@command
def score(
    masks: Annotated[Path, typer.Argument(help="Folder or zip file of masks or maps, as <video>/<frame>.png.")],
    dataset: options.DatasetName,
    selecting: options.Selecting,
    codec: Annotated[str | None, typer.Option("--codec", help="Encoding of the masks; recognised by default.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Name of the method.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Also write the record below this folder.")] = None,
    by: Annotated[
        Literal["video", "category", "attribute", "average", "interval"] | None,
        typer.Option("--by", help="Break the result down."),
    ] = None,
    per_frame: Annotated[Path | None, typer.Option("--per-frame", help="Write all values, as .csv or .csv.gz.")] = None,
    pr: Annotated[Path | None, typer.Option("--pr", help="Write the precision-recall curve, as .csv.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=0, help="Number of processes; 0 for one per processor.")] = 0,
    plugin: options.Plugins = None,
    shown: options.Shown = "table",
    quiet: options.Quiet = False,
) -> None:
    """Score masks of any method."""
    from vosbench import face

    with listening("videos", quiet=quiet) as listener:
        done = face.score(
            masks,
            dataset=dataset,
            codec=codec,
            name=name,
            jobs=jobs,
            curve=pr,
            plugins=plugin or (),
            listener=listener,
            **options.select_options(selecting),
        )
    if out is not None:
        done.save(out)
    if per_frame is not None:
        done.save_rows(per_frame)
    result(done.render(shown, by))
    if done.problem:
        raise DataError(f'"{masks}": {done.problem}')
