"""The tables of the AD-Net and F2Net papers, as printed, next to measured numbers.

Numbers are in the paper's units. Measured ones are rounded like the printed ones; a difference, measured − published,
is taken before rounding and has one more decimal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from vosbench.errors import DataError
from vosbench.records.published import FOLDER, published, sources
from vosbench.records.record import Record, signature
from vosbench.report.paper_grid import Grid, grid, ordered
from vosbench.report.paper_table import PaperView, counterparts, largest_difference, lay_out
from vosbench.report.printed import STATED
from vosbench.report.table import Table


class Paper(BaseModel):
    """A table of a paper.

    Attributes:
        source: the paper and the table's number, as in `vosbench.records.published.sources`.
        about: what it shows.
        protocols: dataset → protocol of the measured numbers.
        across: whether methods are columns, as wide tables print them.
        reference: the method from which the table's own differences are taken.
        notes: what readers should know.
        only: labels of the methods to show; if empty, all.
        within_groups: whether numbers compete only within the table's groups.
        ablation: whether its lines are parts of one method, which leaderboards leave out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    about: str
    protocols: Mapping[str, str]
    across: bool = False
    reference: str = ""
    notes: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    within_groups: bool = False
    ablation: bool = False


@cache
def papers() -> Mapping[str, Paper]:
    """Every table by name, as defined in ``results/published/papers.yaml``.

    Raises:
        DataError: if the file does not define tables.
    """
    path = FOLDER / "papers.yaml"
    try:
        defined = yaml.safe_load(path.read_text("utf-8"))
        return {name: Paper.model_validate(fields) for name, fields in defined.items()}
    except (OSError, AttributeError, yaml.YAMLError, ValidationError) as error:
        raise DataError(f'"{path}" does not define the papers\' tables: {error}') from None


def paper_table(name: str, records: Sequence[Record], view: PaperView) -> Table:
    """Lay out one of `papers` next to measured numbers.

    Args:
        name: the table's name, such as ``"f2net-3"``.
        records: any records; those under its protocols are used, and notes name the others of its datasets.
        view: what to show.

    Raises:
        UsageError: if the measure to sort by, or a method, is not in the table.
        DataError: if the published numbers are invalid, no method is left, or a record cannot join.
    """
    paper = papers()[name]
    printed = _printed(name, view.task).joined(view.own, paper.protocols, paper.reference)
    if view.methods:
        printed = printed.only(view.methods)
    if view.sort is not None:
        printed = ordered(printed, view.sort)
    measured = counterparts(records if view.measured else (), paper.protocols, printed.lines, paper.reference)
    origin = f"published: {sources()[paper.source]}; results/published/{name}.csv"
    stated = dict.fromkeys(number.protocol or STATED for number in published(name))
    protocols = f"protocol of published numbers: {', '.join(stated)}"
    own = [f'"{record.method}" is a record of {record.place}, {signature(record)}' for record in view.own]
    notes = (paper.about, origin, protocols, *paper.notes, *own)
    return lay_out(printed, measured, replace(view, within_groups=paper.within_groups), notes, across=paper.across)


def worst(name: str, records: Sequence[Record]) -> float | None:
    """The largest difference between a number of the table and its measured counterpart, in the table's units.

    None if nothing was measured.
    """
    paper = papers()[name]
    printed = _printed(name)
    largest = largest_difference(printed, counterparts(records, paper.protocols, printed.lines, paper.reference))
    return None if largest is None else abs(largest[0])


def _printed(name: str, task: str | None = None) -> Grid:
    only = papers()[name].only
    numbers = [number for number in published(name) if not only or number.label in only]
    found = [number for number in numbers if task is None or number.task == task]
    if not found:
        raise DataError(f'the table "{name}" has no methods of the task {task}')
    return grid(found)
