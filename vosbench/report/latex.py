r"""LaTeX: text made safe for it, and tables with booktabs."""

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
    r"""Make text safe: what LaTeX reads as a command is written as a sign.

    Letters beyond Latin are named by their code, since the fonts of pdflatex do not have them.

    >>> escape("J&F ↑ of a_b, 5 %, 雪")
    'J\\&F $\\uparrow$ of a\\_b, 5 \\%, U+96EA'
    """
    return "".join(_SIGNS.get(sign) or (sign if sign < "\u0180" else f"U+{ord(sign):04X}") for sign in text)


def tabular(columns: Sequence[str], rows: Sequence[Sequence[str]], alignment: Sequence[str]) -> str:
    r"""Write a table.

    Args:
        columns: headings, safe.
        rows: cells, safe.
        alignment: ``"left"`` or ``"right"`` for every column.

    Returns:
        a ``tabular`` that asks for ``\usepackage{booktabs}``, ending in a newline.
    """
    form = "".join(each[0] for each in alignment)
    lines = [f"\\begin{{tabular}}{{{form}}}", r"\toprule", _line(columns), r"\midrule"]
    lines += [_line(row) for row in rows]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _line(cells: Sequence[str]) -> str:
    # A bracket after \\ would be read as its option.
    return " & ".join(f"{{}}{cell}" if cell.startswith("[") else cell for cell in cells) + r" \\"
