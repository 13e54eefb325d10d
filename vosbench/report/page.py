"""The results page: every record of this repository, next to the published numbers, as Markdown."""

from collections.abc import Sequence
from pathlib import Path

from vosbench.dataset.protocol import SALIENCY
from vosbench.errors import DataError
from vosbench.records.record import Record, signature
from vosbench.records.store import Warn, find_records, read_all
from vosbench.report.escape import markdown
from vosbench.report.leaderboard import leaderboard
from vosbench.report.overview import saliency_table, speed_table
from vosbench.report.paper_table import PaperView
from vosbench.report.papers import paper_table, papers
from vosbench.report.style import without_blanks
from vosbench.report.table import render

HEAD = """\
<!-- Written by `vosbench table readme > results/README.md`; do not edit. A test fails if it is out of date. -->
# Results

Each dataset has a folder of records, which `vosbench table DATASET` reads; `baselines` has the records that
`vosbench check` compares against. `vosbench table NAME` prints each table below. See [published](published/README.md)
for the published numbers, their sources and contradictions, [benchmarks](benchmarks.md) for speed compared with other
tools, [ablations](ablations.md) for both papers' ablations with small networks on drawn videos and
[ablations on real video](ablations-lite.md) for those of the lite networks, and [resolutions](resolutions.md) for
accuracy and speed by size and test-time options. The best number of a line is bold and the second best underlined; –
means unknown.

The `tiny` networks were trained on synthetic videos only, **without ImageNet or DAVIS**: their scores on DAVIS show how
little synthetic videos teach about real ones, and say nothing about the methods. The `lite` networks are small ones for
real video on a CPU, trained on a few real videos and photographs, **none of DAVIS-2016 val**, from an encoder with
ImageNet weights. Neither networks nor training are the papers', so their rows do not reproduce the papers' numbers.
"""


def results_page(folder: Path, warn: Warn = lambda _: None) -> str:
    """Make the page from the records below a folder and the published numbers.

    Args:
        folder: the results folder.
        warn: called with a line for each file that cannot be read as a record.
    """
    records = [*find_records(folder, warn=warn), *read_all(folder / "baselines", warn)]
    parts = [HEAD, *_leaderboards(records)]
    names = {protocol.name for protocol in SALIENCY}
    saliency = [record for record in records if not record.shortcomings and record.protocol.partition("@")[0] in names]
    if saliency:
        parts += ["## Saliency over all datasets\n", _saliency(saliency)]
    if any(record.speed for record in records):
        parts += ["## Speed\n", render(speed_table(records), "md")]
    parts.append("## Published tables with measured results\n")
    view = PaperView(diff=True)
    for name in sorted(papers(), key=lambda name: name != "davis-leaderboard"):  # the leaderboard first
        parts += [
            f"### `vosbench table {name} --diff`\n",
            render(without_blanks(paper_table(name, records, view)), "md"),
        ]
    return "\n".join(parts)


def _leaderboards(records: Sequence[Record]) -> list[str]:
    """A section for each dataset, split and signature, and one for the records that are left out."""
    if not records:
        return ["No records yet: `vosbench run` and `vosbench score --out results` write them.\n"]
    boards: dict[str, list[Record]] = {}
    for record in records:
        if not record.shortcomings:
            place = f"{record.dataset} {record.split}, {record.protocol} {signature(record)}"
            boards.setdefault(place, []).append(record)
    parts = []
    for place, own in boards.items():
        parts += [f"## {markdown(place.rpartition(' ')[0])}\n", render(leaderboard(own)[0], "md")]
    short = [record for record in records if record.shortcomings]
    lines = [f'"{record.name}" on {record.dataset}: {", ".join(record.shortcomings)}' for record in short]
    return [*parts, "## Left out\n", "".join(f"* {markdown(line)}\n" for line in lines)] if lines else parts


def _saliency(records: Sequence[Record]) -> str:
    """The table, or why it cannot be made: records of one dataset may have different measures."""
    try:
        return render(saliency_table(records)[0], "md")
    except DataError as error:
        return f"This table cannot be made: {markdown(str(error))}.\n"
