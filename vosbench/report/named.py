"""Every table by the name that it is asked for."""

from dataclasses import dataclass
from pathlib import Path

from vosbench.dataset import Dataset
from vosbench.dataset.selection import split_of
from vosbench.errors import DataError, UsageError, suggest
from vosbench.records.published import canonical, published
from vosbench.records.record import Record
from vosbench.records.store import find_records, read_records
from vosbench.registry import DATASETS, find, load_dataset, load_families
from vosbench.report.grouped import By, View, grouped
from vosbench.report.leaderboard import leaderboard, published_leaderboard
from vosbench.report.overview import saliency_table, speed_table
from vosbench.report.paper_table import Beside
from vosbench.report.papers import paper_table, papers
from vosbench.report.table import Table

SALIENCY, SPEED = "saliency", "speed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for.

    Attributes:
        name: of a dataset, or of `papers`, or `SALIENCY` or `SPEED`.
        results: the folder of the records.
        protocol: name of the protocol of the records; whichever they have where None.
        split: of the dataset; whichever the records have where None.
        by: what the lines are, where results are taken apart.
        measure: what is shown then.
        published: whether published numbers are shown; of a paper's table, they alone.
        measured: whether there must be records.
        diff: whether differences are shown, measured − published.
        sort: the measure that ranks.
        plugins: files with more datasets and measures.
    """

    name: str
    results: Path
    protocol: str | None = None
    split: str | None = None
    by: By | None = None
    measure: str | None = None
    published: bool = False
    measured: bool = False
    diff: bool = False
    sort: str | None = None
    plugins: tuple[Path, ...] = ()


def make_table(asked: Asked) -> tuple[Table, list[str]]:
    """Make a table.

    Returns:
        the table, and lines on records that are left out of it.

    Raises:
        UsageError: where there is no table of that name, or what is asked for does not fit together.
        DataError: where there are no records to show.
    """
    _check(asked)
    load_families(asked.plugins)
    if asked.name in papers():
        return _of_paper(asked), []
    if asked.name == SALIENCY:
        return saliency_table(find_records(asked.results), asked.protocol)
    if asked.name == SPEED:
        return speed_table(find_records(asked.results)), []
    dataset = load_dataset(asked.name, asked.plugins)
    split = None if asked.split is None else split_of(dataset, asked.split)
    if asked.by is not None:
        return _taken_apart(asked, dataset, asked.by, split)
    return _ranked(asked, dataset, split)


def names(plugins: tuple[Path, ...] = ()) -> list[str]:
    """The names of all tables."""
    return [*find(DATASETS, plugins), *papers(), SALIENCY, SPEED]


def _check(asked: Asked) -> None:
    known = names(asked.plugins)
    if asked.name not in known:
        raise UsageError(f'there is no dataset or table "{asked.name}"; {suggest(asked.name, known)}')
    fixed = asked.name in {*papers(), SALIENCY, SPEED}
    wrong = {
        "--by": fixed and asked.by,
        "--split": fixed and asked.split,
        "--protocol": asked.name in {*papers(), SPEED} and asked.protocol,
        "--published": asked.name in {SALIENCY, SPEED} and asked.published,
        "--diff": asked.name in {SALIENCY, SPEED} and asked.diff,
        "--sort": asked.name in {SALIENCY, SPEED} and asked.sort,
    }
    for option, given in wrong.items():
        if given:
            raise UsageError(f'the table "{asked.name}" does not take {option}; datasets do')
    if asked.measure and not asked.by:
        raise UsageError("--measure says what --by shows; give --by, or --sort to rank")
    if asked.by and asked.diff:
        raise UsageError("--diff does not go with --by; vosbench table f2net-4 --diff shows differences by category")
    if asked.by in {"attribute", "video"} and asked.published:
        raise UsageError(f"no number by {asked.by} is published; --published goes with --by category")


def _of_paper(asked: Asked) -> Table:
    wanted = asked.measured or asked.diff
    if wanted and not asked.results.is_dir():
        raise DataError(f'there is no folder "{asked.results}" of records; make some with vosbench score --out')
    beside = Beside(measured=wanted or not asked.published, diff=asked.diff, sort=asked.sort)
    return paper_table(asked.name, find_records(asked.results) if beside.measured else (), beside)


def _taken_apart(asked: Asked, dataset: Dataset, by: By, split: str | None) -> tuple[Table, list[str]]:
    numbers = [each for each in published() if each.dataset == dataset.name] if asked.published else []
    view = View(by=by, measure=asked.measure, sort=asked.sort)
    return grouped(_records(asked, dataset, split), dataset, view, numbers)


def _ranked(asked: Asked, dataset: Dataset, split: str | None) -> tuple[Table, list[str]]:
    records = _records(asked, dataset, split)
    place = split or (records[0].split if records else dataset.splits[0])
    measured = {canonical(each.method, each.provenance.options) for each in records}
    ablations = {each.source for each in papers().values() if each.ablation}
    numbers = [
        each
        for each in published()
        if (each.dataset, each.split) == (dataset.name, place) and each.source not in ablations
        if asked.published or (asked.diff and each.method in measured)
    ]
    if records:
        return leaderboard(records, numbers=numbers, sort=asked.sort, diff=asked.diff)
    protocols = {each.name: each for each in dataset.protocols}
    name = asked.protocol or dataset.protocols[0].name
    if name not in protocols:
        raise UsageError(f'{dataset.name} has no protocol "{name}"; {suggest(name, list(protocols))}')
    return published_leaderboard(numbers, protocols[name], sort=asked.sort), []


def _records(asked: Asked, dataset: Dataset, split: str | None) -> list[Record]:
    """The dataset's records; there may be none where published numbers are shown and measured ones not asked for."""
    if asked.published and not asked.measured and not asked.diff:
        return find_records(asked.results, dataset.name, asked.protocol, split)
    return read_records(asked.results, dataset.name, asked.protocol, split)
