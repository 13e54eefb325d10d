"""Every table by its name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vosbench.dataset import Dataset, DatasetProtocol, Listed, Suite
from vosbench.dataset.selection import split_of, usual_protocol
from vosbench.errors import DataError, UsageError, suggest
from vosbench.records.published import UNKNOWN, Published, canonical, published, task_of
from vosbench.records.record import Record
from vosbench.records.store import Warn, find_records, read_records
from vosbench.registry import DATASETS, SUITES, find, load_dataset, load_families, load_suite
from vosbench.registry.folders import dataset_path
from vosbench.report.grouped import By, View, grouped
from vosbench.report.leaderboard import BoardView, leaderboard, published_leaderboard
from vosbench.report.overview import saliency_table, speed_table
from vosbench.report.paper_table import PaperView
from vosbench.report.papers import paper_table, papers
from vosbench.report.style import Style, styled
from vosbench.report.suite import suite_table
from vosbench.report.table import Table

SALIENCY, SPEED = "saliency", "speed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRequest:
    """A request for one table.

    Attributes:
        name: a dataset, or its path; one of `papers`, `SALIENCY` or `SPEED`; empty for a suite.
        results: the folder of the records.
        suite: a suite by its name, in place of a table's name.
        protocol: the records' protocol by name; any if None.
        split: the dataset's split; any that the records have if None.
        by: break the results down by this.
        measure: the measure to break down.
        published: show published numbers; of a paper's table, show only these.
        measured: require records.
        diff: show differences, measured − published.
        sort: the measure that ranks; of a suite, the column, such as ``"fbms J_mean"``.
        task: show only methods of this task; records of other methods than published ones are shown nevertheless.
        own: records that join those of the folder; in a paper's table, lines behind the printed ones.
        spread: of a leaderboard, show half the 95 % intervals.
        interval: of a leaderboard, show the 95 % interval of the measure that ranks.
        style: which lines and columns to show, and how.
        warn: called with a line for each file that cannot be read as a record.
        plugins: files with more datasets and measures.
    """

    name: str
    results: Path
    suite: str | None = None
    protocol: str | None = None
    split: str | None = None
    by: By | None = None
    measure: str | None = None
    published: bool = False
    measured: bool = False
    diff: bool = False
    sort: str | None = None
    task: str | None = None
    own: tuple[Record, ...] = ()
    spread: bool = False
    interval: bool = False
    style: Style = field(default_factory=Style)
    warn: Warn = lambda _: None
    plugins: tuple[Path, ...] = ()


def make_table(request: TableRequest) -> tuple[Table, list[str]]:
    """Make a table.

    Returns:
        the table, and a line for each record that is left out of it.

    Raises:
        UsageError: if no table has that name, or options contradict each other.
        DataError: if there are no records to show.
    """
    table, left_out = _made(request)
    style = replace(request.style, methods=()) if request.name in papers() else request.style  # chosen already
    return styled(table, style), left_out


def _made(request: TableRequest) -> tuple[Table, list[str]]:
    if request.suite is not None:
        return _of_suite(request, load_suite(request.suite, request.plugins))
    _check(request)
    load_families(request.plugins)
    if request.name in papers():
        return _of_paper(request), []
    if request.name in {SALIENCY, SPEED}:
        records = _all_records(request)
        if request.measured and not records:
            raise DataError(f'nothing is measured: "{request.results}" contains no records')
        return saliency_table(records, request.protocol) if request.name == SALIENCY else (speed_table(records), [])
    dataset = load_dataset(request.name, request.plugins)
    split = None if request.split is None else split_of(dataset, request.split)
    records, left_out = _usual(_records(request, dataset, split), dataset, split)
    if dataset.root is not None:
        _refuse_mixture(records)
    make = _ranked if request.by is None else _broken_down
    table, more = make(request, dataset, split, records)
    return table, [*left_out, *more]


def _all_records(request: TableRequest) -> list[Record]:
    """The records of the folder, and those that join them, of a task."""
    records = [*find_records(request.results, heads=True, warn=request.warn), *request.own]
    return [record for record in records if _of_task(request, record)]


def _of_task(request: TableRequest, record: Record) -> bool:
    if request.task is None:
        return True
    return task_of(record.method, record.provenance.options) in {request.task, UNKNOWN}


def names(plugins: tuple[Path, ...] = ()) -> list[str]:
    """The names of all tables."""
    return [*find(DATASETS, plugins), *papers(), SALIENCY, SPEED]


def _check(request: TableRequest) -> None:
    known = names(request.plugins)
    if request.name not in known and dataset_path(request.name, known) is None:
        if request.name in find(SUITES, request.plugins):
            raise UsageError(f'"{request.name}" is a suite of datasets; pass --suite {request.name}')
        raise UsageError(f'no dataset or table "{request.name}"; {suggest(request.name, known)}')
    _check_options(request)
    if request.measure and not request.by:
        raise UsageError("--measure requires --by; to rank by a measure, use --sort")
    if request.by:
        _check_breakdown(request)


def _check_options(request: TableRequest) -> None:
    """Refuse what tables of papers and tables over all datasets do not have."""
    paper, over_all = request.name in papers(), request.name in {SALIENCY, SPEED}
    if paper and request.style.percent:
        raise UsageError(f'the table "{request.name}" is in the units of its paper; leave out --percent')
    wrong = {
        "--by": (paper or over_all) and request.by,
        "--split": (paper or over_all) and request.split,
        "--protocol": (paper or request.name == SPEED) and request.protocol,
        "--published": over_all and request.published,
        "--diff": over_all and request.diff,
        "--sort": over_all and request.sort,
        "--mark ±": (paper or over_all) and request.spread,
        "--interval": (paper or over_all) and request.interval,
    }
    for option, value in wrong.items():
        if value:
            raise UsageError(f'the table "{request.name}" does not support {option}; only datasets do')


def _check_breakdown(request: TableRequest) -> None:
    if request.diff:
        raise UsageError("--diff cannot be used with --by; vosbench table f2net-4 --diff shows differences by category")
    if request.by in {"attribute", "video"} and request.published:
        raise UsageError(f"no published numbers by {request.by}; use --published with --by category")
    if request.style.measures:
        raise UsageError("--by shows one measure; choose it with --measure")
    for option, value in {"--mark ±": request.spread, "--interval": request.interval}.items():
        if value:
            raise UsageError(f"{option} cannot be used with --by; it is for leaderboards")


def _of_suite(request: TableRequest, suite: Suite) -> tuple[Table, list[str]]:
    fixed = {"protocol": request.protocol, "split": request.split, "by": request.by, "diff": request.diff}
    fixed |= {"mark ±": request.spread, "interval": request.interval}
    for option, value in {**fixed, "measure": request.measure}.items():
        if value:
            raise UsageError(f"--{option} is for tables of one dataset, not of a suite")
    load_families(request.plugins)
    datasets = {entry.dataset: load_dataset(entry.dataset, request.plugins) for entry in suite.entries}
    names = {dataset.name for dataset in datasets.values()}
    records = [each for each in _all_records(request) if each.dataset in names]
    if request.measured and not records:
        raise DataError(f'nothing is measured: "{request.results}" has no records of the datasets of {suite.name}')
    numbers = [each for each in _published(request) if each.source not in _ablations()] if request.published else []
    return suite_table(suite, datasets, records, numbers, request.sort)


def _published(request: TableRequest) -> list[Published]:
    """The published numbers of the task."""
    return [number for number in published() if request.task is None or number.task == request.task]


def _ablations() -> set[str]:
    return {paper.source for paper in papers().values() if paper.ablation}


def _of_paper(request: TableRequest) -> Table:
    required = request.measured or request.diff
    if required and not request.results.is_dir():
        raise DataError(f'no folder "{request.results}" of records; make some with vosbench score --out')
    if request.measured and not find_records(request.results, heads=True):
        raise DataError(f'nothing is measured: "{request.results}" contains no records')
    view = PaperView(
        measured=required or not (request.published or request.own),
        diff=request.diff,
        sort=request.sort,
        own=request.own,
        methods=request.style.methods,
        task=request.task,
    )
    return paper_table(request.name, find_records(request.results, warn=request.warn) if view.measured else (), view)


def _usual(records: list[Record], dataset: Dataset, split: str | None) -> tuple[list[Record], list[str]]:
    """The records of one protocol and split, as near to the dataset's default as there are any, and a line on others.

    Those that no leaderboard can show count only if there are no others.
    """
    protocols = [f"{protocol.name}@{protocol.version}" for protocol in dataset.protocols]

    def distance(record: Record) -> tuple[bool, int, int, str]:
        place = dataset.splits.index(record.split) if record.split in dataset.splits else len(dataset.splits)
        under = protocols.index(record.protocol) if record.protocol in protocols else len(protocols)
        return bool(record.shortcomings), 0 if split else place, under, record.protocol

    if not records:
        return [], []
    first = min(records, key=distance)
    usual = first.split, first.protocol
    chosen = [each for each in records if (each.split, each.protocol) == usual]
    others = [
        f'"{each.name}" ({each.split}, {each.protocol})' for each in records if (each.split, each.protocol) != usual
    ]
    line = f"of other splits or protocols, so not in this table: {', '.join(others)}; see --split and --protocol"
    return chosen, [line] if others else []


def _refuse_mixture(records: list[Record]) -> None:
    """Refuse records of several folders of one name, or of one that has changed since.

    Raises:
        DataError: if their annotations differ.
    """
    whole = [record for record in records if not record.shortcomings]
    other = next((each for each in whole if each.provenance.annotations != whole[0].provenance.annotations), None)
    if other is not None:
        hashes = " and ".join(f'"{each.name}": {each.provenance.annotations[:12]}…' for each in (whole[0], other))
        raise DataError(f"these records are of other annotations ({hashes}); score the masks again, with --overwrite")


def _broken_down(
    request: TableRequest, dataset: Dataset, split: str | None, records: list[Record]
) -> tuple[Table, list[str]]:
    del split
    numbers = [number for number in _published(request) if number.dataset == dataset.name] if request.published else []
    assert request.by is not None
    view = View(by=request.by, measure=request.measure, sort=request.sort)
    return grouped(records, dataset, view, numbers)


def _ranked(
    request: TableRequest, dataset: Dataset, split: str | None, records: list[Record]
) -> tuple[Table, list[str]]:
    place = split or (records[0].split if records else split_of(dataset, None, _protocol_of(request, dataset)))
    measured = {canonical(record.method, record.provenance.options) for record in records}
    ablations = _ablations()
    numbers = [
        number
        for number in _published(request)
        if (number.dataset, number.split) == (dataset.name, place) and number.source not in ablations
        if request.published or (request.diff and number.method in measured)
    ]
    if records:
        uncertain = request.spread or request.interval
        view = BoardView(
            sort=request.sort,
            diff=request.diff,
            spread=request.spread,
            interval=request.interval,
            listing=_listing(dataset, records) if uncertain else None,
        )
        return leaderboard(records, numbers=numbers, view=view)
    if request.spread or request.interval:
        raise DataError("published numbers have no intervals, and there are no records")
    return published_leaderboard(numbers, _protocol_of(request, dataset), sort=request.sort), []


def _listing(dataset: Dataset, records: Sequence[Record]) -> Mapping[str, Listed]:
    return dataset.listing(records[0].split) or dict.fromkeys(records[0].videos, Listed(frames=None))


def _protocol_of(request: TableRequest, dataset: Dataset) -> DatasetProtocol:
    protocols = {protocol.name: protocol for protocol in dataset.protocols}
    if request.protocol is None:
        return usual_protocol(dataset, request.split)
    if request.protocol not in protocols:
        raise UsageError(
            f'{dataset.name} has no protocol "{request.protocol}"; {suggest(request.protocol, list(protocols))}'
        )
    return protocols[request.protocol]


def _records(request: TableRequest, dataset: Dataset, split: str | None) -> list[Record]:
    """The dataset's records; there may be none if only published numbers are required."""
    own = [record for record in request.own if record.dataset == dataset.name]
    if len(own) < len(request.own):
        other = next(record for record in request.own if record.dataset != dataset.name)
        raise DataError(f'"{other.name}" is a record of {other.place}, not of {dataset.name}')
    optional = own or (request.published and not request.measured and not request.diff)
    read = find_records if optional else read_records
    means = request.by is None and not request.spread and not request.interval
    found = read(request.results, dataset.name, request.protocol, split, heads=means, warn=request.warn)
    return [record for record in [*found, *own] if _of_task(request, record)]
