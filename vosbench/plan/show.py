"""A plan as tables: its methods by its datasets, or a line for every record."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vosbench.errors import DataError, counted
from vosbench.metrics.measures import Better, measure_of
from vosbench.plan.progress import Progress
from vosbench.records import record as records
from vosbench.records.record import Record
from vosbench.report.table import Cell, Table

MOST = 12
"""Reasons that are listed below the table of methods by datasets."""
ORDER = ("done", "failed", "changed", "running", "begun", "to do", "not here", "invalid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An entry, in words.

    Attributes:
        method: its label.
        dataset: its label.
        state: how far it is, in a word or two.
        cell: its first score if it is done, else how far it is.
        score: the name of that score; ``""`` if there is none.
        reason: why it is not done, if that needs saying; otherwise ``""``.
        kind: the word that is counted.
        record: path of its record; ``""`` if there is none.
    """

    method: str
    dataset: str
    state: str
    cell: Cell
    score: str
    reason: str
    kind: str
    record: str = ""


def line(each: Progress, error: str = "", held: str = "") -> Line:
    """Describe an entry.

    Args:
        each: its progress.
        error: what went wrong just now, if anything did.
        held: who else was working on it.
    """
    entry, known = each.entry, each.known
    record = _record(each)
    state, reason = _words(each)
    score, cell = next(iter(record.scores.items())) if record is not None and record.scores else ("", None)
    if error and not reason:
        state, reason = "failed", error
    elif held:
        state, reason = "in use", f"in use by {held}"
    finished = each.kind == "done" and not error and not held and cell is not None
    kind = state if state in {"in use", "failed"} else each.kind
    return Line(
        method=entry.method.label,
        dataset=entry.dataset.label,
        state=state,
        cell=cell if finished else state,
        score=score if known is not None else "",
        reason=reason,
        kind=kind,
        record="" if record is None or known is None else str(entry.place / str(known.record)),
    )


def _record(each: Progress) -> Record | None:
    if each.kind not in {"done", "failed"} or each.known is None or each.known.record is None:
        return None
    try:
        return records.read(each.entry.place / each.known.record)
    except DataError:
        return None


def _words(each: Progress) -> tuple[str, str]:
    known = each.known
    if each.kind == "failed" and known is not None:
        if known.ended is not None:
            return "failed", known.ended.message
        first = next(iter(known.failed.values()))
        more = f" (and {counted(len(known.failed) - 1, 'more video')})" if len(known.failed) > 1 else ""
        of = "" if each.total is None else f" of {each.total}"
        return f"{len(known.failed)}{of} failed", first + more
    if each.kind == "changed":
        return "changed", f"changed since: {', '.join(each.changes)}"
    if each.kind in {"running", "begun"} and each.videos is not None:
        word = "running " if each.kind == "running" else ""
        return f"{word}{each.videos} of {each.total}", f"run by {each.holder}" if each.holder else ""
    if each.kind in {"not here", "invalid"} and each.entry.problem is not None:
        return each.kind, str(each.entry.problem)
    return each.kind, ""


def grid(lines: Sequence[Line], notes: Sequence[str] = ()) -> Table:
    """Methods by datasets: first scores, or how far each is; what the plan leaves out is a dash."""
    methods, datasets = (list(dict.fromkeys(getattr(each, name) for each in lines)) for name in ("method", "dataset"))
    cells: Mapping[tuple[str, str], Cell] = {(each.method, each.dataset): each.cell for each in lines}
    scores = {each.dataset: each.score for each in lines if each.score}
    names = [f"{name} {measure_of(scores[name]).heading}" if name in scores else name for name in datasets]
    ways: list[Better] = [measure_of(scores[name]).better if name in scores else "" for name in datasets]
    return Table(
        columns=("method", *names),
        rows=[(method, *(cells.get((method, dataset)) for dataset in datasets)) for method in methods],
        notes=(count(lines), *_reasons(lines), *notes),
        better=("", *ways),
    )


def count(lines: Sequence[Line]) -> str:
    """How many records are how far.

    >>> count([Line(method="a", dataset="b", state="done", cell=None, score="", reason="", kind="done")])
    '1 record: 1 done'
    """
    numbers = Counter(each.kind for each in lines)
    kinds = [*ORDER, *(kind for kind in numbers if kind not in ORDER)]
    return f"{counted(len(lines), 'record')}: {', '.join(f'{numbers[kind]} {kind}' for kind in kinds if numbers[kind])}"


def _reasons(lines: Sequence[Line]) -> list[str]:
    """The reasons, each once: a missing dataset is one for all methods."""
    found: dict[tuple[str, str], list[Line]] = {}
    for each in lines:
        if each.reason:
            found.setdefault((each.kind, each.reason), []).append(each)
    said = []
    for (kind, reason), those in found.items():
        places = {each.dataset for each in those}
        where = f"{those[0].method} on {those[0].dataset}"
        more = f" and {len(those) - 1} more" if len(those) > 1 else ""
        if kind == "invalid":
            said.append(reason)
        elif kind == "not here" and len(places) == 1:
            said.append(f"{those[0].dataset}: {reason}")
        else:
            said.append(f"{where}{more}: {reason}")
    rest = len(said) - MOST
    return [*said[:MOST], f"… and {rest} more; --long shows all"] if rest > 0 else said


def long(lines: Sequence[Line], notes: Sequence[str] = ()) -> Table:
    """A line for every record."""
    rows = [
        (
            *(each.method, each.dataset, each.state, each.score),
            *(each.cell if each.cell != each.state else None, each.reason, each.record),
        )
        for each in lines
    ]
    return Table(
        columns=("method", "dataset", "state", "score", "value", "reason", "record"),
        rows=rows,
        notes=(count(lines), *notes),
        labels=2,
    )
