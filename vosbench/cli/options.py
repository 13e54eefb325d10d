"""Options that several commands share."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vosbench.errors import UsageError
from vosbench.files import NO_CACHE, OFFLINE

if TYPE_CHECKING:
    from vosbench.face import RunOptions, SelectOptions, SetupOptions, SuiteOptions

DATASET = "Dataset, see: vosbench list datasets; or the path of a folder of frames and masks, see docs/own-data.md."
SuiteName = Annotated[
    str | None,
    typer.Option(
        "--suite",
        help="Suite of datasets, in place of --dataset; see: vosbench list suites. It states splits and protocols; "
        "--root is then a folder that contains the datasets.",
    ),
]
Available = Annotated[
    bool,
    typer.Option("--available", help="Leave out datasets of the suite or plan that are missing or incomplete here."),
]
Planned = Annotated[
    Path | None,
    typer.Option("--plan", metavar="FILE", help="A plan, a YAML file that states all of this; see docs/plans.md."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="With --plan: only say what would be done, and how long it takes.")
]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="With --plan: try again what failed before.")]
Root = Annotated[Path | None, typer.Option("--root", help="Folder of the dataset.")]
Split = Annotated[str | None, typer.Option("--split", help="Split; by default the one that papers report.")]
LayoutName = Annotated[str | None, typer.Option("--layout", help="Folder layout; recognised by default.")]
ProtocolName = Annotated[
    str | None,
    typer.Option(
        "--protocol",
        help="Protocol; by default the dataset's own. davis16-gcc5 is davis16 with T in junction order gcc5; all are "
        "described by: vosbench list datasets --long. score also takes several names, or all.",
    ),
]
Plugins = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        help="Python file with a Method, Dataset, Suite or Family of measures. The file is run, with all your rights.",
    ),
]
NumberingName = Annotated[
    Literal["auto", "frames", "0", "1"],
    typer.Option(
        "--numbering",
        help="How numbers in the masks' names are read: like those of the frames, from 0, or from 1; by default "
        "the first of these that fits all masks of a video.",
    ),
]
Jobs = Annotated[int, typer.Option("--jobs", min=0, help="Number of processes; 0 for one per processor.")]
ShardName = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        help="Do only the Ith of N parts, in a job array; vosbench merge then makes the record.",
    ),
]
NoCache = Annotated[
    bool,
    typer.Option(
        "--no-cache",
        help="Decode annotations anew, and keep none; see: vosbench data cache.",
        callback=lambda context, value: context.with_resource(_set(NO_CACHE)) if value else None,
    ),
]
Offline = Annotated[
    bool,
    typer.Option(
        "--offline",
        help="Do not connect: weights that are named by address must be in the cache.",
        callback=lambda context, value: context.with_resource(_set(OFFLINE)) if value else None,
    ),
]
Track = Annotated[
    list[str] | None,
    typer.Option(
        "--track",
        help="Also send numbers and figures to tensorboard, mlflow or wandb, as KIND or KIND=FOLDER; nothing leaves "
        "this machine unless an address is named. Repeatable.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress and no notes.")]
Wide = Annotated[
    bool,
    typer.Option(
        "--wide", help="Show all columns; by default a terminal shows those that fit, and a pipe or file all."
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="Seed of random weights.")]
Device = Annotated[str, typer.Option("--device", help='Torch device, such as "cpu" or "cuda:0".')]
Precision = Annotated[
    Literal["fp32", "bf16", "fp16"], typer.Option("--precision", help="Floating-point format of the network.")
]
Shown = Annotated[
    Literal["table", "md", "csv", "json", "latex", "html"],
    typer.Option("--format", help="Output format; json is the whole record."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selecting:
    """Options that select a split, its videos and the protocol; see `vosbench.cli.console.command`."""

    root: Root = None
    split: Split = None
    layout: LayoutName = None
    protocol: ProtocolName = None
    videos: Annotated[
        str,
        typer.Option("--videos", help="Only these videos, separated by commas; the means are over these, and say so."),
    ] = ""
    limit: Annotated[int | None, typer.Option("--limit", help="Use the first frames of each video only.")] = None
    measures: Annotated[
        str, typer.Option("--measures", help="Some of the protocol's measures, or added ones, separated by commas.")
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingUp:
    """Options that set up a method; see `vosbench.cli.console.command`."""

    weights: Annotated[
        Path | None,
        typer.Option(
            "--weights",
            help="Weights: a checkpoint, as FILE, FILE#ENTRY or PART=FILE,PART=FILE; a FILE may be "
            "https://…#sha256=… or hf://user/repository/file.",
        ),
    ] = None
    offline: Offline = False
    untrained: Annotated[bool, typer.Option("--untrained", help="Run with random weights.")] = False
    seed: Seed = 0
    device: Device = "cpu"
    batch: Annotated[int, typer.Option("--batch", min=1, help="Frames per forward pass.")] = 1
    precision: Precision = "fp32"
    compiled: Annotated[bool, typer.Option("--compile", help="Compile the network first.")] = False
    threads: Annotated[
        int,
        typer.Option("--threads", min=1, help="Threads that a CPU computes with; the last bits may depend on it."),
    ] = 1
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="An option of the method, as name=value; see its card.")
    ] = None
    flow: Annotated[
        str | None,
        typer.Option(
            "--flow",
            help="Optical flow, for methods that need it: a folder, or a method that makes it, as dis or "
            "dis:preset=fast; by default the flow that the dataset contains. See: vosbench flow.",
        ),
    ] = None


def select_options(selecting: Selecting) -> "SelectOptions":
    """Convert to keyword arguments of the Python face."""
    return {
        "root": selecting.root,
        "split": selecting.split,
        "layout": selecting.layout,
        "protocol": selecting.protocol,
        "videos": selecting.videos,
        "limit": selecting.limit,
        "measures": selecting.measures,
    }


def suite_options(selecting: Selecting, *, available: bool) -> "SuiteOptions":
    """Convert to keyword arguments of the Python face.

    Raises:
        UsageError: if an option is for a single dataset.
    """
    for name in ("split", "layout", "protocol", "videos"):
        if getattr(selecting, name):
            raise UsageError(f"--{name} is for a single dataset, not a suite, which states splits and protocols")
    return {
        "root": selecting.root,
        "limit": selecting.limit,
        "measures": selecting.measures,
        "available": available,
    }


@contextmanager
def _set(variable: str) -> Iterator[None]:
    """Set a variable of the environment, which worker processes inherit, while a command runs."""
    before = os.environ.get(variable)
    os.environ[variable] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[variable]
        else:
            os.environ[variable] = before


def one_of(dataset: str | None, suite: str | None, *, available: bool) -> None:
    """Refuse anything but either a dataset or a suite.

    Raises:
        UsageError: if both or neither are passed, or a dataset with an option for suites.
    """
    if (dataset is None) == (suite is None):
        raise UsageError("pass either --dataset or --suite")
    if available and suite is None:
        raise UsageError("--available requires --suite")


def run_options(selecting: Selecting, setting_up: SettingUp) -> "RunOptions":
    """Convert to keyword arguments of the Python face."""
    return {**select_options(selecting), **setup_options(setting_up)}


def setup_options(setting_up: SettingUp) -> "SetupOptions":
    """Convert to keyword arguments of the Python face."""
    return {
        "weights": setting_up.weights,
        "untrained": setting_up.untrained,
        "seed": setting_up.seed,
        "device": setting_up.device,
        "batch": setting_up.batch,
        "precision": setting_up.precision,
        "compile": setting_up.compiled,
        "threads": setting_up.threads,
        "options": assignments(setting_up.settings or ()),
        "flow": setting_up.flow,
    }


def assignments(settings: Sequence[str]) -> dict[str, str]:
    """Parse settings of the form ``name=value``.

    Raises:
        UsageError: if one has another form.

    >>> assignments(["lr=0.1", "file=a=b"])
    {'lr': '0.1', 'file': 'a=b'}
    """
    named = {}
    for setting in settings:
        name, sign, value = setting.partition("=")
        if not sign or not name:
            raise UsageError(f'"{setting}" is not of the form name=value')
        named[name] = value
    return named
