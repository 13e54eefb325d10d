"""``vosbench plan`` and ``vosbench status``: check a plan, and tell how far it is."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vosbench.cli import options
from vosbench.cli.clusters import Spreading, spread
from vosbench.cli.console import Command, command, listening, result, say, terminal_width
from vosbench.errors import UsageError

if TYPE_CHECKING:
    from vosbench.face import PlanResult
    from vosbench.face.sharding import ShardResult
    from vosbench.report.table import Format

app = typer.Typer(help="Plans of runs, see docs/plans.md.", no_args_is_help=True)
APART = ("profile", "track", "by", "per_frame", "compact", "pr", "explain", "gt")
"""Parameters of single runs and scores, of which a plan says nothing."""
PlanFile = Annotated[Path, typer.Argument(metavar="PLAN", help="The plan, a YAML file.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder of maps and records, in place of the plan's.")]


@command
def check(
    plan: PlanFile,
    available: options.Available = False,
    plugin: options.Plugins = None,
) -> None:
    """Check a plan without running anything: its keys, names, weights and datasets."""
    from vosbench import face

    checked = face.check_plan(plan, available=available, plugins=plugin or ())
    result(f"{checked.summary}\n")
    for problem in checked.problems[1:]:
        say(f"error: {problem}")
    if checked.problems:
        raise checked.problems[0]


@command
def status(
    plan: PlanFile,
    out: Out = None,
    long: Annotated[bool, typer.Option("--long", help="A line for every record, with all reasons.")] = False,
    plugin: options.Plugins = None,
    shown: options.Shown = "table",
    wide: options.Wide = False,
) -> None:
    """Tell how far a plan is: what is done, running, left, failed or changed. Nothing is written."""
    from vosbench import face

    found = face.plan_status(plan, out=out, plugins=plugin or ())
    result(found.render(shown, terminal_width(wide=wide), long=long))


@dataclass(frozen=True, slots=True)
class How:
    """How a plan is done; see `vosbench.face.run_plan`."""

    out: Path | None
    overwrite: bool
    retry_failed: bool
    available: bool
    dry_run: bool
    plugins: tuple[Path, ...]
    quiet: bool


def run(plan: Path, how: How, shown: "Format", spreading: Spreading) -> None:
    """Run a plan and print how far it is.

    Raises:
        VosbenchError: for what is not done, once everything else is.
    """
    from vosbench import face

    nowhere = Spreading()  # nothing is started to say what would be done
    with (
        spread(nowhere if how.dry_run else spreading, device="", quiet=how.quiet) as engine,
        listening("frames", quiet=how.quiet) as listener,
    ):
        done = face.run_plan(
            plan,
            out=how.out,
            overwrite=how.overwrite,
            retry_failed=how.retry_failed,
            available=how.available,
            dry_run=how.dry_run,
            workers=spreading.workers or 1,
            plugins=how.plugins,
            engine=engine,
            listener=listener,
        )
    finish(done, shown)


def finish(done: "PlanResult", shown: "Format") -> None:
    """Print how far a plan is.

    Raises:
        VosbenchError: for what is not done.
    """
    result(done.render(shown, terminal_width(wide=False)))
    if done.problem is not None:
        raise done.problem


def score(plan: Path, how: How, jobs: int, shown: "Format", spreading: Spreading) -> None:
    """Score the submissions of a plan and print how far it is.

    Raises:
        VosbenchError: for what is not done, once everything else is.
    """
    from vosbench import face

    with (
        spread(Spreading() if how.dry_run else spreading, jobs=jobs, quiet=how.quiet) as engine,
        listening("videos", quiet=how.quiet) as listener,
    ):
        done = face.score_plan(
            plan,
            out=how.out,
            overwrite=how.overwrite,
            retry_failed=how.retry_failed,
            available=how.available,
            dry_run=how.dry_run,
            jobs=jobs,
            engine=engine,
            plugins=how.plugins,
            listener=listener,
        )
    finish(done, shown)


def run_shard(plan: Path, shard: str, how: How, spreading: Spreading) -> None:
    """Do a shard of a plan.

    Raises:
        UsageError: if something else is asked for, too.
        VideoError: if videos have failed.
    """
    from vosbench.face import sharding

    for name in ("dry_run", "retry_failed", "overwrite"):
        if getattr(how, name):
            raise UsageError(f"--shard and --{name.replace('_', '-')} contradict each other")
    with (
        spread(spreading, device="", quiet=how.quiet) as engine,
        listening("frames", quiet=how.quiet) as listener,
    ):
        part = sharding.run_plan_shard(
            plan,
            shard,
            out=how.out,
            available=how.available,
            engine=engine,
            plugins=how.plugins,
            listener=listener,
        )
    say_shard(part, quiet=how.quiet)


def say_shard(part: "ShardResult", *, quiet: bool) -> None:
    """Say what a shard has done.

    Raises:
        VideoError: if videos have failed.
    """
    if part.problem is not None:
        raise part.problem
    if not quiet:
        say(f"note: {part.summary()}; once all shards are done, vosbench merge makes the record")


def is_given(context: typer.Context, name: str) -> bool:
    """Whether an option was passed, rather than left at its default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def refuse_alone(*, dry_run: bool, retry_failed: bool) -> None:
    """Refuse options of plans without one.

    Raises:
        UsageError: if one was passed.
    """
    if dry_run or retry_failed:
        raise UsageError(f"--{'dry-run' if dry_run else 'retry-failed'} requires --plan")


def refuse_others(context: typer.Context, allowed: Collection[str]) -> None:
    """Refuse options that a plan states itself.

    Raises:
        UsageError: if one was passed.
    """
    for parameter in context.command.params:
        if parameter.name not in {*allowed, "debug"} and is_given(context, str(parameter.name)):
            named = parameter.opts[0] if parameter.param_type_name == "option" else str(parameter.name)
            if parameter.name in APART:
                raise UsageError(f"{named} does not go with --plan; leave it out")
            raise UsageError(f"{named} is stated by the plan; leave it out, or change the plan")


app.command("check", cls=Command)(check)
