"""Work on a suite: its datasets are prepared before anything is computed, and then done one by one."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

from vosbench import registry
from vosbench.dataset import Dataset, Suite, SuiteEntry
from vosbench.dataset.roots import search_root
from vosbench.dataset.selection import Choice
from vosbench.errors import DataError, UsageError, VosbenchError, suggest
from vosbench.face.options import Listener, SuiteOptions, names_of
from vosbench.face.result import Result, SuiteResult
from vosbench.report.suite import Columns

Work = TypeVar("Work")


class EachDataset(Generic[Work]):
    """What is done on the datasets of a suite: everything is prepared before anything is computed."""

    def __init__(self, suite: str | Suite, plugins: tuple[Path, ...], options: SuiteOptions) -> None:
        """Load the suite and its datasets."""
        self.suite = registry.load_suite(suite, plugins) if isinstance(suite, str) else suite
        self.datasets = {entry.dataset: registry.load_dataset(entry.dataset, plugins) for entry in self.suite.entries}
        self._columns = Columns(self.suite, self.datasets)
        self._options, self._plugins = options, plugins
        self._left_out: dict[SuiteEntry, str] = {}

    def prepare(self, resolve: Callable[[Dataset, Choice], Work], listener: Listener) -> dict[SuiteEntry, Work]:
        """Resolve all datasets; leave out those that are missing or incomplete, or refuse to."""
        data = self._options.get("root")
        if data is not None and not Path(data).is_dir():
            raise DataError(f'"{data}" is not a folder; pass the one that contains the datasets')
        measures = self._measures()
        ready: dict[SuiteEntry, Work] = {}
        problems: dict[SuiteEntry, VosbenchError] = {}
        for entry in self.suite.entries:
            dataset = self.datasets[entry.dataset]
            root = search_root(dataset, None if data is None else Path(data))
            if root is None:
                problems[entry] = UsageError("not found")
                continue
            choice = Choice(
                root=None if dataset.root is not None else root,
                split=entry.split,
                protocol=entry.protocol,
                limit=self._options.get("limit"),
                measures=measures[entry],
            )
            try:
                ready[entry] = resolve(dataset, choice)
            except DataError as error:
                problems[entry] = error
        if problems:
            self._leave_out(problems, listener)
        return ready

    def _leave_out(self, problems: Mapping[SuiteEntry, VosbenchError], listener: Listener) -> None:
        reasons = {entry: str(error) for entry, error in problems.items()}
        listed = "; ".join(self._columns.said(entry, reason) for entry, reason in reasons.items())
        number = f'{len(problems)} of the {len(self.suite.entries)} datasets of the suite "{self.suite.name}"'
        if not self._options.get("available") or len(problems) == len(self.suite.entries):
            kind = next((type(each) for each in problems.values() if isinstance(each, DataError)), UsageError)
            unfound = [entry.dataset for entry, error in problems.items() if isinstance(error, UsageError)]
            advice = ""
            if unfound:
                advice = f"; set VOSBENCH_DATA, or run: vosbench data set-root {unfound[0]} FOLDER"
            if len(problems) < len(self.suite.entries):
                advice += "; --available leaves them out"
            raise kind(f"{number} cannot be used: {listed}{advice}")
        listener.note(f"{number} {'is' if len(problems) == 1 else 'are'} left out: {listed}")
        self._left_out = reasons

    def _measures(self) -> dict[SuiteEntry, tuple[str, ...]]:
        """The requested measures that each protocol has."""
        asked = names_of(self._options.get("measures", ()))
        families = registry.load_families(self._plugins)
        offered = {}
        for entry in self.suite.entries:
            protocol = entry.protocol_of(self.datasets[entry.dataset])
            offered[entry] = (*protocol.measures, *protocol.more, *families)
        known = list(dict.fromkeys(name for names in offered.values() for name in names))
        for name in asked:
            if name not in known:
                raise UsageError(f'no protocol of the suite "{self.suite.name}" has "{name}"; {suggest(name, known)}')
        chosen = {entry: tuple(name for name in asked if name in names) for entry, names in offered.items()}
        none = next((entry for entry, names in chosen.items() if asked and not names), None)
        if none is not None:
            raise UsageError(f'protocol "{none.protocol}" of {none.place} has none of {", ".join(asked)}; add one')
        return chosen

    def carry_out(
        self,
        ready: Mapping[SuiteEntry, Work],
        sizes: Mapping[SuiteEntry, int],
        work: Callable[[Work, Listener], Result],
        listener: Listener,
    ) -> SuiteResult:
        """Do the work, dataset by dataset; an error ends only its own."""
        total, before = sum(sizes.values()), 0
        results: dict[SuiteEntry, Result] = {}
        failures: dict[SuiteEntry, VosbenchError] = {}
        for entry, each in ready.items():
            try:
                results[entry] = result = work(each, self._part(listener, entry, before, total))
                if result.problem:
                    failures[entry] = DataError(result.problem)
            except VosbenchError as error:
                failures[entry] = error
            before += sizes[entry]
        return SuiteResult(
            suite=self.suite, datasets=self.datasets, results=results, left_out=self._left_out, failures=failures
        )

    def _part(self, listener: Listener, entry: SuiteEntry, before: int, total: int) -> Listener:
        """Report the progress and notes of a dataset as parts of the suite's."""
        title = self._columns.title(entry)
        return Listener(
            advance=lambda what, done, _total: listener.advance(f"{title} {what}", before + done, total),
            note=lambda line: listener.note(f"{title}: {line}"),
            selected=listener.selected,
        )
