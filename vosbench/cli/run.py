"""``vosbench run``: run a method; write maps and a record."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vosbench.cli import options, plan, tracked
from vosbench.cli.clusters import Spreading, spread
from vosbench.cli.console import command, finish_suite, listening, result, say
from vosbench.errors import UsageError

if TYPE_CHECKING:
    from vosbench.face import Result
    from vosbench.report.table import Format

OUT = Path("results")
PLANNED = {
    "planned",
    "dry_run",
    "retry_failed",
    "shard",
    "out",
    "overwrite",
    "available",
    "workers",
    "scheduler",
    "video_timeout",
    "plugin",
    "shown",
    "no_cache",
    "quiet",
    "offline",
}
"""Parameters that go with a plan, which states all others."""


@command
def run(
    context: typer.Context,
    method: Annotated[
        str | None, typer.Option("--method", help="Method or method.variant; see: vosbench list methods.")
    ] = None,
    dataset: Annotated[str | None, typer.Option("--dataset", help=options.DATASET)] = None,
    suite: options.SuiteName = None,
    available: options.Available = False,
    selecting: options.Selecting = options.Selecting(),
    setting_up: options.SettingUp = options.SettingUp(),
    planned: options.Planned = None,
    dry_run: options.DryRun = False,
    retry_failed: options.RetryFailed = False,
    out: Annotated[Path, typer.Option("--out", help="Folder of maps and records.")] = OUT,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Discard maps of another setup, and a record of other maps.")
    ] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Also measure time per stage, memory and cost on the first video.")
    ] = False,
    spreading: Spreading = Spreading(),
    shard: options.ShardName = None,
    plugin: options.Plugins = None,
    track: options.Track = None,
    shown: options.Shown = "table",
    no_cache: options.NoCache = False,  # noqa: ARG001 - it acts when it is parsed
    quiet: options.Quiet = False,
) -> None:
    """Run a method on a dataset or suite, or all of a plan; score its maps and print the result.

    The same command resumes an interrupted run.
    """
    from vosbench import face

    if planned is not None:
        plan.refuse_others(context, PLANNED)
        place = out if plan.is_given(context, "out") else None
        how = plan.How(place, overwrite, retry_failed, available, dry_run, tuple(plugin or ()), quiet)
        if shard is not None:
            plan.run_shard(planned, shard, how, spreading)
        else:
            plan.run(planned, how, shown, spreading)
        return
    plan.refuse_alone(dry_run=dry_run, retry_failed=retry_failed)
    if method is None:
        raise UsageError("pass --method with --dataset or --suite, or --plan")
    options.one_of(dataset, suite, available=available)
    if shard is not None:
        others = {"--suite": suite, "--overwrite": overwrite, "--profile": profile, "--track": track}
        for other in (name for name, passed in others.items() if passed):
            raise UsageError(f"--shard and {other} contradict each other")
    tracked.check(track)
    if suite is not None:
        with (
            spread(spreading, device=setting_up.device, quiet=quiet) as engine,
            listening("frames", quiet=quiet) as listener,
        ):
            all_done = face.run_suite(
                method,
                suite,
                out=out,
                overwrite=overwrite,
                profile=profile,
                engine=engine,
                plugins=plugin or (),
                listener=listener,
                **options.suite_options(selecting, available=available),
                **options.setup_options(setting_up),
            )
        if not quiet and all_done.results:
            say(f"note: maps and records are in {', '.join(str(out / name) for name in all_done.places)}")
        tracked.send(all_done.results.values(), track, out, quiet=quiet)
        finish_suite(all_done, shown)
        return
    assert dataset is not None
    if shard is not None:
        from vosbench.face import sharding

        with (
            spread(spreading, device=setting_up.device, quiet=quiet) as engine,
            listening("frames", quiet=quiet) as listener,
        ):
            part = sharding.run_shard(
                method,
                dataset,
                shard,
                out=out,
                engine=engine,
                plugins=plugin or (),
                listener=listener,
                **options.run_options(selecting, setting_up),
            )
        plan.say_shard(part, quiet=quiet)
        return
    with (
        spread(spreading, device=setting_up.device, quiet=quiet) as engine,
        listening("frames", quiet=quiet) as listener,
    ):
        done = face.run(
            method,
            dataset,
            out=out,
            overwrite=overwrite,
            profile=profile,
            engine=engine,
            plugins=plugin or (),
            listener=listener,
            **options.run_options(selecting, setting_up),
        )
    if done.selection.annotated:
        tracked.send([done], track, out, quiet=quiet)
    finished(done, out, shown, quiet=quiet)


def finished(done: "Result", out: Path, shown: "Format", *, quiet: bool) -> None:
    """Say where maps and record are, and print the record."""
    folder = out / done.record.dataset / (done.record.method + done.selection.frames_apart)
    if not done.selection.annotated:
        split = f"{done.selection.dataset.title} {done.selection.split}"
        say(f"note: maps are in {folder}; {split} has no public annotations, so there is nothing to score")
    elif not quiet and done.path is not None:
        say(f"note: maps and record are in {folder} and {done.path}")
    if done.selection.annotated:
        result(done.render(shown))
