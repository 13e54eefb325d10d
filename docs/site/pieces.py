"""Small parts of Markdown."""

import inspect
from collections.abc import Sequence

Cells = Sequence[str]


def cell(text: str) -> str:
    """Text in a cell of a table."""
    return " ".join(text.replace("|", "\\|").split())


def table(columns: Cells, rows: Sequence[Cells]) -> str:
    """A Markdown table; cells are Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def plain(text: str) -> str:
    """A docstring's text as Markdown: reST's double backticks become single ones."""
    return inspect.cleandoc(text).replace("``", "`")
