"""``vosbench figure``: draw figures for papers."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, listening, result
from vosbench.errors import UsageError

FIGURES = (
    "Of records: pr, f-threshold (soft maps); frames, success (values of frames); videos, heatmap, attributes; jf, "
    "speed. Of masks: qualitative. Of a folder of heat maps: centres. Of methods: similarity, drift."
)
"""The figures; a test compares it with `vosbench.report.figures.named`."""


@command
def figure(
    name: Annotated[str, typer.Argument(help=f"The figure. {FIGURES} Pictures of all are in docs/figures.md.")],
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Records: paths, folders, or names below --results. For qualitative folders or archives of masks, for "
            "centres a folder of heat maps, for similarity and drift names of methods."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="File to write: .pdf, .svg or .png.")],
    width: Annotated[
        Literal["column", "page"] | None,
        typer.Option("--width", help="Width, with fonts to match; by default what suits the figure."),
    ] = None,
    no_caption: Annotated[
        bool, typer.Option("--no-caption", help="Without the small line that says dataset and protocol.")
    ] = False,
    labels: Annotated[
        str, typer.Option("--labels", help="Names of the methods, separated by commas, in order of the sources.")
    ] = "",
    measure: Annotated[
        str | None,
        typer.Option(
            "--measure", help="Score that is shown; by default J&F, or the first one. Of frames, J, F or J,F."
        ),
    ] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", help=f"{options.DATASET} Of records, which to show.")
    ] = None,
    split: options.Split = None,
    protocol: Annotated[str | None, typer.Option("--protocol", help="Only records under this protocol.")] = None,
    videos: Annotated[str, typer.Option("--videos", help="Only these videos, separated by commas.")] = "",
    frames: Annotated[
        str,
        typer.Option(
            "--frames",
            help="Frames to show, from 0: 0,12,40 or every:10; for qualitative also worst:6 or best:6.",
        ),
    ] = "",
    form: Annotated[
        Literal["bars", "radar"] | None, typer.Option("--form", help="Form of attributes; bars by default.")
    ] = None,
    point: Annotated[
        str | None,
        typer.Option("--point", help="Pixel of similarity, as X,Y; by default where the object is thickest."),
    ] = None,
    per_frame: Annotated[
        list[Path] | None,
        typer.Option(
            "--per-frame",
            help="File of score --per-frame, once for each record; found next to these by default.",
        ),
    ] = None,
    codec: Annotated[str | None, typer.Option("--codec", help="Encoding of masks; recognised by default.")] = None,
    root: options.Root = None,
    layout: options.LayoutName = None,
    results: Annotated[Path, typer.Option("--results", help="Folder in which names of records are looked up.")] = Path(
        "results"
    ),
    setting_up: options.SettingUp = options.SettingUp(),
    plugin: options.Plugins = None,
    quiet: options.Quiet = False,
) -> None:
    """Draw a figure for a paper: curves, bars, scatters and heat maps of records, or frames with masks."""
    from vosbench.face.figures import figure as draw

    with listening("frames", quiet=quiet) as listener:
        draw(
            name,
            sources,
            out,
            dataset=dataset,
            width=width,
            caption=not no_caption,
            labels=labels,
            measure=measure,
            frames=frames,
            form=form,
            point=None if point is None else _pixel(point),
            per_frame=per_frame or (),
            codec=codec,
            results=results,
            plugins=plugin or (),
            listener=listener,
            split=split,
            protocol=protocol,
            videos=videos,
            root=root,
            layout=layout,
            **options.setup_options(setting_up),
        )
    result(f"{out}\n")


def _pixel(text: str) -> tuple[int, int]:
    x, comma, y = text.partition(",")
    if not comma or not x.strip().isdecimal() or not y.strip().isdecimal():
        raise UsageError(f'--point is a pixel as X,Y, counted from 0, not "{text}"')
    return int(x), int(y)
