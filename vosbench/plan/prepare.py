"""Find everything that a plan asks for, once each, before anything is computed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from vosbench import registry
from vosbench.dataset.roots import search_root
from vosbench.dataset.selection import Selection, select, with_annotations, with_frames
from vosbench.errors import DataError, UsageError, VosbenchError, counted
from vosbench.evaluate.score import CARD
from vosbench.method import Method, Setup
from vosbench.method import flow as flow_method
from vosbench.plan import inputs, state
from vosbench.plan.cases import (
    DatasetCase,
    MethodCase,
    SubmissionCase,
    dataset_cases,
    method_cases,
    pairs,
    with_paths,
)
from vosbench.plan.schema import Plan, read_plan
from vosbench.registry import load_families
from vosbench.runner import Job, resolve_method


class Source:
    """A plan's file, and what it asks for by names; no dataset is looked at yet.

    Args:
        path: of the plan.
        plugins: plugin files besides those that the plan names.
        out: the results folder in place of the plan's.

    Raises:
        UsageError: if the plan is not valid, or names what is unknown.
        DataError: if it cannot be read.
    """

    def __init__(self, path: Path, plugins: Iterable[Path] = (), out: Path | None = None) -> None:
        self.path = path
        self.plan: Plan = read_plan(path)
        self.base = path.resolve().parent
        named = (self.base / Path(each).expanduser() for each in self.plan.plugins)
        self.plugins = tuple(dict.fromkeys([*named, *plugins]))
        self.out = self.base / Path(self.plan.out).expanduser() if out is None else out
        self.families = load_families(self.plugins)
        self.datasets = dataset_cases(self.plan, self.base, self.plugins)
        self._methods: dict[str, Method] = {}

    def method(self, name: str) -> tuple[Method, str]:
        """A method and a variant by name; every method is looked for once.

        Raises:
            UsageError: as `vosbench.registry.load_method`.
        """
        base, _, variant = name.partition(".")
        if base not in self._methods:
            self._methods[base] = registry.load_method(base, self.plugins)[0]
        if variant and variant not in self._methods[base].variants:
            return registry.load_method(name, self.plugins)  # which says what there is
        return self._methods[base], variant


@dataclass(frozen=True, slots=True)
class Setting:
    """A setup of a method, resolved.

    Attributes:
        method: the method.
        setup: with options and weights resolved.
        inputs: what its maps depend on.
    """

    method: Method
    setup: Setup
    inputs: state.Inputs


@dataclass(frozen=True, slots=True)
class Masks:
    """A submission, found.

    Attributes:
        case: what the plan says.
        place: the folder or archive.
        inputs: a hash of its contents, and how it is read.
    """

    case: SubmissionCase
    place: Path
    inputs: state.Inputs


@dataclass(frozen=True, slots=True)
class Chosen:
    """A dataset's videos, found.

    Attributes:
        selection: the videos and the protocol.
        inputs: what scores depend on.
    """

    selection: Selection
    inputs: state.Inputs


@dataclass(frozen=True)
class Entry:
    """One record of a plan: a method on a dataset, or a submission to it.

    Attributes:
        method: the method or submission.
        dataset: the dataset.
        out: the results folder, with the method's own.
        setting: the method or masks, resolved; or why they cannot be.
        chosen: the videos, found; or why they are not.
    """

    method: MethodCase | SubmissionCase
    dataset: DatasetCase
    out: Path
    setting: Setting | Masks | VosbenchError
    chosen: Chosen | VosbenchError

    @property
    def label(self) -> str:
        """What to call it."""
        return f"{self.method.label} on {self.dataset.label}"

    @property
    def problem(self) -> VosbenchError | None:
        """Why it cannot be run here; None if it can."""
        return next((each for each in (self.setting, self.chosen) if isinstance(each, VosbenchError)), None)

    @property
    def job(self) -> Job:
        """What is run; only of a method, and if there is no problem."""
        assert isinstance(self.setting, Setting)
        return Job(self.setting.method, self.setting.setup, self.selection)

    @property
    def selection(self) -> Selection:
        """The videos and the protocol; only if they are here."""
        assert isinstance(self.chosen, Chosen)
        return self.chosen.selection

    @property
    def place(self) -> Path:
        """The folder of the record."""
        return self.out / self.dataset.dataset.name

    @property
    def maps(self) -> Path:
        """The folder of a method's maps; only if the videos are here."""
        return self.place / f"{self.method.name}{self.selection.frames_apart}"

    @property
    def card(self) -> Path | None:
        """What the maps say of themselves; None if there are none, or the videos are not here."""
        if not isinstance(self.setting, Setting) or not isinstance(self.chosen, Chosen):
            return None
        card = self.maps / CARD
        return card if card.is_file() else None

    @property
    def frames(self) -> int:
        """The number of frames; 0 if the videos are not here."""
        return sum(map(len, self.selection.videos)) if isinstance(self.chosen, Chosen) else 0

    @cached_property
    def inputs(self) -> state.Inputs:
        """What the record depends on, as far as it is known here."""
        known = [each.inputs for each in (self.setting, self.chosen) if not isinstance(each, VosbenchError)]
        return {key: value for each in known for key, value in each.items()}

    @property
    def state_path(self) -> Path:
        """The file that knows what is done."""
        return state.path_of(self.place, self.method.name, self.dataset.key)

    def known(self) -> state.State | None:
        """What is known of it; None if nothing is."""
        return state.read(self.state_path)

    def begun(self) -> state.State:
        """The state of an entry of which nothing is done."""
        return state.State(method=self.method.name, dataset=self.dataset.label, inputs=dict(self.inputs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A plan whose methods and datasets were looked for.

    Attributes:
        source: the plan.
        entries: its records, in its order.
        excluded: the number of pairs that its rules leave out.
        absent: datasets that are missing or incomplete here → why.
    """

    source: Source
    entries: list[Entry]
    excluded: int
    absent: Mapping[DatasetCase, VosbenchError] = field(default_factory=dict)

    @property
    def problems(self) -> list[VosbenchError]:
        """What is wrong with methods or submissions, once each."""
        found = {id(each.setting): each.setting for each in self.entries if isinstance(each.setting, VosbenchError)}
        return list(found.values())


def prepare(source: Source) -> Prepared:
    """Look for the methods and datasets of a plan; what is wrong with them is noted, not raised.

    Raises:
        UsageError: if the plan has no methods, or its rules leave nothing; if two entries would write one record.
    """
    if not source.plan.methods:
        raise UsageError(f'"{source.path}" has no methods to run; its submissions are scored by vosbench score --plan')
    cases = method_cases(source.plan, source.base)
    chosen, excluded = pairs(source.plan, [(case, dataset) for case in cases for dataset in source.datasets])
    settings: dict[int, Setting | VosbenchError] = {}
    found: dict[int, Chosen | VosbenchError] = {}
    entries = []
    for method, dataset in chosen:
        assert isinstance(method, MethodCase)
        if id(method) not in settings:
            settings[id(method)] = _setting(method, source)
        if id(dataset) not in found:
            found[id(dataset)] = find_videos(dataset, source, frames=True)
        setting, videos = settings[id(method)], found[id(dataset)]
        if isinstance(setting, Setting) and isinstance(videos, Chosen):
            try:
                flow_method.check(setting.method, setting.setup, videos.selection.videos)
            except UsageError as error:
                setting = _located(error, method)
        entries.append(Entry(method, dataset, source.out / method.folder, setting, videos))
    absent = {each.dataset: each.chosen for each in entries if isinstance(each.chosen, VosbenchError)}
    return Prepared(source=source, entries=entries, excluded=excluded, absent=absent)


def _setting(case: MethodCase, source: Source) -> Setting | VosbenchError:
    try:
        pair = source.method(case.name)
        case = with_paths(case, [key for key, option in pair[0].options.items() if option.path], source.base)
        method, setup = resolve_method(pair, case.setup, untrained=case.untrained)
        return Setting(method, setup, inputs.of_method(method, setup))
    except VosbenchError as error:
        return _located(error, case)


def _located(error: VosbenchError, case: MethodCase) -> VosbenchError:
    """An error that says which of the plan's methods it is about."""
    return type(error)(f"method {case.part} of the plan, {case.label}: {error}")


def find_videos(case: DatasetCase, source: Source, *, frames: bool) -> Chosen | VosbenchError:
    """The videos of a dataset, or why they are not found.

    Args:
        case: the dataset.
        source: the plan.
        frames: whether frames are needed, too; otherwise annotations are.
    """
    if case.choice.root is None and search_root(case.dataset) is None:
        name = case.dataset.name
        return UsageError(f"not found; name its root in the plan, or run: vosbench data set-root {name} FOLDER")
    try:
        selection = select(case.dataset, case.choice, source.families)
        selection = with_frames(selection) if frames else with_annotations(selection)
        return Chosen(selection, inputs.of_selection(selection))
    except VosbenchError as error:
        return error


def present(prepared: Prepared, *, available: bool) -> tuple[list[Entry], list[str]]:
    """The entries that can be run here, and notes on those that are left out.

    Args:
        prepared: the plan.
        available: leave out datasets that are missing or incomplete here, instead of refusing.

    Raises:
        VosbenchError: the first problem of a method; or if datasets are missing.
    """
    problems = prepared.problems
    if problems:
        more = f" (and {counted(len(problems) - 1, 'more problem')})" if len(problems) > 1 else ""
        raise type(problems[0])(f"{problems[0]}{more}")
    return with_datasets(prepared, available=available)


def with_datasets(prepared: Prepared, *, available: bool) -> tuple[list[Entry], list[str]]:
    """The entries whose datasets are here; arguments and notes are those of `present`.

    Raises:
        VosbenchError: if datasets are missing.
    """
    if not prepared.absent:
        return prepared.entries, []
    every = len(dict.fromkeys(entry.dataset for entry in prepared.entries))
    reasons: dict[str, list[str]] = {}
    for case, error in prepared.absent.items():
        reasons.setdefault(str(error), []).append(case.label)
    listed = "; ".join(f"{', '.join(labels)}: {reason}" for reason, labels in reasons.items())
    number = f"{len(prepared.absent)} of the {counted(every, 'dataset')} of the plan"
    if not available or len(prepared.absent) == every:
        kind = DataError if any(isinstance(error, DataError) for error in prepared.absent.values()) else UsageError
        advice = "" if len(prepared.absent) == every else "; --available leaves them out"
        raise kind(f"{number} cannot be used here: {listed}{advice}")
    left_out = f"{number} {'is' if len(prepared.absent) == 1 else 'are'} left out: {listed}"
    return [entry for entry in prepared.entries if isinstance(entry.chosen, Chosen)], [left_out]
