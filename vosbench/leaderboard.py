"""Leaderboards: records in, a table out."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from vosbench import record
from vosbench.errors import DataError
from vosbench.record import Record
from vosbench.tables import Cell, Table

HEADINGS = {
    "J_mean": "J mean",
    "J_recall": "J recall",
    "J_decay": "J decay",
    "F_mean": "F mean",
    "F_recall": "F recall",
    "F_decay": "F decay",
    "T_mean": "T",
    "T_all_mean": "T all",
    "JF_mean": "J&F",
    "OB_precision": "P",
    "OB_recall": "R",
    "OB_F": "F",
    "OB_extracted": "objects",
}


def scores_table(shown: Record) -> Table:
    """The table of one record: the dataset's line, and a line per video where the dataset's is incomplete."""
    keys = list(shown.scores)
    rows: list[tuple[Cell, ...]] = [_row(shown.method, shown.scores, keys)]
    if shown.missing:
        rows += [_row(f"  {name}", scores, keys) for name, scores in shown.videos.items()]
    notes = [f"{shown.dataset} {shown.split}, {shown.signature}"]
    if shown.shortcomings:
        notes.append(f"not for a leaderboard: {', '.join(shown.shortcomings)}")
    return Table(columns=("method", *_headings(keys)), rows=rows, notes=tuple(notes))


def leaderboard(records: Sequence[Record]) -> tuple[Table, list[str]]:
    """Compare records of one dataset, split and protocol, best J&F (or first score) first.

    Returns:
        the table, and for each record that cannot stand in it a line that says why.

    Raises:
        DataError: where none can stand in it, or their signatures differ.
    """
    left_out = [f'"{each.method}" is left out: {", ".join(each.shortcomings)}' for each in records if each.shortcomings]
    fit = [each for each in records if not each.shortcomings]
    if not fit:
        reason = f" ({'; '.join(left_out)})" if left_out else ""
        raise DataError(f"no record can stand in a leaderboard{reason}; see: vosbench run, vosbench score")
    signatures = sorted({each.signature.rpartition("|vosbench ")[0] for each in fit})
    if len(signatures) > 1:
        raise DataError(f"these records were not taken alike: {' and '.join(signatures)}; choose one with --protocol")
    key = "JF_mean" if "JF_mean" in fit[0].scores else next(iter(fit[0].scores))
    fit.sort(key=lambda each: (-(each.scores[key] or 0.0), each.method))
    keys = list(fit[0].scores)
    rows = [_row(each.method, each.scores, keys) for each in fit]
    notes = (f"{fit[0].dataset} {fit[0].split}, {signatures[0]}",)
    return Table(columns=("method", *_headings(keys)), rows=rows, notes=notes), left_out


def read_records(folder: Path, dataset: str, protocol: str | None = None, split: str | None = None) -> list[Record]:
    """Read the records of a dataset below a results folder, sorted by file name.

    Raises:
        DataError: where there are none, or a file is no record.
    """
    found = [record.read(path) for path in sorted((folder / dataset).glob("*.json"))]
    chosen = [
        each
        for each in found
        if (protocol is None or each.protocol.partition("@")[0] == protocol) and (split is None or each.split == split)
    ]
    if not chosen:
        raise DataError(
            f'"{folder / dataset}" holds no such record; make some with vosbench run, or vosbench score --out'
        )
    return chosen


def _headings(keys: Sequence[str]) -> list[str]:
    return [HEADINGS.get(key, key) for key in keys]


def _row(name: str, scores: Mapping[str, float | None], keys: Sequence[str]) -> tuple[Cell, ...]:
    """A line; what a video has no score of, such as a mean over all videos, stays open."""
    return (name, *(scores.get(key) for key in keys))
