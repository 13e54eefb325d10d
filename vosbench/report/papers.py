"""The tables of the AD-Net and the F2Net paper: as printed, with what was measured beside.

Numbers stand in the paper's units. Measured ones are rounded like the printed ones beside them; a difference,
measured − published, is taken before rounding and has a decimal more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from vosbench.records.published import LEADERBOARD, published, sources
from vosbench.records.record import Record
from vosbench.report.leaderboard import STATED
from vosbench.report.paper_table import Beside, Grid, counterparts, grid, largest_difference, lay_out, ordered
from vosbench.report.table import Table

ABLATIONS = frozenset({"AD-Net Table 1", "F2Net Table 1", "F2Net Table 2"})
"""Sources whose lines are parts of a method, and stand in no leaderboard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A table of a paper.

    Attributes:
        source: the paper and the table's number, as in `vosbench.records.published.sources`.
        about: what it shows.
        protocols: dataset → the protocol that measured numbers are of.
        across: whether methods are columns, as they are printed in wide tables.
        reference: the method that the table's own differences are taken from.
        notes: what readers should know.
        only: the labels of the methods that are shown; all where empty.
        apart: whether numbers compete within the table's groups alone.
    """

    source: str
    about: str
    protocols: Mapping[str, str]
    across: bool = False
    reference: str = ""
    notes: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    apart: bool = False


_DAVIS = {"davis16": "davis16"}
PAPERS: Mapping[str, Paper] = {
    "adnet-1": Paper(
        source="AD-Net Table 1",
        about="Ablation on DAVIS-2016: parts of AD-Net, one scale, no pruning",
        protocols=_DAVIS,
        reference="AD-Net: baseline",
        notes=("Δ is the difference from the baseline",),
    ),
    "adnet-2": Paper(
        source="AD-Net Table 2",
        about="AD-Net and others on DAVIS-2016 and FBMS",
        protocols=_DAVIS | {"fbms": "fbms-seqmean"},
        apart=True,
        notes=("F-measure on FBMS: its protocol is not stated, so that nothing measured stands beside it",),
    ),
    "adnet-3": Paper(
        source="AD-Net Table 3",
        about="Saliency on DAVIS-2016, FBMS and ViSal",
        protocols=dict.fromkeys(("davis16", "fbms", "visal"), "adnet-saliency"),
        notes=("maxF is printed as F; the convention is known for AD-Net on DAVIS-2016 alone, from its script",),
    ),
    "f2net-1": Paper(
        source="F2Net Table 1",
        about="Ablation on DAVIS-2016: parts of F2Net",
        protocols=_DAVIS,
        reference="F2Net",
        notes=("Δ is the difference from the full model, the last line",),
    ),
    "f2net-2": Paper(
        source="F2Net Table 2", about="Ablation on DAVIS-2016: how F2Net selects the centre", protocols=_DAVIS
    ),
    "f2net-3": Paper(source="F2Net Table 3", about="F2Net and others on DAVIS-2016", protocols=_DAVIS, across=True),
    "f2net-4": Paper(
        source="F2Net Table 4",
        about="F2Net and others on YouTube-Objects, J by category",
        protocols={"ytobj": "ytobj-category"},
        across=True,
        notes=(
            "published category means are ours, of printed categories; of PDB and COS see results/published/README.md",
        ),
    ),
    "f2net-5": Paper(
        source="F2Net Table 5",
        about="F2Net and others on FBMS, J mean",
        protocols={"fbms": "fbms-seqmean"},
        notes=("the paper does not say which frames and which mean; measured numbers are of our default",),
    ),
    "davis-leaderboard": Paper(
        source=LEADERBOARD,
        about="The DAVIS-2016 leaderboard: eight submissions whose masks are public",
        protocols=_DAVIS,
        across=True,
        only=("ags", "andiff", "epo+", "fseg", "osvos", "pdb", "sfls", "tis"),
    ),
}


def paper_table(name: str, records: Sequence[Record], beside: Beside) -> Table:
    """One of `PAPERS`, with what was measured beside.

    Args:
        name: of the table, such as ``"f2net-3"``.
        records: any; those of its datasets and protocols are used, the others of its datasets named in the notes.
        beside: what is shown.

    Raises:
        UsageError: where the measure that orders is not in the table.
        DataError: where published numbers are not what they should be.
    """
    paper = PAPERS[name]
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
    paper = PAPERS[name]
    printed = _printed(name)
    found = largest_difference(printed, counterparts(records, paper.protocols, printed.lines, paper.reference))
    return None if found is None else abs(found[0])


def _printed(name: str) -> Grid:
    only = PAPERS[name].only
    return grid([each for each in published(name) if not only or each.label in only])
