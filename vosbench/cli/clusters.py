"""Options that put work on a cluster, shared by ``vosbench run`` and ``vosbench score``."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from vosbench.cli.console import say
from vosbench.errors import UsageError

if TYPE_CHECKING:
    from vosbench.engine.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Spreading:
    """Options that put the work on a cluster; see `vosbench.cli.console.command`."""

    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            help="Work in this number of processes, a video each, with Dask; with --device cuda each has a GPU.",
        ),
    ] = None
    scheduler: Annotated[
        str | None,
        typer.Option(
            "--scheduler",
            help="Work on the workers of a Dask scheduler, such as tcp://10.0.0.1:8786; they must see "
            "the same folders.",
        ),
    ] = None
    video_timeout: Annotated[
        float | None,
        typer.Option("--video-timeout", help="Seconds that a worker may take for a video, which has failed then."),
    ] = None


@contextmanager
def spread(
    spreading: Spreading, *, device: str = "cpu", jobs: int = 0, quiet: bool = False
) -> "Iterator[Engine | None]":
    """The engine that the options name, None for this process; what it starts ends with the block.

    Args:
        spreading: the options.
        device: where methods run; ``""`` if that differs, so that workers have a GPU each if there are enough.
        jobs: as it was passed, to be refused.
        quiet: say nothing.

    Raises:
        UsageError: if the options contradict each other, or there is no GPU for each worker.
    """
    if spreading.workers is None and spreading.scheduler is None:
        if spreading.video_timeout is not None:
            raise UsageError("--video-timeout requires --workers or --scheduler")
        yield None
        return
    if jobs:
        raise UsageError("--jobs are processes without a cluster; omit it with --workers or --scheduler")
    from vosbench.engine.cluster import Dask, visible_gpus

    if spreading.workers is not None and spreading.scheduler is not None:
        raise UsageError("pass either --workers or --scheduler")
    gpus = visible_gpus() if spreading.workers is not None and device != "cpu" else []
    if not device and len(gpus) < (spreading.workers or 0):
        gpus = []
    if spreading.workers is not None and device.startswith("cuda:"):
        raise UsageError("--workers have a GPU each: pass --device cuda, and choose GPUs by CUDA_VISIBLE_DEVICES")
    if spreading.workers is not None and device == "cuda" and not gpus:
        raise UsageError("--device cuda with --workers needs GPUs, and none was found")
    with Dask(
        spreading.workers,
        spreading.scheduler,
        gpus=gpus,
        timeout=spreading.video_timeout,
        note=lambda line: None if quiet else say(f"note: {line}"),
    ) as engine:
        yield engine
