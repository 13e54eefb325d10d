"""Score the submissions of a plan: those to one dataset together, so that its annotations are read once."""

from collections.abc import Callable, Sequence
from functools import partial

from vosbench.engine.engine import Engine
from vosbench.errors import DataError, UsageError, VosbenchError, counted
from vosbench.evaluate.score import all_rows
from vosbench.evaluate.together import Result, Submission, score_together, videos_of
from vosbench.files import content, sha256
from vosbench.plan import state
from vosbench.plan.cases import SubmissionCase, pairs, submission_cases
from vosbench.plan.execute import Policy, Report, left_to_do
from vosbench.plan.prepare import Entry, Masks, Prepared, Source, find_videos, with_datasets
from vosbench.plan.progress import progress
from vosbench.records import store
from vosbench.records.naming import check_name

Advance = Callable[[str, int, int], None]


def prepare(source: Source) -> Prepared:
    """Look for the submissions and datasets of a plan; what is missing is noted, not raised.

    Raises:
        UsageError: if the plan has no submissions, or its rules leave nothing; if two would write one record.
    """
    if not source.plan.submissions:
        raise UsageError(f'"{source.path}" has no submissions to score; its methods are run by vosbench run --plan')
    every = [(case, data) for data in source.datasets for case in submission_cases(source.plan, source.base, data)]
    chosen, excluded = pairs(source.plan, every)
    found = {id(data): find_videos(data, source, frames=False) for data in source.datasets}
    entries = []
    for case, data in chosen:
        assert isinstance(case, SubmissionCase)
        entries.append(Entry(case, data, source.out / case.folder, _masks(case), found[id(data)]))
    absent = {each.dataset: each.chosen for each in entries if isinstance(each.chosen, VosbenchError)}
    return Prepared(source=source, entries=entries, excluded=excluded, absent=absent)


def _masks(case: SubmissionCase) -> Masks | VosbenchError:
    if case.masks is None:
        return DataError(f'submission {case.part} of the plan: there is nothing at "{case.source.masks}"')
    try:
        check_name(case.name, "submission")
    except UsageError as error:
        return UsageError(f"submission {case.part} of the plan: {error}")
    inputs = {"masks": content(case.masks), "codec": case.source.codec, "numbering": case.source.numbering}
    return Masks(case, case.masks, inputs)


def here(prepared: Prepared, *, available: bool) -> tuple[list[Entry], list[str]]:
    """The entries that can be scored here, and notes on those that are left out.

    Args:
        prepared: the plan.
        available: leave out datasets and submissions that are missing here, instead of refusing.

    Raises:
        VosbenchError: if some are missing, or names of submissions cannot name files.
    """
    entries, notes = with_datasets(prepared, available=available)
    missing = [entry for entry in entries if isinstance(entry.setting, VosbenchError)]
    if not missing:
        return entries, notes
    errors = dict.fromkeys(str(entry.setting) for entry in missing)
    first = next(entry.setting for entry in missing if isinstance(entry.setting, VosbenchError))
    more = f" (and {counted(len(errors) - 1, 'more')})" if len(errors) > 1 else ""
    left = [entry for entry in entries if not isinstance(entry.setting, VosbenchError)]
    if not available or not left or isinstance(first, UsageError):
        advice = "; --available leaves it out" if left and not isinstance(first, UsageError) else ""
        raise type(first)(f"{first}{more}{advice}")
    return left, [*notes, *(f"left out: {error}" for error in errors)]


def score(
    entries: Sequence[Entry],
    policy: Policy,
    *,
    jobs: int,
    engine: Engine | None,
    advance: Advance,
    note: Callable[[str], None],
) -> Report:
    """Score what is left, dataset by dataset.

    Args:
        entries: those that can be scored here.
        policy: what is done with what has failed or changed.
        jobs: number of processes, one video of all submissions each.
        engine: where videos are scored instead, such as on a cluster.
        advance: called with what is being done, and the scored videos of all that are left.
        note: called with how masks were read.
    """
    report = Report([progress(entry) for entry in entries])
    groups: dict[object, list[int]] = {}
    for index in left_to_do(report.progress, policy):
        dataset = entries[index].dataset
        groups.setdefault((dataset.dataset.name, dataset.choice.root), []).append(index)
    submissions = {key: [_submission(entries[index]) for index in indices] for key, indices in groups.items()}
    total, before = sum(map(videos_of, submissions.values())), 0
    for key, indices in groups.items():
        count = partial(_counted, advance, entries[indices[0]].dataset.dataset.name, before, total)
        try:
            results = score_together(submissions[key], jobs=jobs, engine=engine, advance=count)
        except VosbenchError as error:  # such as a process that was killed
            results = [error] * len(indices)
        for index, result in zip(indices, results, strict=True):
            _settle(entries[index], index, report, result, note)
        before += videos_of(submissions[key])
    return report


def _counted(advance: Advance, label: str, before: int, total: int, done: int) -> None:
    advance(label, before + done, total)


def _settle(
    entry: Entry, index: int, report: Report, result: Result | VosbenchError, note: Callable[[str], None]
) -> None:
    """Note what became of a submission; what another attempt would meet again is remembered."""
    replaces = report.progress[index].kind == "changed"
    try:
        _save(entry, result, replaces=replaces)
    except VosbenchError as error:
        report.errors[index] = error
        if isinstance(error, DataError) and not replaces:
            ended = state.Ended(message=str(error), exit_code=error.exit_code)
            state.write(entry.state_path, entry.begun().model_copy(update={"ended": ended}))
    else:
        for line in result[2] if isinstance(result, tuple) else ():
            note(f"{entry.label}: {line}")
    report.progress[index] = progress(entry)


def _submission(entry: Entry) -> Submission:
    masks = entry.setting
    assert isinstance(masks, Masks)
    source = masks.case.source
    return Submission(masks.place, masks.case.name, entry.selection, source.codec, source.numbering)


def _save(entry: Entry, result: Result | VosbenchError, *, replaces: bool) -> None:
    """Write the record of a submission, and what there is to remember.

    Raises:
        DataError: if it could not be scored, or masks are missing, so that there is no mean.
        UsageError: if there is a record of other masks.
    """
    if isinstance(result, VosbenchError):
        raise result
    record, scored, _ = result
    if record.missing:
        masks = f"{counted(len(record.missing), 'mask')} {'is' if len(record.missing) == 1 else 'are'} missing"
        raise DataError(f'{masks}, such as "{record.missing[0]}", so there is no mean')
    path = store.save(entry.out, record, all_rows(scored), overwrite=replaces)
    update = {"record": path.name, "sha256": sha256(path), "tried": True}
    state.write(entry.state_path, entry.begun().model_copy(update=update))
