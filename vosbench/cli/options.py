"""The options that several verbs share, declared once."""

from pathlib import Path
from typing import Annotated, Literal

import typer

DatasetName = Annotated[str, typer.Option("--dataset", help="Dataset; see: vosbench list datasets.")]
Root = Annotated[Path | None, typer.Option("--root", help="The dataset's folder.")]
Split = Annotated[str | None, typer.Option("--split", help="Split; the one that papers report where not given.")]
LayoutName = Annotated[str | None, typer.Option("--layout", help="Folder layout; recognised where not given.")]
ProtocolName = Annotated[str | None, typer.Option("--protocol", help="Protocol; the dataset's own where not given.")]
Videos = Annotated[str, typer.Option("--videos", help="Names of videos to work on, with commas between.")]
Measures = Annotated[str, typer.Option("--measures", help="Some of the protocol's measures, with commas between.")]
Limit = Annotated[int | None, typer.Option("--limit", help="Work on the first frames of each video only.")]
Plugins = Annotated[list[Path] | None, typer.Option("--plugin", help="Python file with a Method or Dataset.")]
Weights = Annotated[Path | None, typer.Option("--weights", help="Weights, a safetensors file.")]
Untrained = Annotated[bool, typer.Option("--untrained", help="Run with random weights.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of random weights.")]
Device = Annotated[str, typer.Option("--device", help="Where to compute, as torch names it.")]
Batch = Annotated[int, typer.Option("--batch", min=1, help="Frames per forward pass.")]
Precision = Annotated[
    Literal["fp32", "bf16", "fp16"], typer.Option("--precision", help="What the network computes in.")
]
Compiled = Annotated[bool, typer.Option("--compile", help="Compile the network first.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="An option of the method, as name=value; see its card.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress and no notes.")]
Shown = Annotated[
    Literal["table", "md", "csv", "json", "latex"],
    typer.Option("--format", help="How the result is shown; json is the whole record."),
]


def names(listed: str) -> tuple[str, ...]:
    """Take a list with commas apart.

    >>> names("cows, dog")
    ('cows', 'dog')
    """
    return tuple(name.strip() for name in listed.split(",") if name.strip())
