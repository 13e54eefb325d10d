"""``vosbench flow``: make the optical flow of a dataset."""

from pathlib import Path
from typing import Annotated

import typer

from vosbench.cli import options
from vosbench.cli.console import command, progress, result, say
from vosbench.errors import UsageError, extras_needed


@command
def flow(
    dataset: Annotated[str, typer.Argument(help="Dataset; see: vosbench list datasets.")],
    method: Annotated[
        str, typer.Option("--method", help="dis (OpenCV) or raft (torchvision), with options as in dis:preset=fast.")
    ] = "dis",
    root: options.Root = None,
    split: options.Split = None,
    layout: options.LayoutName = None,
    videos: Annotated[str, typer.Option("--videos", help="Only these videos, separated by commas.")] = "",
    gaps: Annotated[
        str, typer.Option("--gaps", help="Over how many frames, separated by commas; each forward and backward.")
    ] = "1",
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write to, for run --flow FOLDER; by default the cache.")
    ] = None,
    device: options.Device = "cpu",
    plugin: options.Plugins = None,
    quiet: options.Quiet = False,
) -> None:
    """Make the optical flow of a dataset's videos, for methods that need it.

    Without --out it goes to the cache, where run --flow METHOD finds it. The same command resumes an interrupted one.
    """
    from vosbench.dataset.selection import Choice, select, with_frames
    from vosbench.face.options import names_of
    from vosbench.method import estimators
    from vosbench.method import flow as making
    from vosbench.registry import load_dataset

    how = estimators.estimation(method, device)
    if how is None:
        raise UsageError(f'there is no flow method "{method}"; available: {", ".join(estimators.METHODS)}')
    steps = estimators.steps(gaps)
    choice = Choice(root=root, split=split, layout=layout, videos=names_of(videos))
    chosen = with_frames(select(load_dataset(dataset, plugin or ()), choice)).videos
    total, finished = sum(map(len, chosen)), dict[str, int]()
    with extras_needed(), progress(total, "frames", quiet=quiet) as advance:

        def count(video: str, done: int) -> None:
            finished[video] = done
            advance(video, sum(finished.values()))

        place = making.in_cache(how) if out is None else lambda video, _hashes: (out, video.name)
        made = making.make(chosen, how, place, steps, count)
    if not quiet:
        use = f"--flow {how.description}" if out is None else f'--flow "{out}"'
        say(f"note: {making.described(made)}; use it with: vosbench run {use}")
    for folder in sorted({making.folder_of(video) for video in made} if out is None else {out}):
        result(f"{folder}\n")
