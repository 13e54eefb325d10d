"""A part of a run, for job arrays, and what puts the parts together."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from vosbench import runner
from vosbench.dataset import Dataset
from vosbench.engine.engine import Engine
from vosbench.errors import VideoError, counted
from vosbench.face.functions import dataset_of, job_notes
from vosbench.face.options import (
    SILENT,
    AnyPath,
    Listener,
    RunOptions,
    choice_of,
    paths_of,
    refuse_unknown,
    setup_of,
)
from vosbench.face.plans import PlanResult, run_plan
from vosbench.face.result import Result
from vosbench.method import Method
from vosbench.plan import progress as progressing
from vosbench.plan.execute import Policy, left_to_do
from vosbench.plan.prepare import Source, prepare, present
from vosbench.runner.merging import Stored
from vosbench.runner.shards import Part, problem


@dataclass(frozen=True, slots=True)
class ShardResult:
    """What a shard has done.

    Attributes:
        shard: which it is.
        parts: what was done of each run.
        problem: the error, if videos have failed.
    """

    shard: runner.Shard
    parts: tuple[Part, ...]
    problem: VideoError | None

    def summary(self) -> str:
        """How many of the videos the shard has, in one line."""
        mine, every = sum(part.videos for part in self.parts), sum(part.whole for part in self.parts)
        return f"shard {self.shard} has {mine} of {counted(every, 'video')}"


def run_shard(  # noqa: PLR0913 - the options of the command line
    method: str | Method | tuple[Method, str],
    dataset: AnyPath | Dataset,
    shard: str,
    *,
    out: AnyPath,
    engine: Engine | None = None,
    plugins: Iterable[AnyPath] = (),
    listener: Listener = SILENT,
    **options: Unpack[RunOptions],
) -> ShardResult:
    """Do a part of a run: write the maps of some of the videos, and their rows, but no record; `merge` makes that.

    Args:
        method: as in `vosbench.run`, like the other arguments.
        dataset: likewise.
        shard: such as ``"2/8"``, the second of eight parts.
        out: the results folder of all parts; or of this one, to be copied together with the others.
        engine: where the videos are segmented; in this process if None.
        plugins: Python files with methods, datasets or measures.
        listener: callbacks for progress and notes.
        options: see `vosbench.face.RunOptions`.

    Raises:
        UsageError: as `vosbench.run`; or if there is no such part.
        DataError: as `vosbench.run`.
    """
    which = runner.Shard.parse(shard)
    job = _job(method, dataset, plugins, options, "run_shard")
    for line in job_notes(job, untrained=options.get("untrained", False)):
        listener.note(line)
    return work([runner.Entry(job, Path(out))], which, engine, listener)


def work(entries: list[runner.Entry], shard: runner.Shard, engine: Engine | None, listener: Listener) -> ShardResult:
    """Do a shard of what is resolved."""
    finished: dict[str, int] = {}
    listing = runner.Listing(entries)
    total = listing.frames(shard)

    def count(video: str, done: int) -> None:
        finished[video] = done
        listener.advance(video, sum(finished.values()), total)

    parts = runner.run_shard(listing, shard, engine=engine, advance=count)
    return ShardResult(shard, tuple(parts), problem(parts, shard))


def merge(
    method: str | Method | tuple[Method, str],
    dataset: AnyPath | Dataset,
    *,
    out: AnyPath,
    overwrite: bool = False,
    plugins: Iterable[AnyPath] = (),
    listener: Listener = SILENT,
    **options: Unpack[RunOptions],
) -> Result:
    """Make the record of a run of which all parts are done: the same as that of `vosbench.run`, byte for byte.

    Args:
        method: as in `run_shard`, like the other arguments.
        dataset: likewise.
        out: the results folder with all parts.
        overwrite: replace a record of other predictions instead of refusing.
        plugins: Python files with methods, datasets or measures.
        listener: callback for notes.
        options: see `vosbench.face.RunOptions`.

    Raises:
        DataError: if a part is missing, still running, of another list of videos, setup or state of the code, or
            contradicts another one.
        VideoError: if the method failed on a video; the record of the others, marked incomplete, is written.
        UsageError: as `vosbench.run`.
    """
    job = _job(method, dataset, plugins, options, "merge")
    notes = job_notes(job, untrained=options.get("untrained", False))
    for line in notes:
        listener.note(line)
    done = runner.merge(job, Path(out), overwrite=overwrite)
    return Result(record=done.record, notes=tuple(notes), selection=job.selection, scored=done.scored, path=done.path)


def _job(
    method: str | Method | tuple[Method, str],
    dataset: AnyPath | Dataset,
    plugins: Iterable[AnyPath],
    options: RunOptions,
    function: str,
) -> runner.Job:
    refuse_unknown(options, RunOptions.__optional_keys__, function)
    files = paths_of(plugins)
    return runner.resolve(
        (method, "") if isinstance(method, Method) else method,
        dataset if isinstance(dataset, str) else dataset_of(dataset, files),
        setup_of(options),
        choice_of(options),
        plugins=files,
        untrained=options.get("untrained", False),
    )


def run_plan_shard(  # noqa: PLR0913 - the options of the command line
    plan: AnyPath,
    shard: str,
    *,
    out: AnyPath | None = None,
    available: bool = False,
    engine: Engine | None = None,
    plugins: Iterable[AnyPath] = (),
    listener: Listener = SILENT,
) -> ShardResult:
    """Do a part of a plan, of all of its videos; `merge_plan` makes the records.

    Args:
        plan: a YAML file, as in `vosbench.face.run_plan`, like the other arguments.
        shard: such as ``"2/8"``, the second of eight parts.
        out: folder of maps and rows in place of the plan's.
        available: leave out datasets that are missing or incomplete here, which then have to be so for every part.
        engine: where the videos are segmented; in this process if None.
        plugins: Python files besides those that the plan names.
        listener: callbacks for progress and notes.

    Raises:
        UsageError: if the plan is not valid, or there is no such part.
        DataError: if datasets are missing or incomplete.
    """
    which = runner.Shard.parse(shard)
    entries, notes = present(prepare(_source(plan, plugins, out)), available=available)
    for note in notes:
        listener.note(note)
    return work([runner.Entry(entry.job, entry.out) for entry in entries], which, engine, listener)


def merge_plan(
    plan: AnyPath,
    *,
    out: AnyPath | None = None,
    overwrite: bool = False,
    available: bool = False,
    plugins: Iterable[AnyPath] = (),
    listener: Listener = SILENT,
) -> PlanResult:
    """Make the records of a plan of which all parts are done; arguments and errors are those of `run_plan_shard`.

    Raises:
        DataError: as `merge`; then nothing is written.
    """
    prepared = prepare(_source(plan, plugins, out))
    entries, _ = present(prepared, available=available)
    policy = Policy(replace=overwrite or prepared.source.plan.changed == "replace", retry=True)
    every = progressing.every(entries)
    left = [entries[index] for index in left_to_do(every, policy)]
    engine = Stored([runner.Entry(entry.job, entry.out) for entry in left])
    return run_plan(
        plan,
        out=out,
        overwrite=overwrite,
        retry_failed=True,
        available=available,
        plugins=plugins,
        engine=engine,
        listener=listener,
    )


def _source(plan: AnyPath, plugins: Iterable[AnyPath], out: AnyPath | None) -> Source:
    return Source(Path(plan), paths_of(plugins), None if out is None else Path(out))
