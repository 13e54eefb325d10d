"""``vosbench overlay``: masks over frames, to look at."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, listening, result


@command
def overlay(
    masks: Annotated[
        list[Path],
        typer.Argument(
            metavar="PRED...", help="Masks in any form that vosbench score takes; several are shown side by side."
        ),
    ],
    dataset: Annotated[str, typer.Option("--dataset", help=options.DATASET)],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            help="A .png file, with a row for each frame; a .gif, .mp4, .mov or .mkv file of one video; or a folder, "
            "for pictures <video>/<frame>.png or a film of each video.",
        ),
    ],
    selecting: options.Selecting = options.Selecting(),
    frames: Annotated[
        str,
        typer.Option(
            "--frames",
            help="all; every:10; worst:5 or best:5, by J of the first method, of all videos together; or frames "
            "counted from 0, such as 12,40.",
        ),
    ] = "all",
    kind: Annotated[
        Literal["png", "gif", "mp4"], typer.Option("--format", help="What is written to a folder.")
    ] = "png",
    colours: Annotated[
        Literal["palette", "errors"],
        typer.Option(
            "--colours",
            help="palette: a colour for each object. errors: green is right, orange too much, blue missed.",
        ),
    ] = "palette",
    opacity: Annotated[float, typer.Option("--opacity", help="Of the colours, from 0, outlines alone, to 1.")] = 0.5,
    contour: Annotated[
        int | None, typer.Option("--contour", help="Width of outlines in pixels; 0 for none. By default by the frame.")
    ] = None,
    annotation: Annotated[bool, typer.Option("--annotation/--no-annotation", help="Show the annotation first.")] = True,
    labels: Annotated[bool, typer.Option("--labels/--no-labels", help="Inscribe the methods' names.")] = True,
    numbers: Annotated[
        bool, typer.Option("--numbers/--no-numbers", help="Inscribe the frame, and its J and F.")
    ] = True,
    columns: Annotated[
        int | None, typer.Option("--columns", help="Pictures in a row; about as many as rows by default.")
    ] = None,
    height: Annotated[int | None, typer.Option("--height", help="Of each picture, in pixels.")] = None,
    rate: Annotated[float, typer.Option("--rate", help="Frames per second of films.")] = 10,
    name: Annotated[
        list[str] | None, typer.Option("--name", help="Name of a method, once for each; of the files by default.")
    ] = None,
    codec: Annotated[
        str | None, typer.Option("--codec", help="Encoding of the masks, see vosbench score; recognised by default.")
    ] = None,
    numbering: options.NumberingName = "auto",
    jobs: options.Jobs = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files.")] = False,
    plugin: options.Plugins = None,
    quiet: options.Quiet = False,
) -> None:
    """Draw masks over frames: one or several methods and the annotation, as pictures, GIF or video files.

    Masks are read as vosbench score reads them, and scored. Video files need the extra "video":
    pip install "vosbench[video]".
    """
    from vosbench.face import looking
    from vosbench.report.overlays import Style

    style = Style(
        colours=colours,
        opacity=opacity,
        contour=contour,
        annotation=annotation,
        labels=labels,
        numbers=numbers,
        columns=columns,
        height=height,
    )
    with listening("frames", quiet=quiet) as listener:
        done = looking.overlay(
            masks,
            dataset,
            out=out,
            frames=frames,
            kind=kind,
            style=style,
            rate=rate,
            names=name or (),
            codec=codec,
            numbering=numbering,
            jobs=jobs,
            overwrite=overwrite,
            plugins=plugin or (),
            listener=listener,
            **options.select_options(selecting),
        )
    result(f"{done!r}\n")
