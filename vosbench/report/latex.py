"""Tables in LaTeX, with booktabs."""

from collections.abc import Sequence


def tabular(columns: Sequence[str], rows: Sequence[Sequence[str]], alignment: Sequence[str]) -> str:
    r"""Write a table.

    Args:
        columns: headings, already escaped.
        rows: cells, already escaped.
        alignment: ``"left"`` or ``"right"`` for each column.

    Returns:
        a ``tabular`` that needs ``\usepackage{booktabs}``, ending in a newline.
    """
    form = "".join(side[0] for side in alignment)
    lines = [f"\\begin{{tabular}}{{{form}}}", r"\toprule", _line(columns), r"\midrule"]
    lines += [_line(row) for row in rows]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _line(cells: Sequence[str]) -> str:
    # LaTeX would read a bracket after \\ as its optional argument.
    return " & ".join(f"{{}}{cell}" if cell.startswith("[") else cell for cell in cells) + r" \\"
