"""``vosbench submit``: pack the results of a method for others, and the check of what was packed."""

from pathlib import Path
from typing import Annotated

import typer

from vosbench.cli import options
from vosbench.cli.console import command, listening, result, say
from vosbench.errors import DataError


@command
def submit(
    masks: Annotated[Path, typer.Argument(help="Masks in any form that vosbench score takes, of a whole split.")],
    dataset: Annotated[str, typer.Option("--dataset", help=options.DATASET)],
    method_card: Annotated[
        Path,
        typer.Option(
            "--method-card",
            help="A YAML file that says what the method is: method, title, paper, year, task, training, contact, and "
            "perhaps venue, url, code, masks and notes. See docs/contribute.md.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", help="Folder of the contribution: new, or an earlier one that a dataset is added to."),
    ],
    root: options.Root = None,
    split: options.Split = None,
    layout: options.LayoutName = None,
    protocol: options.ProtocolName = None,
    codec: Annotated[
        str | None, typer.Option("--codec", help="Encoding of the masks; recognised from all of them by default.")
    ] = None,
    numbering: options.NumberingName = "auto",
    pack_masks: Annotated[
        bool, typer.Option("--pack-masks", help="Pack the masks too, so that others can score them again.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a record of other masks, and another card.")
    ] = False,
    jobs: options.Jobs = 0,
    plugin: options.Plugins = None,
    quiet: options.Quiet = False,
) -> None:
    """Score masks, and pack record, card and thumbnails into a folder, which a pull request can add.

    Nothing is written if the masks are incomplete or the card is not valid. Check it with: vosbench verify FOLDER.
    """
    import os

    from vosbench.face.contributions import submit as pack

    with listening("videos", quiet=quiet) as listener:
        done = pack(
            masks,
            dataset,
            method_card,
            out=out,
            root=root,
            split=split,
            layout=layout,
            protocol=protocol,
            codec=codec,
            numbering=numbering,
            pack=pack_masks,
            overwrite=overwrite,
            jobs=jobs or os.cpu_count() or 1,
            plugins=plugin or (),
            listener=listener,
        )
    result(done.result.render())
    if not quiet:
        say(f"note: {len(done.files)} files are in {out}; check them with: vosbench verify {out}")


def verify_contribution(
    folder: Path,
    *,
    masks: Path | None,
    root: Path | None,
    score: bool,
    jobs: int,
    plugins: list[Path],
    shown: options.Shown,
) -> None:
    """Print what is to be said of a contribution.

    Raises:
        DataError: if something speaks against it.
    """
    import os

    from vosbench.face.verifying import verify
    from vosbench.report.table import Table, render

    with listening("videos", quiet=False) as listener:
        found = verify(
            folder,
            masks=masks,
            root=root,
            rescore=score,
            jobs=jobs or os.cpu_count() or 1,
            plugins=plugins,
            listener=listener,
        )
    notes = [f"{found.card.title}: {found.card.paper}"]
    notes += [f"{record.place}: scored again under {record.signature}" for record in found.checked]
    notes += [] if found.checked else ["the masks were not scored again, so the numbers are those of the record alone"]
    rows = [(finding.level, finding.video, finding.message) for finding in found.findings]
    result(render(Table(columns=("level", "file", "finding"), rows=rows, notes=tuple(notes)), shown))
    if found.errors:
        raise DataError(f'the contribution "{folder}" is not what it says: {len(found.errors)} errors, see the table')
