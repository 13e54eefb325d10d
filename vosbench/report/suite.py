"""The table of a suite: methods by datasets, each under the suite's protocol.

Conventions:
    There are no means over datasets. A missing number is a dash: a dataset without a record, or with one that is not
    complete. Published numbers are shown only under the suite's protocol; those of one method from one document share
    a line unless they contradict each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vosbench.dataset import Dataset, Suite, SuiteEntry
from vosbench.errors import DataError, UsageError, counted, suggest
from vosbench.metrics.measures import Better, measure_of
from vosbench.records.published import Published, canonical
from vosbench.records.record import Record, signature
from vosbench.report.leaderboard import comparable, training_notes
from vosbench.report.printed import BETWEEN, MEASURED, documents, published_entries
from vosbench.report.table import Cell, Table

Scores = Mapping[tuple[SuiteEntry, str], float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: a method's scores from one origin, by entry and score."""

    method: str
    origin: str
    scores: Scores


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a suite's table.

    Attributes:
        suite: the suite.
        datasets: name → dataset, of all entries.
    """

    suite: Suite
    datasets: Mapping[str, Dataset]

    @property
    def keys(self) -> list[tuple[SuiteEntry, str]]:
        """Entry and score of each column."""
        return [(entry, score) for entry in self.suite.entries for score in entry.scores]

    def title(self, entry: SuiteEntry) -> str:
        """The title of an entry's dataset, with split and protocol if several entries have it."""
        others = [other for other in self.suite.entries if other.dataset == entry.dataset and other != entry]
        more = [entry.split] if any(other.split != entry.split for other in others) else []
        more += [entry.protocol] if any(other.split == entry.split for other in others) else []
        return " ".join([self.datasets[entry.dataset].title, *more])

    def said(self, entry: SuiteEntry, line: str) -> str:
        """What is said of an entry, with its title in front unless it is there already."""
        title = self.title(entry)
        return line if line.startswith(f"{title} ") else f"{title}: {line}"

    def heading(self, key: tuple[SuiteEntry, str]) -> str:
        """The heading of a column, for example ``"DAVIS-2016 J mean"``."""
        return f"{self.title(key[0])} {measure_of(key[1]).heading}"

    def protocol(self, entry: SuiteEntry) -> str:
        """Name and version of an entry's protocol."""
        protocol = entry.protocol_of(self.datasets[entry.dataset])
        return f"{protocol.name}@{protocol.version}"

    def table(self, lines: Sequence[Line], notes: Iterable[str], sort: str | None, *, origins: bool) -> Table:
        """Lines as a table, best first."""
        named = ("method", "from") if origins else ("method",)
        rows: list[tuple[Cell, ...]] = [
            (line.method, *((line.origin,) if origins else ()), *(line.scores.get(key) for key in self.keys))
            for line in self._ranked(lines, sort)
        ]
        ways: list[Better] = [""] * len(named)
        ways += (measure_of(score).better for _, score in self.keys)
        return Table(
            columns=(*named, *map(self.heading, self.keys)),
            rows=rows,
            notes=tuple(notes),
            better=tuple(ways),
            keys=(*[""] * len(named), *(score for _, score in self.keys)),
            labels=len(named),
            over=(*[""] * len(named), *(self.title(entry) for entry, _ in self.keys)),
        )

    def _ranked(self, lines: Sequence[Line], sort: str | None) -> list[Line]:
        key = self.keys[0] if sort is None else self._key(sort)
        measure = measure_of(key[1])
        if sort is not None and not measure.better:
            raise UsageError(f'cannot rank by "{sort}", whose direction is unknown; give the plugin that defines it')

        def place(line: Line) -> tuple[bool, float, str, str]:
            value = line.scores.get(key)
            gain = measure.gain(value) if value is not None and measure.better else 0.0
            return value is None, -gain, line.method, line.origin

        return sorted(lines, key=place)

    def _key(self, sort: str) -> tuple[SuiteEntry, str]:
        """The column that is asked for: by its heading, or dataset and score; a score alone is that of the first."""
        known: dict[str, tuple[SuiteEntry, str]] = {}
        for key in self.keys:
            entry, score = key
            names = (score, measure_of(score).heading)
            titles = (entry.dataset, entry.place, self.title(entry))
            for name in (*names, *(f"{title} {name}" for title in titles for name in names)):
                known.setdefault(name.lower(), key)
        if sort.lower() not in known:
            headings = [self.heading(key) for key in self.keys]
            raise UsageError(f'there is no column "{sort}" in this table; {suggest(sort, headings)}')
        return known[sort.lower()]


def suite_table(
    suite: Suite,
    datasets: Mapping[str, Dataset],
    records: Sequence[Record],
    numbers: Sequence[Published] = (),
    sort: str | None = None,
) -> tuple[Table, list[str]]:
    """Compare methods on all datasets of a suite.

    Args:
        suite: the suite.
        datasets: name → dataset, of all its entries.
        records: any records; those of its datasets, splits and protocols are used.
        numbers: published numbers to show alongside.
        sort: the column that ranks, by its heading, such as ``"FBMS-59 J mean"``, or by dataset and score, such as
            ``"fbms J_mean"``; the first one if None.

    Returns:
        the table, and for each record that is left out a line that says why.

    Raises:
        DataError: if there is nothing to show, or records of one dataset are not comparable.
        UsageError: if there is no such column, or a dataset does not have the suite's split or protocol.
    """
    columns = Columns(suite, datasets)
    used: dict[str, dict[SuiteEntry, Record]] = {}
    notes, left_out = [], []
    for entry in suite.entries:
        fit, more = _fitting(records, entry, columns.protocol(entry))
        left_out += more
        notes.append(f"{entry.place}, {signature(fit[0]) if fit else columns.protocol(entry) + ', no records'}")
        for record in fit:
            other = used.setdefault(record.method, {}).setdefault(entry, record)
            if other is not record:
                left_out.append(f'"{record.name}" ({entry.place}) is left out: the table has "{other.name}"')
        if len({record.provenance.annotations for record in fit}) > 1:
            notes.append(f"{entry.place}: records are of different annotations, whose hashes they have")
    lines = [Line(method, MEASURED, _scores(of)) for method, of in used.items()]
    notes += record_notes(used)
    published, more = _published(columns, numbers)
    if numbers:
        named = {record.method: canonical(record.method, record.provenance.options) for record in records}
        aliases = [f'"{name}" is {named[name]}' for name in used if named[name] != name]
        notes += [f"records: {', '.join(aliases)}"] if aliases else []
    if not lines and not published:
        reason = f" ({'; '.join(left_out)})" if left_out else ""
        raise DataError(f'nothing to show for the suite "{suite.name}"{reason}; see: vosbench run, vosbench score')
    return columns.table([*lines, *published], [*notes, *more], sort, origins=bool(numbers)), left_out


def result_table(
    suite: Suite,
    datasets: Mapping[str, Dataset],
    records: Mapping[SuiteEntry, Record],
    absent: Mapping[SuiteEntry, str],
) -> Table:
    """The results of one method, complete or not.

    Args:
        suite: the suite.
        datasets: name → dataset, of all its entries.
        records: the results.
        absent: why there are no results, of the other entries.
    """
    columns = Columns(suite, datasets)
    used: dict[str, dict[SuiteEntry, Record]] = {}
    notes = [f"{record.place}, {record.signature}" for record in records.values()]
    for entry, record in records.items():
        used.setdefault(record.method, {})[entry] = record
    notes += [
        f"{record.place}: not for a leaderboard: {', '.join(record.shortcomings)}"
        for record in records.values()
        if record.shortcomings
    ]
    if absent:
        notes.append(f"{len(records)} of the {len(suite.entries)} datasets of {suite.name}")
        notes += [f"left out: {columns.said(entry, reason)}" for entry, reason in absent.items()]
    lines = [Line(method, MEASURED, _scores(of)) for method, of in used.items()]
    return columns.table(lines, [*notes, *record_notes(used)], None, origins=False)


def record_notes(used: Mapping[str, Mapping[SuiteEntry, Record]]) -> list[str]:
    """What readers should know of lines that consist of several records: training, and other weights or options."""
    notes = []
    for method, of in used.items():
        known = [record.provenance for record in of.values()]
        for what, values in (
            ("weights", {each.weights_loaded or each.weights for each in known}),
            ("options", {tuple(sorted(each.options.items())) for each in known}),
        ):
            if len(values) > 1:
                notes.append(f"{method}: its records on these datasets have different {what}")
    by_training = {
        (record.method, record.provenance.training): record for of in used.values() for record in of.values()
    }
    return notes + training_notes([*by_training.values()])


def _fitting(records: Sequence[Record], entry: SuiteEntry, protocol: str) -> tuple[list[Record], list[str]]:
    """The records that the table can show of an entry, and a line for each that it cannot."""
    wanted = (entry.dataset, entry.split, protocol)
    of_place = [record for record in records if (record.dataset, record.split, record.protocol) == wanted]
    left_out = [
        f'"{record.name}" ({entry.place}) is left out: {", ".join(record.shortcomings)}'
        for record in of_place
        if record.shortcomings
    ]
    whole = [record for record in of_place if not record.shortcomings]
    return (comparable(whole)[0] if whole else []), left_out


def _scores(records: Mapping[SuiteEntry, Record]) -> Scores:
    return {(entry, score): record.scores.get(score) for entry, record in records.items() for score in entry.scores}


def _published(columns: Columns, numbers: Sequence[Published]) -> tuple[list[Line], list[str]]:
    """Published numbers under the suite's protocols as lines, and notes on them."""
    found: dict[tuple[str, str], dict[tuple[SuiteEntry, str], float | None]] = {}
    left_out: dict[str, int] = {}
    for entry in columns.suite.entries:
        of_place = [n for n in numbers if (n.dataset, n.split) == (entry.dataset, entry.split) and not n.category]
        chosen = [number for number in of_place if number.protocol == columns.protocol(entry)]
        others = sum(
            number.protocol != columns.protocol(entry) for number in of_place if number.measure in entry.scores
        )
        left_out |= {entry.place: others} if others else {}
        for each in published_entries(chosen):
            scores = {(entry, score): each.scores[score] for score in entry.scores if score in each.scores}
            if scores:
                found.setdefault((each.method, each.origin), {}).update(scores)
    lines: list[Line] = []
    for (method, origin), of in found.items():
        _add(lines, Line(method, origin, of))
    notes = ["published: as printed, from results/published, only under these protocols"] if numbers else []
    notes += [
        f"{place}: {counted(number, 'published number')} left out, whose protocol is another or not stated"
        for place, number in left_out.items()
    ]
    return lines, notes


def _add(lines: list[Line], new: Line) -> None:
    """Add a line of published numbers, to an existing one if method and document are the same and nothing differs."""
    for index, line in enumerate(lines):
        same = line.method == new.method and documents(line.origin).keys() & documents(new.origin).keys()
        if same and not any(_differ(line.scores.get(key), value) for key, value in new.scores.items()):
            origins = dict.fromkeys([*line.origin.split(BETWEEN), *new.origin.split(BETWEEN)])
            lines[index] = Line(line.method, BETWEEN.join(origins), {**line.scores, **new.scores})
            return
    lines.append(new)


def _differ(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and abs(one - other) > 1e-9  # 70.7 % and 0.707 do not
