"""Results of the Python face, which convert to tables and data frames."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from vosbench.dataset import Dataset, Suite, SuiteEntry
from vosbench.dataset.selection import Selection
from vosbench.errors import DataError, VosbenchError, counted
from vosbench.evaluate.score import all_rows
from vosbench.evaluate.task import Scored
from vosbench.records import record as records
from vosbench.records import store
from vosbench.records.check import Finding, Verdict
from vosbench.records.compare import Effect
from vosbench.records.record import Record, Row
from vosbench.report import comparison
from vosbench.report.grouped import ByOne, breakdown
from vosbench.report.leaderboard import scores_table
from vosbench.report.overview import stages_table
from vosbench.report.suite import Columns, result_table
from vosbench.report.table import Format, Table, render
from vosbench.report.verdict import Kind, render_verdict

if TYPE_CHECKING:
    from os import PathLike

    from pandas import DataFrame


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class Result:
    """The scores of a method on a dataset; prints as a table with the protocol.

    Attributes:
        record: scores of the split and of each video, in [0, 1], and their provenance; as written to disk.
        notes: notes for the reader, one line each.
        path: path of the written record; None if it was not kept.
        selection: the videos and the protocol.
        scored: the scored videos that the record averages.
    """

    record: Record
    notes: tuple[str, ...]
    selection: Selection
    scored: Sequence[Scored]
    path: Path | None = None

    @property
    def scores(self) -> dict[str, float | None]:
        """Means over the split, such as ``scores["J_mean"]``; None if it is incomplete."""
        return self.record.scores

    @property
    def rows(self) -> list[Row]:
        """All measured values."""
        return all_rows(self.scored)

    @property
    def problem(self) -> str:
        """The missing masks, without which there is no mean; empty if none are missing."""
        absent = [mask for mask in self.record.missing if "/" in mask]
        if not absent:
            return ""
        listed = ", ".join(absent[:5]) + (", …" if len(absent) > 5 else "")
        name = self.selection.protocol.name
        masks = f"{counted(len(absent), 'mask')} {'is' if len(absent) == 1 else 'are'} missing"
        return f'{masks} that protocol "{name}" scores ({listed}), so there is no mean'

    def to_frame(self) -> "DataFrame":
        """The scores as a pandas data frame: a row per video, a column per score."""
        import pandas as pd

        return pd.DataFrame.from_dict(self.record.videos, orient="index").rename_axis("video").astype(float)

    def frames(self) -> "DataFrame":
        """The values of single frames as a pandas data frame: a row per video and frame, a column per measure.

        Frames are counted from 0; missing values are NaN. T is at the later frame of its pair. Objects of a video have
        their own columns, such as ``J.1``. Ochs–Brox measures have no values per frame.
        """
        import pandas as pd

        rows = pd.DataFrame(self.rows, columns=list(Row._fields))
        order = list(dict.fromkeys(rows["measure"]))
        return rows.pivot_table("value", ["video", "frame"], "measure", aggfunc="first", sort=False)[order]

    def table(self, by: ByOne | None = None) -> Table:
        """The scores as a table, or broken down by video, category, attribute, average or interval.

        Raises:
            DataError: if the dataset has no categories or attributes.
        """
        return scores_table(self.record) if by is None else breakdown(self.record, self.scored, self.selection, by)

    def render(self, kind: Format = "table", by: ByOne | None = None, width: int | None = None) -> str:
        """The table as text, as the command line prints it; ``"json"`` is the whole record.

        Args:
            kind: the format.
            by: as in `table`.
            width: columns of a terminal, to which ``"table"`` is fitted; None for the whole table.
        """
        if kind == "json" and by is None:
            return self.record.to_json()
        text = render(self.table(by), kind, width)
        if by is None and self.record.speed is not None:
            text += "\n" + render(stages_table(self.record.speed), kind, width)
        return text

    def to_json(self) -> str:
        """The record as JSON."""
        return self.record.to_json()

    def to_latex(self) -> str:
        """The table as LaTeX, with booktabs."""
        return self.render("latex")

    def save(self, folder: "str | PathLike[str]" = "results", *, overwrite: bool = False) -> Path:
        """Write ``<folder>/<dataset>/<method>.json``, for tables and comparisons, and all values next to it.

        What differs from the dataset's default protocol, split, videos, frames and measures is part of the file's
        name, such as ``<method>@vsod-davsod+limit5.json``.

        Args:
            folder: the results folder.
            overwrite: replace a record of other predictions instead of refusing.

        Returns:
            the path of the record.

        Raises:
            UsageError: if there is a record of other predictions, or the method's name cannot name a file.
        """
        return store.save(Path(folder), self.record, self.rows, overwrite=overwrite)

    def save_rows(self, path: "str | PathLike[str]", *, compact: bool = False) -> None:
        """Write all values as CSV, compressed if the name ends in ``.gz``, or as Parquet.

        Args:
            path: the file.
            compact: only J and F, to 6 decimals.
        """
        records.write_rows(Path(path), records.compact(self.rows) if compact else self.rows)

    def track(
        self,
        *trackers: str,
        place: "str | PathLike[str]" = "results/tracking",
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Give scores, values and figures to trackers of experiments, on disk.

        Args:
            trackers: ``"tensorboard"``, ``"mlflow"`` or ``"wandb"``, or ``"kind=place"`` with a folder, or an address
                for ``mlflow``.
            place: the folder of trackers without a place of their own, each in a folder named after it.
            note: called with a line if a tracker fails, or figures cannot be drawn.

        Raises:
            UsageError: if there is no such tracker, or its package is not installed.
        """
        from vosbench.face.tracked import track

        track(self, trackers, Path(place), note)

    def __repr__(self) -> str:
        """The table."""
        return self.render().rstrip("\n")

    def _repr_html_(self) -> str:
        return self.render("html")


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class SuiteResult:
    """The scores of a method on the datasets of a suite; prints as a table with the protocols.

    Attributes:
        suite: the suite.
        datasets: name → dataset.
        results: the results, complete or not.
        left_out: why datasets were left out, since they are missing or incomplete here.
        failures: the errors of other datasets; of one with incomplete masks there is a result, too.
    """

    suite: Suite
    datasets: Mapping[str, Dataset]
    results: Mapping[SuiteEntry, Result]
    left_out: Mapping[SuiteEntry, str]
    failures: Mapping[SuiteEntry, VosbenchError]

    @property
    def records(self) -> list[Record]:
        """The records, in the suite's order."""
        return [result.record for result in self.results.values()]

    @property
    def problem(self) -> VosbenchError | None:
        """One error for all failures, of the kind of the first; None if there are none."""
        if not self.failures:
            return None
        columns = Columns(self.suite, self.datasets)
        said = "; ".join(columns.said(entry, str(error)) for entry, error in self.failures.items())
        return type(next(iter(self.failures.values())))(said)

    @property
    def places(self) -> list[str]:
        """Names of the folders of results that have the maps and records."""
        return [*dict.fromkeys(record.dataset for record in self.records)]

    def table(self) -> Table:
        """A line of the shown scores of every dataset."""
        absent = {**self.left_out, **{entry: str(error) for entry, error in self.failures.items()}}
        absent = {entry: absent[entry] for entry in self.suite.entries if entry in absent and entry not in self.results}
        records = {entry: result.record for entry, result in self.results.items()}
        return result_table(self.suite, self.datasets, records, absent)

    def render(self, kind: Format = "table", width: int | None = None) -> str:
        """The table as text, fitted to a terminal's width if it is given; ``"json"`` has the whole records."""
        if kind != "json":
            return render(self.table(), kind, width)
        whole = {
            "suite": self.suite.name,
            "records": [json.loads(record.to_json()) for record in self.records],
            "left_out": {entry.place: reason for entry, reason in self.left_out.items()},
            "failures": {entry.place: str(error) for entry, error in self.failures.items()},
        }
        return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"

    def to_frame(self) -> "DataFrame":
        """All scores as a pandas data frame: a row per dataset, a column per score."""
        import pandas as pd

        scores = {record.place: record.scores for record in self.records}
        return pd.DataFrame.from_dict(scores, orient="index").rename_axis("dataset").astype(float)

    def __repr__(self) -> str:
        """The table."""
        return self.render().rstrip("\n")

    def _repr_html_(self) -> str:
        return self.render("html")


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class CompareResult:
    """Methods compared with a reference, video by video; prints like ``vosbench compare``.

    Attributes:
        records: the reference, then the others.
        comparisons: of each of the others, the differences of each measure, with interval and p, also by attribute.
        warnings: why they are not comparable, one line each.
        notes: notes for the reader, one line each.
    """

    records: tuple[Record, ...]
    comparisons: tuple[tuple[Effect, ...], ...]
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def first(self) -> Record:
        """The reference."""
        return self.records[0]

    @property
    def second(self) -> Record:
        """The first of the others."""
        return self.records[1]

    @property
    def effects(self) -> tuple[Effect, ...]:
        """The differences of the first two records."""
        return self.comparisons[0]

    def tables(self, by: comparison.By | None = None) -> list[Table]:
        """The tables, or one kind of them: by measure, attribute or video."""
        return comparison.tables(self.records, self.comparisons, by, self.warnings)

    def render(self, kind: Format = "table", by: comparison.By | None = None, width: int | None = None) -> str:
        """The tables as text, fitted to a terminal's width if it is given; ``"json"`` is everything, and csv one table.

        Raises:
            DataError: if the videos have no attributes.
        """
        if kind == "json":
            return comparison.to_json(self.records, self.comparisons, self.warnings)
        tables = self.tables("measure" if kind == "csv" and by is None else by)
        if not tables:
            raise DataError(f'there are no attributes of the videos of "{self.first.dataset}"')
        return "\n".join(render(table, kind, width) for table in tables)

    def to_frame(self) -> "DataFrame":
        """A pandas data frame: means over the common videos, difference, 95 % interval and p.

        A row per measure, or per method and measure if there are several; then ``holm`` is the corrected p.
        """
        import pandas as pd

        several = len(self.comparisons) > 1
        pairs = zip(
            comparison.called(self.records)[1:], self.comparisons, comparison.corrected(self.comparisons), strict=True
        )
        rows = [
            {
                "method": name,
                "measure": effect.measure,
                "videos": len(effect.deltas),
                "first": sum(delta.first for delta in effect.deltas) / len(effect.deltas),
                "second": sum(delta.second for delta in effect.deltas) / len(effect.deltas),
                "difference": effect.compared.difference,
                "low": effect.compared.interval.low,
                "high": effect.compared.interval.high,
                "p": effect.compared.p,
                "holm": holm[effect.measure],
            }
            for name, effects, holm in pairs
            for effect in effects
        ]
        frame = pd.DataFrame(rows)
        return (
            frame.set_index(["method", "measure"])
            if several
            else frame.drop(columns=["method", "holm"]).set_index("measure")
        )

    def __repr__(self) -> str:
        """The tables."""
        return self.render().rstrip("\n")

    def _repr_html_(self) -> str:
        return self.render("html")


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class CheckResult:
    """A record checked against a baseline; prints like ``vosbench check``, and is false if it failed.

    Attributes:
        verdict: all checked numbers.
    """

    verdict: Verdict

    @property
    def passed(self) -> bool:
        """Whether nothing is worse by more than its tolerance."""
        return self.verdict.passed

    def __bool__(self) -> bool:
        """Whether it passed."""
        return self.passed

    def render(self, kind: Kind = "table", seconds: Mapping[str, float] | None = None) -> str:
        """The verdict as text, JSON, JUnit XML, GitHub annotations, or Markdown for the summary of a step.

        Args:
            kind: the format.
            seconds: for JUnit, how long each video took, by its name, and everything, as ``"all videos"``.
        """
        return render_verdict(self.verdict, kind, seconds)

    def to_frame(self) -> "DataFrame":
        """A pandas data frame: a row per checked number; video is None for means and speed."""
        import pandas as pd

        columns = [field.name for field in fields(Finding)]
        rows = [[getattr(each, name) for name in columns] for each in self.verdict.findings]
        return pd.DataFrame(rows, columns=columns)

    def __repr__(self) -> str:
        """The verdict."""
        return self.render().rstrip("\n")
