"""``vosbench score`` with several submissions: together, and one table."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vosbench.cli import options, tracked
from vosbench.cli.console import listening, result, say
from vosbench.cli.protocols import Task, several
from vosbench.errors import DataError, UsageError, VosbenchError

if TYPE_CHECKING:
    from vosbench.records.record import Record
    from vosbench.report.table import Format


def score(
    task: Task,
    submissions: Sequence[Path],
    selecting: options.Selecting,
    out: Path | None,
    shown: "tuple[Format, int | None]",
    *,
    overwrite: bool,
) -> None:
    """Score submissions, print a table of them, and write their records if that is asked for.

    One that cannot be scored is reported, and the others are scored.

    Raises:
        UsageError: if two have the same name, or several protocols are named.
        VosbenchError: the first error of a submission, after all others were scored.
    """
    from vosbench import face
    from vosbench.report.leaderboard import scored_table
    from vosbench.report.table import render

    _check(submissions, selecting, named=out is not None)
    dataset = task.named("several submissions need")
    with listening("videos", quiet=task.quiet) as listener:
        found = face.score_several(
            submissions,
            dataset=dataset,
            codec=task.codec,
            numbering=task.numbering,
            jobs=task.jobs,
            plugins=task.plugins,
            listener=listener,
            **options.select_options(selecting),
        )
    complete: list[Record] = []
    problems: list[VosbenchError] = []
    for path, done in zip(submissions, found, strict=True):
        try:
            if isinstance(done, VosbenchError):
                raise done
            if out is not None:
                done.save(out, overwrite=overwrite)
            tracked.send([done], task.track, out, quiet=task.quiet)
            if done.record.missing:
                raise DataError(f'"{path}": masks of scored frames are missing, so there is no mean')
            complete.append(done.record)
        except VosbenchError as error:
            problems.append(error)
    if complete:
        result(render(scored_table(complete), *shown))
    for problem in problems[1:]:
        say(f"error: {problem}")
    if problems:
        raise problems[0]


def _check(submissions: Sequence[Path], selecting: options.Selecting, *, named: bool) -> None:
    """Check the names before the work; those of records, if they are ``named``, more strictly."""
    from vosbench.evaluate.score import default_name
    from vosbench.records.naming import check_name

    if several(selecting.protocol):
        raise UsageError("several submissions are scored under one protocol")
    names = Counter(default_name(path) for path in submissions)
    twice = next((name for name, count in names.items() if count > 1), None)
    if twice is not None:
        raise UsageError(f'two submissions are called "{twice}"; score them one by one, with --name')
    for name in names if named else ():
        check_name(name)
