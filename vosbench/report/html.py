"""Tables in HTML, for notebooks and pages."""

import html
from collections.abc import Sequence

from vosbench.report import escape
from vosbench.report.table import Mark, Table, alignment, texts

MARKS: dict[Mark, str] = {"": "{}", "best": "<b>{}</b>", "second": "<u>{}</u>"}


def to_html(table: Table) -> str:
    """A table as an element, with its notes beneath it.

    >>> to_html(Table(columns=("a",), rows=[(1.5,)], caption="A & B"))[:34]
    '<table><caption>A &amp; B</caption'
    """
    columns, rows = texts(table, _escape, MARKS)
    sides = alignment(table)

    def line(cells: Sequence[str], tag: str) -> str:
        styled = zip(cells, sides, strict=True)
        return "".join(f'<{tag} style="text-align:{side}">{cell}</{tag}>' for cell, side in styled)

    caption = f"<caption>{_escape(table.caption)}</caption>" if table.caption else ""
    head = f"<thead><tr>{line(columns, 'th')}</tr></thead>"
    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    notes = "<br>".join(map(_escape, table.notes))
    return f"<table>{caption}{head}<tbody>{body}</tbody></table><p>{notes}</p>"


def _escape(text: str) -> str:
    return html.escape(escape.terminal(text))
