r"""LaTeX: escaping, and tables with booktabs."""

from collections.abc import Sequence

_SIGNS = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "\n": " ",
    "–": "--",
    "—": "---",
    "−": "$-$",
    "×": r"$\times$",
    "…": r"\dots{}",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "Δ": r"$\Delta$",
    "β": r"$\beta$",
    "²": r"$^2$",
    "⁹": r"$^9$",
}


def escape(text: str) -> str:
    r"""Escape text for LaTeX.

    Letters beyond Latin are written as their code points, since pdflatex's fonts do not have them.

    >>> escape("J&F ↑ of a_b, 5 %, 雪")
    'J\\&F $\\uparrow$ of a\\_b, 5 \\%, U+96EA'
    """
    return "".join(_SIGNS.get(sign) or (sign if sign < "\u0180" else f"U+{ord(sign):04X}") for sign in text)


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
