"""``vosbench score``: score masks on disk."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vosbench.cli import options, plan
from vosbench.cli.clusters import Spreading, spread
from vosbench.cli.console import command, finish_suite, listening, result, terminal_width
from vosbench.errors import DataError, UsageError

if TYPE_CHECKING:
    from vosbench.cli import protocols
    from vosbench.dataset.selection import Selection
    from vosbench.face import SuiteOptions
    from vosbench.report.grouped import ByOne
    from vosbench.report.table import Format

CODECS = (
    "binary255: 0 and 255. binary01: 0 and 1. binary:B,O: levels of background and object, such as binary:255,0. "
    "above:N: grey above N. nonzero: every value but 0. palette: every index but 0. colours: every colour but black. "
    "ids: every number but 0 and 255. map: the upper half of the range. map8: levels above 127, in 16 bits too. "
    "luma127: grey above 127. inverted255: 0 is the object. ppm_nonwhite: every colour but white."
)
"""The codecs for predictions; a test compares it with `vosbench.images.codecs`, which is slow to import."""
PLANNED = {
    "planned",
    "dry_run",
    "retry_failed",
    "workers",
    "scheduler",
    "video_timeout",
    "out",
    "overwrite",
    "available",
    "jobs",
    "plugin",
    "shown",
    "no_cache",
    "quiet",
}
"""Parameters that go with a plan, which states all others."""


@command
def score(
    context: typer.Context,
    submissions: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="MASKS...",
            help="Folder, .zip, .tar, .tar.gz, .tar.zst or .7z of masks or maps, as <video>/<frame>.png, or of "
            ".npy, .npz or video files, as <video>.npy; or a .json file of run lengths. With --suite, a folder with "
            "one of these for each dataset, named after it; so are results of vosbench run. Several make one table.",
        ),
    ] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", help=f"{options.DATASET} Or pass --gt or --suite.")
    ] = None,
    gt: Annotated[
        Path | None,
        typer.Option(
            "--gt",
            help="Folder of annotations to score against instead of a dataset: masks of one video, or a folder for "
            "each; J and F of all of them, and T or saliency with --measures.",
        ),
    ] = None,
    suite: options.SuiteName = None,
    available: options.Available = False,
    selecting: options.Selecting = options.Selecting(),
    explain: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            "--explain",
            metavar="A B",
            help="Two records, .json files: in which choices they differ, and what each is worth on these masks.",
        ),
    ] = None,
    codec: Annotated[
        str | None,
        typer.Option("--codec", help=f"Encoding of the masks; recognised from all of them by default. {CODECS}"),
    ] = None,
    numbering: options.NumberingName = "auto",
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the method; that of the folder or file by default.")
    ] = None,
    planned: options.Planned = None,
    dry_run: options.DryRun = False,
    retry_failed: options.RetryFailed = False,
    out: Annotated[Path | None, typer.Option("--out", help="Also write the record below this folder.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a record of other masks under the same name.")
    ] = False,
    by: Annotated[
        Literal["video", "category", "attribute", "average", "interval"] | None,
        typer.Option("--by", help="Break the result down."),
    ] = None,
    per_frame: Annotated[
        Path | None, typer.Option("--per-frame", help="Write all values, as .csv, .csv.gz or .parquet.")
    ] = None,
    compact: Annotated[
        bool, typer.Option("--compact", help="With --per-frame: only J and F, to six decimals, as in results/.")
    ] = False,
    pr: Annotated[Path | None, typer.Option("--pr", help="Write the precision-recall curve, as .csv.")] = None,
    jobs: options.Jobs = 0,
    spreading: Spreading = Spreading(),
    plugin: options.Plugins = None,
    track: options.Track = None,
    shown: options.Shown = "table",
    wide: options.Wide = False,
    no_cache: options.NoCache = False,  # noqa: ARG001 - it acts when it is parsed
    quiet: options.Quiet = False,
) -> None:
    """Score masks of any method, of a dataset's videos, of a suite or plan, or against a folder of annotations.

    --protocol all, or several names, scores the same masks under each protocol and says what it does otherwise.
    """
    from vosbench import face
    from vosbench.cli import protocols, several, tracked
    from vosbench.evaluate.score import default_name
    from vosbench.records import record as records
    from vosbench.records.naming import check_name

    if planned is not None:
        plan.refuse_others(context, PLANNED)
        how = plan.How(out, overwrite, retry_failed, available, dry_run, tuple(plugin or ()), quiet)
        plan.score(planned, how, jobs, shown, spreading)
        return
    plan.refuse_alone(dry_run=dry_run, retry_failed=retry_failed)
    if not submissions:
        raise UsageError("pass masks to score, or --plan")
    masks = submissions[0]
    cluster = {"workers": spreading.workers, "scheduler": spreading.scheduler}
    _check_choices(dataset, gt, suite, compact=compact and per_frame is None, available=available)
    tracked.check(track)
    task = protocols.Task(
        masks=masks,
        dataset=dataset,
        codec=codec,
        numbering=numbering,
        name=name,
        jobs=jobs,
        plugins=tuple(plugin or ()),
        quiet=quiet,
        track=tuple(track or ()),
    )
    width = terminal_width(wide=wide)
    if len(submissions) > 1:
        alone = {"gt": gt, "suite": suite, "explain": explain, "name": name, "by": by, "per-frame": per_frame, "pr": pr}
        protocols.refuse({**alone, **cluster}, "a single submission")
        several.score(task, submissions, selecting, out, (shown, width), overwrite=overwrite)
        return
    if suite is not None or explain is not None or protocols.several(selecting.protocol):
        use = "a single dataset, not a suite" if suite is not None else "one protocol"
        protocols.refuse({"by": by, "per-frame": per_frame, "pr": pr, **cluster}, use)
        if suite is not None and explain is None:
            _score_suite(
                task, suite, options.suite_options(selecting, available=available), out, (shown, width, overwrite)
            )
        else:
            protocols.refuse({"track": ",".join(track or ())}, "one protocol")
            protocols.score(task, selecting, explain, out, (shown, width), overwrite=overwrite)
        return
    _check_files((per_frame, records.ROWS), (pr, (".csv",)))
    if out is not None:
        check_name(default_name(masks) if name is None else name)  # before the work

    with (
        spread(spreading, jobs=jobs, quiet=quiet) as engine,
        listening("videos", quiet=quiet) as listener,
    ):
        done = face.score(
            masks,
            gt,
            dataset=dataset,
            codec=codec,
            numbering=numbering,
            name=name,
            jobs=jobs,
            engine=engine,
            curve=pr,
            plugins=plugin or (),
            listener=replace(listener, selected=_refusing(by)),
            **options.select_options(selecting),
        )
    try:
        if out is not None:
            done.save(out, overwrite=overwrite)
        if per_frame is not None:
            done.save_rows(per_frame, compact=compact)
        tracked.send([done], task.track, out, quiet=quiet)
    finally:  # what was measured is not lost if it cannot be written
        result(done.render(shown, by, width))
    if done.problem:
        raise DataError(f'"{masks}": {done.problem}')


def _check_choices(dataset: str | None, gt: Path | None, suite: str | None, *, compact: bool, available: bool) -> None:
    if [dataset, gt, suite].count(None) != 2:
        raise UsageError("pass one of --dataset, --suite, and --gt with a folder of annotations")
    if compact:
        raise UsageError("--compact requires --per-frame")
    if suite is None and available:
        raise UsageError("--available requires --suite")


def _score_suite(
    task: "protocols.Task",
    suite: str,
    selected: "SuiteOptions",
    out: Path | None,
    how: "tuple[Format, int | None, bool]",
) -> None:
    """Score and print a suite; how is the format, the width, and whether records are replaced."""
    from vosbench import face
    from vosbench.cli import tracked

    shown, width, overwrite = how
    with listening("videos", quiet=task.quiet) as listener:
        done = face.score_suite(
            task.masks,
            suite,
            codec=task.codec,
            numbering=task.numbering,
            name=task.name,
            jobs=task.jobs,
            out=out,
            overwrite=overwrite,
            plugins=task.plugins,
            listener=listener,
            **selected,
        )
    tracked.send(done.results.values(), task.track, out, quiet=task.quiet)
    finish_suite(done, shown, width)


def _refusing(by: "ByOne | None") -> "Callable[[Selection], None]":
    """Refuses a breakdown that a selection does not have, before anything is scored."""
    from vosbench.report.grouped import check_breakdown

    return lambda selection: None if by is None else check_breakdown(selection, by)


def _check_files(*named: tuple[Path | None, tuple[str, ...]]) -> None:
    for path, suffixes in named:
        if path is not None and not path.name.lower().endswith(suffixes):
            raise UsageError(f'"{path}" should end in {" or ".join(suffixes)}')
