"""The page of results: every record of this repository, and the published numbers beside them, as Markdown."""

from collections.abc import Sequence
from pathlib import Path

from vosbench.dataset.protocol import SALIENCY
from vosbench.errors import DataError
from vosbench.records import record
from vosbench.records.record import Record, signature
from vosbench.records.store import find_records
from vosbench.report.leaderboard import leaderboard
from vosbench.report.overview import saliency_table, speed_table
from vosbench.report.paper_table import Beside
from vosbench.report.papers import paper_table, papers
from vosbench.report.table import render

HEAD = """\
<!-- Written by `vosbench table readme > results/README.md`; do not edit. A test fails where it is out of date. -->
# Results

Records of this repository lie in a folder for each dataset, where `vosbench table DATASET` finds them; those that a
change is held against by `vosbench check` are in `baselines`. Each table below is shown by its name. Published numbers,
their sources and where these contradict themselves: [published](published/README.md). How fast scoring is beside its
peers: [benchmarks](benchmarks.md). Both papers' ablations with small networks: [ablations](ablations.md). The best
number of a line is bold, the second underlined; – is not known.

The `tiny` networks were trained on drawn videos alone, **without ImageNet or DAVIS**: what they score on DAVIS says how
little drawn videos teach about real ones, and nothing about the methods.
"""


def results_page(folder: Path) -> str:
    """The page, from the records below a folder and the published numbers.

    Raises:
        DataError: where a file below the folder is no record.
    """
    baselines = sorted((folder / "baselines").glob("*.json"))
    records = [*find_records(folder), *(record.read(path) for path in baselines)]
    parts = [HEAD, *_leaderboards(records)]
    saliency = [each for each in records if not each.shortcomings and each.protocol.partition("@")[0] in _names()]
    if saliency:
        parts += ["## Saliency over all datasets\n", _saliency(saliency)]
    if any(each.speed for each in records):
        parts += ["## Speed\n", render(speed_table(records), "md")]
    parts.append("## Published tables, and what was measured beside them\n")
    for name in ("davis-leaderboard", *(each for each in papers() if each != "davis-leaderboard")):
        parts += [f"### `vosbench table {name} --diff`\n", render(paper_table(name, records, Beside(diff=True)), "md")]
    return "\n".join(parts)


def _leaderboards(records: Sequence[Record]) -> list[str]:
    """A section for each dataset, split and signature, and one for what can stand in none."""
    if not records:
        return ["There is no record here yet: `vosbench run` and `vosbench score --out results` write them.\n"]
    boards: dict[str, list[Record]] = {}
    for each in records:
        if not each.shortcomings:
            boards.setdefault(f"{each.dataset} {each.split}, {each.protocol} {signature(each)}", []).append(each)
    parts = []
    for place, own in boards.items():
        parts += [f"## {place.rpartition(' ')[0]}\n", render(leaderboard(own)[0], "md")]
    lines = [
        f'* "{each.method}" on {each.dataset}: {", ".join(each.shortcomings)}\n'
        for each in records
        if each.shortcomings
    ]
    return [*parts, "## Left out\n", "".join(lines)] if lines else parts


def _saliency(records: Sequence[Record]) -> str:
    """The table, or why there is none: records of one dataset may take different measures."""
    try:
        return render(saliency_table(records)[0], "md")
    except DataError as error:
        return f"There is no such table: {error}.\n"


def _names() -> set[str]:
    return {each.name for each in SALIENCY}
