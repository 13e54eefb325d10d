"""Plans in the Python face: run, scored, looked at and checked."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from vosbench.engine.engine import Engine
from vosbench.errors import DataError, PluginError, UsageError, VideoError, VosbenchError, WorkerError, counted
from vosbench.face.options import SILENT, AnyPath, Listener, paths_of
from vosbench.files import OFFLINE
from vosbench.plan import progress as progressing
from vosbench.plan import show, submissions
from vosbench.plan.cases import MethodCase
from vosbench.plan.estimate import estimate
from vosbench.plan.execute import Policy, Report, execute, left_to_do
from vosbench.plan.prepare import Prepared, Source, prepare, present, with_datasets
from vosbench.plan.progress import Progress
from vosbench.report.table import Format, render

KINDS: Mapping[int, type[VosbenchError]] = {
    each.exit_code: each for each in (UsageError, DataError, VideoError, PluginError, WorkerError)
}


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class PlanResult:
    """How far the records of a plan are; prints as a table of methods by datasets.

    Attributes:
        lines: the records, in the plan's order.
        notes: notes for the reader, one line each.
        problem: one error for all that is not done; None if everything is.
    """

    lines: Sequence[show.Line]
    notes: tuple[str, ...] = ()
    problem: VosbenchError | None = None

    def render(self, kind: Format = "table", width: int | None = None, *, long: bool = False) -> str:
        """The table as text.

        Args:
            kind: the format; csv and json have a line for every record.
            width: columns of a terminal, to which ``"table"`` is fitted; None for the whole table.
            long: a line for every record, with reasons.
        """
        table = show.long if long or kind in {"csv", "json"} else show.grid
        return render(table(self.lines, self.notes), kind, width)

    def __repr__(self) -> str:
        """The table."""
        return self.render().rstrip("\n")

    def _repr_html_(self) -> str:
        return self.render("html")


def run_plan(  # noqa: PLR0913 - the options of the command line
    plan: AnyPath,
    *,
    out: AnyPath | None = None,
    overwrite: bool = False,
    retry_failed: bool = False,
    available: bool = False,
    dry_run: bool = False,
    workers: int = 1,
    plugins: Iterable[AnyPath] = (),
    engine: Engine | None = None,
    listener: Listener = SILENT,
) -> PlanResult:
    """Run the methods of a plan on its datasets, except what is done already.

    A record is done if everything it depends on is unchanged; see `vosbench.plan.state`. What fails is noted, and the
    rest is finished.

    Args:
        plan: a YAML file; see `vosbench.plan.schema`.
        out: folder of maps and records in place of the plan's.
        overwrite: replace records whose inputs have changed, even if the plan does not say so.
        retry_failed: try again what failed before.
        available: leave out datasets that are missing or incomplete here, instead of refusing.
        dry_run: only say what would be done, and about how long it takes.
        workers: for which number of workers the time is estimated.
        plugins: Python files besides those that the plan names.
        engine: where videos are segmented; in this process if None.
        listener: callbacks for progress and notes.

    Raises:
        UsageError: if the plan is not valid, or names what is unknown.
        DataError: if datasets are missing or incomplete.
    """
    prepared = prepare(_source(plan, plugins, out))
    entries, notes = present(prepared, available=available)
    for note in notes:
        listener.note(note)
    policy = Policy(replace=overwrite or prepared.source.plan.changed == "replace", retry=retry_failed)
    if dry_run:
        every = progressing.every(entries, closely=True)
        return _preview(every, policy, workers, notes)
    done = execute(entries, policy, engine, listener.advance)
    listener.note(f"maps and records are in {prepared.source.out}")
    return PlanResult(lines=_lines(done), notes=tuple(notes), problem=_problem(done))


def score_plan(  # noqa: PLR0913 - the options of the command line
    plan: AnyPath,
    *,
    out: AnyPath | None = None,
    overwrite: bool = False,
    retry_failed: bool = False,
    available: bool = False,
    dry_run: bool = False,
    jobs: int = 1,
    engine: Engine | None = None,
    plugins: Iterable[AnyPath] = (),
    listener: Listener = SILENT,
) -> PlanResult:
    """Score the submissions of a plan, except those that are scored already.

    The annotations of a dataset are read once for all submissions.

    Args:
        plan: as in `run_plan`, like the other arguments.
        out: likewise.
        overwrite: likewise.
        retry_failed: likewise.
        available: leave out datasets and submissions that are missing here, instead of refusing.
        dry_run: likewise.
        jobs: number of processes, one video of all submissions each; 0 for one per processor.
        engine: where videos are scored instead, such as on a cluster.
        plugins: likewise.
        listener: likewise.

    Raises:
        UsageError: if the plan is not valid, or names what is unknown.
        DataError: if datasets or submissions are missing or incomplete.
    """
    prepared = submissions.prepare(_source(plan, plugins, out))
    entries, notes = submissions.here(prepared, available=available)
    for note in notes:
        listener.note(note)
    policy = Policy(replace=overwrite or prepared.source.plan.changed == "replace", retry=retry_failed)
    if dry_run:
        every = progressing.every(entries)
        todo = [every[index] for index in left_to_do(every, policy)]
        return PlanResult(lines=[*map(show.line, every)], notes=(*_told(every, policy, todo), *notes))
    done = submissions.score(
        entries,
        policy,
        jobs=jobs or os.cpu_count() or 1,
        engine=engine,
        advance=listener.advance,
        note=listener.note,
    )
    listener.note(f"records are in {prepared.source.out}")
    return PlanResult(lines=_lines(done), notes=tuple(notes), problem=_problem(done))


def plan_status(plan: AnyPath, *, out: AnyPath | None = None, plugins: Iterable[AnyPath] = ()) -> PlanResult:
    """Tell how far a plan is, from anywhere that sees its folder of results; nothing is written.

    Args:
        plan: a YAML file.
        out: folder of maps and records in place of the plan's.
        plugins: Python files besides those that the plan names.

    Raises:
        UsageError: if the plan is not valid, or names what is unknown.
        DataError: if the plan cannot be read.
    """
    with _without_network():  # weights that are named by address are looked up in the cache alone
        entries = [entry for prepared in _all(_source(plan, plugins, out)) for entry in prepared.entries]
    every = progressing.every(entries, closely=True)
    left = [every[index] for index in left_to_do(every, Policy())]
    notes = [f"time left: {estimate(left, every).said()}"] if left else []
    return PlanResult(lines=[*map(show.line, every)], notes=tuple(notes))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCheck:
    """What a plan asks for, and what is wrong with it.

    Attributes:
        summary: what it asks for, in a line, or two if it has methods and submissions.
        problems: errors, the first of which decides.
    """

    summary: str
    problems: tuple[VosbenchError, ...] = field(default=())


def check_plan(
    plan: AnyPath, *, out: AnyPath | None = None, available: bool = False, plugins: Iterable[AnyPath] = ()
) -> PlanCheck:
    """Check a plan without running anything: its keys, names, files and datasets.

    Args:
        plan: a YAML file.
        out: folder of maps and records in place of the plan's.
        available: take no offence at datasets that are missing or incomplete here.
        plugins: Python files besides those that the plan names.

    Raises:
        UsageError: if the plan is not valid, or names what is unknown.
        DataError: if the plan cannot be read.
    """
    summaries, problems = [], list[VosbenchError]()
    for prepared in _all(_source(plan, plugins, out)):
        summaries.append(_summary(prepared))
        problems += prepared.problems
        try:
            with_datasets(prepared, available=available)
        except VosbenchError as error:
            problems.append(error)
    return PlanCheck(summary="\n".join(summaries), problems=tuple({str(each): each for each in problems}.values()))


@contextmanager
def _without_network() -> Iterator[None]:
    before = os.environ.get(OFFLINE)
    os.environ[OFFLINE] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[OFFLINE]
        else:
            os.environ[OFFLINE] = before


def _all(source: Source) -> list[Prepared]:
    """The methods and the submissions of a plan, as far as it has any."""
    found = [prepare(source)] if source.plan.methods else []
    return [*found, submissions.prepare(source)] if source.plan.submissions else found


def _source(plan: AnyPath, plugins: Iterable[AnyPath], out: AnyPath | None) -> Source:
    return Source(Path(plan), paths_of(plugins), None if out is None else Path(out))


def _summary(prepared: Prepared) -> str:
    noun = "method" if isinstance(prepared.entries[0].method, MethodCase) else "submission"
    methods = len(dict.fromkeys(entry.method.label for entry in prepared.entries))
    datasets = len(dict.fromkeys(entry.dataset.label for entry in prepared.entries))
    here = [entry for entry in prepared.entries if entry.problem is None]
    videos = sum(len(entry.selection.videos) for entry in here)
    frames = sum(entry.frames for entry in here)
    excluded = f", {counted(prepared.excluded, 'pair')} excluded" if prepared.excluded else ""
    return (
        f"{counted(methods, noun)} × {counted(datasets, 'dataset')}: {counted(len(prepared.entries), 'record')}"
        f"{excluded}; {counted(videos, 'video')} with {counted(frames, 'frame')} here"
    )


def _preview(every: Sequence[Progress], policy: Policy, workers: int, notes: Sequence[str]) -> PlanResult:
    todo = [every[index] for index in left_to_do(every, policy)]
    return PlanResult(lines=[*map(show.line, every)], notes=(*_told(every, policy, todo, workers), *notes))


def _told(
    every: Sequence[Progress], policy: Policy, todo: Sequence[Progress], workers: int | None = None
) -> Iterator[str]:
    """What would be done, with a number of workers if the time is known, and what would not without being asked for."""
    videos = sum((each.total or 0) - (each.videos or 0) for each in todo)
    time = "" if workers is None or not todo else f"; time: {estimate(todo, every).said(workers)}"
    said = f"to do: {counted(len(todo), 'record')}, {counted(videos, 'video')}{time}"
    yield said if todo else "nothing is left to do"
    if not policy.replace and (changed := sum(each.kind == "changed" for each in every)):
        yield f"{counted(changed, 'record')} of other inputs would be kept; --overwrite replaces what has changed"
    if not policy.retry and (failed := sum(each.kind == "failed" for each in every)):
        yield f"{counted(failed, 'record')} that failed would be left; --retry-failed tries again"


def _lines(done: Report) -> list[show.Line]:
    return [
        show.line(each, str(done.errors.get(index, "")), done.left.get(index, ""))
        for index, each in enumerate(done.progress)
    ]


def _problem(done: Report) -> VosbenchError | None:
    """One error for all that is not done, of the kind that says most: failed videos, then others."""
    errors: dict[str, VosbenchError] = {}
    changed = []
    for index, each in enumerate(done.progress):
        label = each.entry.label
        if (error := done.errors.get(index)) is not None:
            errors[label] = error
        elif each.kind == "failed" and each.known is not None:
            ended = each.known.ended
            errors[label] = VideoError() if ended is None else KINDS.get(ended.exit_code, DataError)(ended.message)
        elif each.kind == "changed":
            changed.append(label)
    failed = [label for label, error in errors.items() if isinstance(error, VideoError)]
    others = {label: error for label, error in errors.items() if label not in failed}
    said, kinds = [], list[type[VosbenchError]]()
    if failed:
        said.append(f"videos failed, {_of(failed)}; --retry-failed tries them again")
        kinds.append(VideoError)
    if others:
        first = next(iter(others.values()))
        said.append(f"{_of(list(others))} failed: {first}")
        kinds.append(KINDS.get(first.exit_code, type(first)))
    if done.left:
        left = [done.progress[index].entry.label for index in done.left]
        said.append(f"{_of(left)} in use by {next(iter(done.left.values()))}")
        kinds.append(DataError)
    if changed:
        said.append(f"inputs have changed, {_of(changed)}; --overwrite replaces what was made of the old ones")
        kinds.append(UsageError)
    return kinds[0]("; ".join(said)) if kinds else None


def _of(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{labels[0]} and {counted(len(labels) - 1, 'more record')}"
