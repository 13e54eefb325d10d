"""The options that several verbs share, declared once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vosbench.errors import UsageError

if TYPE_CHECKING:
    from vosbench.face import RunOptions, SelectOptions

DatasetName = Annotated[str, typer.Option("--dataset", help="Dataset; see: vosbench list datasets.")]
Root = Annotated[Path | None, typer.Option("--root", help="The dataset's folder.")]
Split = Annotated[str | None, typer.Option("--split", help="Split; by default the one that papers report.")]
LayoutName = Annotated[str | None, typer.Option("--layout", help="Folder layout; recognised by default.")]
ProtocolName = Annotated[str | None, typer.Option("--protocol", help="Protocol; by default the dataset's own.")]
Plugins = Annotated[
    list[Path] | None, typer.Option("--plugin", help="Python file with a Method, Dataset or Family of measures.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress and no notes.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of random weights.")]
Device = Annotated[str, typer.Option("--device", help='Torch device, such as "cpu" or "cuda:0".')]
Precision = Annotated[
    Literal["fp32", "bf16", "fp16"], typer.Option("--precision", help="Floating-point format the network computes in.")
]
Shown = Annotated[
    Literal["table", "md", "csv", "json", "latex"],
    typer.Option("--format", help="How the result is shown; json is the whole record."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selecting:
    """The options that select a split, its videos and the protocol; `command` spreads them into a verb's own."""

    root: Root = None
    split: Split = None
    layout: LayoutName = None
    protocol: ProtocolName = None
    videos: Annotated[str, typer.Option("--videos", help="Names of videos, separated by commas.")] = ""
    limit: Annotated[int | None, typer.Option("--limit", help="Use the first frames of each video only.")] = None
    measures: Annotated[
        str, typer.Option("--measures", help="Some of the protocol's measures, or added ones, separated by commas.")
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingUp:
    """The options that set a method up; `command` spreads them into a verb's own."""

    weights: Annotated[Path | None, typer.Option("--weights", help="Weights, a safetensors file.")] = None
    untrained: Annotated[bool, typer.Option("--untrained", help="Run with random weights.")] = False
    seed: Seed = 0
    device: Device = "cpu"
    batch: Annotated[int, typer.Option("--batch", min=1, help="Frames per forward pass.")] = 1
    precision: Precision = "fp32"
    compiled: Annotated[bool, typer.Option("--compile", help="Compile the network first.")] = False
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="An option of the method, as name=value; see its card.")
    ] = None


def select_options(given: Selecting) -> "SelectOptions":
    """The same as keyword arguments of the Python face."""
    return {
        "root": given.root,
        "split": given.split,
        "layout": given.layout,
        "protocol": given.protocol,
        "videos": given.videos,
        "limit": given.limit,
        "measures": given.measures,
    }


def run_options(selecting: Selecting, given: SettingUp) -> "RunOptions":
    """Both as keyword arguments of the Python face."""
    return {
        **select_options(selecting),
        "weights": given.weights,
        "untrained": given.untrained,
        "seed": given.seed,
        "device": given.device,
        "batch": given.batch,
        "precision": given.precision,
        "compile": given.compiled,
        "options": assignments(given.settings or ()),
    }


def assignments(given: Sequence[str]) -> dict[str, str]:
    """Split each ``name=value``.

    Raises:
        UsageError: if one is not of this form.

    >>> assignments(["lr=0.1", "file=a=b"])
    {'lr': '0.1', 'file': 'a=b'}
    """
    named = {}
    for each in given:
        name, sign, value = each.partition("=")
        if not sign or not name:
            raise UsageError(f'"{each}" sets nothing; write --set name=value')
        named[name] = value
    return named
