"""``vosbench export``: write a network to a file that other programs run."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, say

MOST = 48
"""Frames that 8-bit integers are fitted to."""


@command
def export(
    method: Annotated[
        str, typer.Argument(metavar="METHOD", help="Method or method.variant; see: vosbench list methods.")
    ],
    out: Annotated[Path, typer.Option("--out", help="File to write.")],
    form: Annotated[Literal["onnx", "torchscript"], typer.Option("--format", help="Format of the file.")] = "onnx",
    int8: Annotated[
        Path | None,
        typer.Option(
            "--int8",
            metavar="FRAMES",
            help="Convolve with 8-bit integers, fitted to the frames in a folder: a smaller file, faster on CPUs, and "
            "not quite the same maps.",
        ),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option("--weights", help="Weights: a checkpoint; by default those that are shipped.")
    ] = None,
    untrained: Annotated[bool, typer.Option("--untrained", help="Export random weights.")] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="An option of the method, as name=value; see its card.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
    offline: options.Offline = False,  # noqa: ARG001 - it acts when it is parsed
    plugin: options.Plugins = None,
    quiet: options.Quiet = False,
) -> None:
    """Export a network; vosbench run --method onnx --weights FILE gives the same maps.

    The file says how frames are prepared for it, in its metadata.
    """
    from vosbench.errors import UsageError, extras_needed
    from vosbench.method import Setup
    from vosbench.method.loading import loaded
    from vosbench.method.sources import digest
    from vosbench.records.provenance import weights_card
    from vosbench.runner import resolve_method

    if out.exists() and not overwrite:
        raise UsageError(f'"{out}" exists; choose another name, or pass --overwrite')
    wanted = Setup(weights=weights, options=options.assignments(settings or ()))
    found, setup = resolve_method(method, wanted, plugins=plugin or (), untrained=untrained)
    name = found.called(setup.variant)
    card = {"method": name} | ({} if int8 is None else {"precision": "int8"})
    if setup.weights is not None:
        training = weights_card(setup.weights).get("training")
        card |= {"weights": digest(setup.weights)} | ({"training": str(training)} if training else {})
    with extras_needed():
        predictor = loaded(found, setup)
        from vosbench.method.nn.export import export as write

        difference = write(predictor, name, out, form, card, calibration=() if int8 is None else _frames(int8))
    if not quiet and int8 is not None:
        say(f"note: on these frames, 8-bit integers put {difference:.1%} of the positions on the other side")
    elif not quiet:
        say(f"note: outputs of {out} differ from those of {name} by at most {difference:.1g}")
    if not quiet:
        run = "onnx" if form == "onnx" else "torchscript"
        say(f"note: run it: vosbench run --method {run} --weights {out} --dataset DATASET")


def _frames(folder: Path) -> list[list[Path]]:
    """Some of the frames in a folder, by the folder that they are in; the first of each is the others' anchor."""
    from vosbench.errors import UsageError

    frames = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    if not frames:
        raise UsageError(f'"{folder}" contains no frames (.jpg or .png) to fit 8-bit integers to')
    by_folder: dict[Path, list[Path]] = {}
    for path in frames[:: max(len(frames) // MOST, 1)][:MOST]:
        by_folder.setdefault(path.parent, []).append(path)
    return list(by_folder.values())
