"""The tables of the AD-Net and the F2Net paper: as printed, with what was measured beside.

Numbers stand in the paper's units. Measured ones are rounded like the printed ones beside them; a difference,
measured − published, is taken before rounding and has a decimal more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from vosbench.errors import DataError
from vosbench.records.published import FOLDER, published, sources
from vosbench.records.record import Record
from vosbench.report.leaderboard import STATED
from vosbench.report.paper_table import Beside, Grid, counterparts, grid, largest_difference, lay_out, ordered
from vosbench.report.table import Table


class Paper(BaseModel):
    """A table of a paper.

    Attributes:
        source: the paper and the table's number, as in `vosbench.records.published.sources`.
        about: what it shows.
        protocols: dataset → the protocol that measured numbers are of.
        across: whether methods are columns, as they are printed in wide tables.
        reference: the method that the table's own differences are taken from.
        notes: what readers should know.
        only: the labels of the methods that are shown; all where empty.
        apart: whether numbers compete only within the table's groups.
        ablation: whether its lines are parts of one method, which stand in no leaderboard.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    about: str
    protocols: Mapping[str, str]
    across: bool = False
    reference: str = ""
    notes: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    apart: bool = False
    ablation: bool = False


@cache
def papers() -> Mapping[str, Paper]:
    """Every table by its name, as ``results/published/papers.yaml`` defines it.

    Raises:
        DataError: if the file does not define tables.
    """
    path = FOLDER / "papers.yaml"
    try:
        defined = yaml.safe_load(path.read_text("utf-8"))
        return {name: Paper.model_validate(fields) for name, fields in defined.items()}
    except (OSError, AttributeError, yaml.YAMLError, ValidationError) as error:
        raise DataError(f'"{path}" does not define the papers\' tables: {error}') from None


def paper_table(name: str, records: Sequence[Record], beside: Beside) -> Table:
    """One of `papers`, with what was measured beside.

    Args:
        name: of the table, such as ``"f2net-3"``.
        records: any; those of its datasets and protocols are used, the others of its datasets named in the notes.
        beside: what is shown.

    Raises:
        UsageError: where the measure that orders is not in the table.
        DataError: where published numbers are not what they should be.
    """
    paper = papers()[name]
    printed = _printed(name)
    if beside.sort is not None:
        printed = ordered(printed, beside.sort)
    found = counterparts(records if beside.measured else (), paper.protocols, printed.lines, paper.reference)
    origin = f"published: {sources()[paper.source]}; results/published/{name}.csv"
    stated = dict.fromkeys(each.protocol or STATED for each in published(name))
    protocols = f"protocol of published numbers: {', '.join(stated)}"
    notes = (paper.about, origin, protocols, *paper.notes)
    return lay_out(printed, found, replace(beside, apart=paper.apart), notes, across=paper.across)


def worst(name: str, records: Sequence[Record]) -> float | None:
    """The largest difference between a number of the table and its measured counterpart, in the table's units.

    None where nothing was measured.
    """
    paper = papers()[name]
    printed = _printed(name)
    found = largest_difference(printed, counterparts(records, paper.protocols, printed.lines, paper.reference))
    return None if found is None else abs(found[0])


def _printed(name: str) -> Grid:
    only = papers()[name].only
    return grid([each for each in published(name) if not only or each.label in only])
