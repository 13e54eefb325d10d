r"""Tables in LaTeX, as papers print them.

Conventions:
    A ``tabular`` for ``\usepackage{booktabs}``, in a ``table`` if there is a caption or a label. Measures are written
    as :math:`\mathcal{J}`, datasets stand above their columns, and the parts of a table have a line each. Columns that
    say the same of every row become a comment. The type is smaller if the table would not fit 345 pt, the width of
    the text of ``article``; if no type fits, the table is scaled, which needs ``\usepackage{graphicx}``.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import TypeVar

from vosbench.metrics.measures import measure_of
from vosbench.report import escape
from vosbench.report.printed import BETWEEN
from vosbench.report.table import Mark, Table, alignment, texts

Item = TypeVar("Item")
MARKS: dict[Mark, str] = {"": "{}", "best": r"\textbf{{{}}}", "second": r"\underline{{{}}}"}
PLAIN: dict[Mark, str] = {"": "{}", "best": "{}", "second": "{}"}
WIDTH = 345.0
SIZES = (("", 1.0, 6.0), (r"\small", 0.925, 4.0), (r"\footnotesize", 0.85, 3.0), (r"\scriptsize", 0.8, 2.0))
"""Type sizes with the width of their letters relative to 10 pt, and the space on both sides of a column in points."""
SECTIONS = ("group", "task")
"""Columns that become lines between the parts of a table."""
SYMBOLS = {"J": r"$\mathcal{J}$", "F": r"$\mathcal{F}$", "T": r"$\mathcal{T}$", "JF": r"$\mathcal{J}$\&$\mathcal{F}$"}
STATISTICS = ("mean", "recall", "decay", "all_mean")


def to_latex(table: Table) -> str:
    r"""A table in LaTeX; the notes are comments.

    >>> line = Table(columns=("method", "J mean"), rows=[("a", 0.5)], keys=("", "J_mean"), better=("", "higher"))
    >>> print(to_latex(line).splitlines()[2])
    method & $\mathcal{J}$ mean $\uparrow$ \\
    """
    notes = list(table.notes)
    table = _shortened(table)
    table, constant = _without_constants(table)
    notes += [f"{heading}: {value}" for heading, value in constant]
    section = _section(table)
    columns, rows = texts(_under(table), escape.latex, MARKS, _name, minus="−")
    columns = [columns[0], *map(_stacked, columns[1:])] if table.across else columns
    sides, over = alignment(table), list(table.over or ("",) * len(table.columns))
    parts = [""] * len(rows)
    if section is not None:
        parts = [str(row[section]) for row in table.rows]
        columns, sides, over = (_without(line, section) for line in (columns, sides, over))
        rows = [_without(row, section) for row in rows]
    body = _tabular(columns, rows, sides, over, parts)
    before, after = _fitting(table, section)
    comments = "".join(f"% {escape.latex_comment(note)}\n" for note in notes)
    if not (table.caption or table.label):
        body = f"{{{before}\n{body}{after}}}\n" if before else body
        return body + (f"\n{comments}" if comments else "")
    lines = [r"\begin{table}[t]", r"\centering", *([f"\\caption{{{table.caption}}}"] if table.caption else [])]
    lines += [f"\\label{{{table.label}}}"] if table.label else []
    lines += [before] if before else []
    return "\n".join(lines) + f"\n{body}{after}" + ("\n" if after else "") + f"\\end{{table}}\n{comments}"


def _tabular(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    sides: Sequence[str],
    over: Sequence[str],
    parts: Sequence[str],
) -> str:
    """The ``tabular``; a part's name stands above its rows."""
    form = "".join(side[0] for side in sides)
    lines = [f"\\begin{{tabular}}{{{form}}}", r"\toprule"]
    if any(over):
        lines += _spans(over)
    lines.append(_line(columns))
    for part, members in groupby(zip(parts, rows, strict=True), key=lambda member: member[0]):
        lines.append(r"\midrule")
        if part:
            lines.append(f"\\multicolumn{{{len(columns)}}}{{l}}{{\\emph{{{escape.latex(part)}}}}} \\\\")
        lines += [_line(row) for _, row in members]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _line(cells: Sequence[str]) -> str:
    # LaTeX would read a bracket after \\ as its optional argument.
    return " & ".join(f"{{}}{cell}" if cell.startswith("[") else cell for cell in cells) + r" \\"


def _spans(over: Sequence[str]) -> list[str]:
    """The line above the headings, and the rules below its words."""
    cells, rules, at = [], [], 1
    for word, members in groupby(over):
        count = len(list(members))
        if word:
            cells.append(f"\\multicolumn{{{count}}}{{c}}{{{escape.latex(word)}}}")
            rules.append(f"\\cmidrule(lr){{{at}-{at + count - 1}}}")
        else:
            cells += [""] * count
        at += count
    return [_line(cells), " ".join(rules)]


def _under(table: Table) -> Table:
    """The table with headings that do not repeat what stands above them."""
    over = table.over or ("",) * len(table.columns)
    pairs = zip(table.columns, over, strict=True)
    return replace(table, columns=tuple(name.removeprefix(f"{above} ") if above else name for name, above in pairs))


def _name(text: str, key: str) -> str:
    """A heading with its measure as papers write it."""
    heading = measure_of(key).heading
    symbol, _, statistic = key.removeprefix("delta_").partition("_")
    if symbol not in SYMBOLS or statistic not in STATISTICS or heading not in text:
        return escape.latex(text)
    before, _, after = text.rpartition(heading)
    written = SYMBOLS[symbol]
    if key.startswith("delta_"):
        written = written.replace(r"$\mathcal", r"$\Delta\mathcal")
    elif " " in heading:
        written += f" {statistic.removesuffix('_mean').replace('_', ' ')}"
    return escape.latex(before) + written + escape.latex(after)


def _without_constants(table: Table) -> tuple[Table, list[tuple[str, str]]]:
    """The table without the columns that say the same of every row, which papers do not print, and these."""
    constant = [
        at for at in range(1, table.labels) if len({row[at] for row in table.rows}) == 1 and len(table.rows) > 1
    ]
    said = [(table.columns[at], str(table.rows[0][at])) for at in constant]
    for at in reversed(constant):
        table = replace(
            table,
            columns=tuple(_without(table.columns, at)),
            rows=[tuple(_without(row, at)) for row in table.rows],
            better=table.better if table.across else tuple(_without(table.better, at)),
            keys=table.keys if table.across else tuple(_without(table.keys, at)),
            over=tuple(_without(table.over, at)),
            labels=table.labels - 1,
        )
    return table, said


def _shortened(table: Table) -> Table:
    """The table with the first of several sources in each line."""
    rows = []
    for row in table.rows:
        first, *more = str(row[1]).split(BETWEEN) if table.columns[1:2] == ("from",) else [""]
        rows.append((row[0], f"{first} and {len(more)} more", *row[2:]) if more else row)
    return replace(table, rows=rows)


def _section(table: Table) -> int | None:
    """The column whose values become lines, if each of them has its rows together."""
    for at in range(1, table.labels):
        values = [row[at] for row in table.rows]
        if table.columns[at] in SECTIONS and len(list(groupby(values))) == len(set(values)):
            return at
    return None


def _fitting(table: Table, section: int | None) -> tuple[str, str]:
    """What stands before and after the table, so that it fits the text."""
    columns, rows = texts(_under(table), str, PLAIN)
    parts = [heading.replace(" (", "\n(").split("\n") if table.across else [heading] for heading in columns]
    lines = [[max(part, key=_letters) for part in parts], *rows]
    widths = [max(_letters(line[at]) for line in lines) for at in range(len(columns)) if at != section]
    for size, scale, space in SIZES:
        if sum(widths) * scale + 2 * space * len(widths) <= WIDTH:
            return (f"{size}\\setlength{{\\tabcolsep}}{{{space:.0f}pt}}" if size else ""), ""
    return r"\resizebox{\linewidth}{!}{%", "}"


def _stacked(heading: str) -> str:
    r"""A heading whose source in parentheses stands beneath it.

    >>> _stacked("PDB (F2Net)"), _stacked("PDB")
    ('\\shortstack{PDB\\\\(F2Net)}', 'PDB')
    """
    method, _, source = heading.partition(" (")
    return rf"\shortstack{{{method}\\({source}}}" if source else heading


def _letters(text: str) -> float:
    """About the width of a text in points, in bold type of 10 pt.

    >>> round(_letters("81.7")), round(_letters("FSEG"))
    (20, 30)
    """
    return sum(7.5 if sign.isupper() else 2.9 if sign in ".,:;'()[] " else 5.75 for sign in text)


def _without(line: Sequence[Item], at: int) -> list[Item]:
    return [cell for index, cell in enumerate(line) if index != at]
