"""The options that several verbs share, declared once."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from vosbench.dataset.selection import Choice
    from vosbench.method import Setup

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

    def choice(self) -> "Choice":
        """The same as a value."""
        from vosbench.dataset.selection import Choice

        return Choice(
            root=self.root,
            split=self.split,
            layout=self.layout,
            protocol=self.protocol,
            videos=names(self.videos),
            limit=self.limit,
            measures=names(self.measures),
        )


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

    def setup(self) -> "Setup":
        """The same as a value; weights and the method's own options are still to be resolved."""
        from vosbench.method import Setup

        return Setup(
            weights=self.weights,
            seed=self.seed,
            device=self.device,
            batch=self.batch,
            precision=self.precision,
            compile=self.compiled,
        )


def names(listed: str) -> tuple[str, ...]:
    """Split a list at its commas.

    >>> names("cows, dog")
    ('cows', 'dog')
    """
    return tuple(name.strip() for name in listed.split(",") if name.strip())
