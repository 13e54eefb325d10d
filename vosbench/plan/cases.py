"""What a plan asks for: every setup of a method, and every choice of a dataset's videos and protocol."""

import os
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from glob import glob
from pathlib import Path

from vosbench import registry
from vosbench.dataset import Dataset
from vosbench.dataset.roots import search_root
from vosbench.dataset.selection import Choice, split_of, usual_protocol
from vosbench.errors import UsageError, counted, suggest
from vosbench.evaluate.containers import name_of
from vosbench.evaluate.score import default_name
from vosbench.files import hidden
from vosbench.method import Setup
from vosbench.method.sources import PART, SEPARATOR
from vosbench.plan.schema import DatasetPart, MethodPart, Plan, Rule, SubmissionPart

GLOB = re.compile(r"[*?\[]")
URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MethodCase:
    """A setup of a method.

    Attributes:
        name: method or method.variant.
        folder: of its results, below the plan's; ``""`` for that itself.
        setup: with what the plan says; options and weights are not resolved yet.
        untrained: whether it runs with random weights.
        part: which of the plan's methods it comes from, from 1.
    """

    name: str
    folder: str
    setup: Setup
    untrained: bool
    part: int

    @property
    def label(self) -> str:
        """What to call it: its folder, if it has one, and its name."""
        return f"{self.folder}/{self.name}" if self.folder else self.name


@dataclass(frozen=True, slots=True)
class SubmissionCase:
    """Masks to score.

    Attributes:
        name: of the method.
        folder: of its records, below the plan's; ``""`` for that itself.
        masks: the folder or archive; None if there is none.
        source: what the plan says about them.
        part: which of the plan's submissions it comes from, from 1.
    """

    name: str
    folder: str
    masks: Path | None
    source: SubmissionPart
    part: int

    @property
    def label(self) -> str:
        """What to call it: its folder, if it has one, and its name."""
        return f"{self.folder}/{self.name}" if self.folder else self.name


@dataclass(frozen=True, slots=True)
class DatasetCase:
    """Videos of a dataset under a protocol.

    Attributes:
        dataset: the dataset.
        choice: the videos and the protocol.
        split: the split that is chosen, or the default.
        protocol: likewise the name of the protocol.
        part: which of the plan's datasets it comes from, from 1.
    """

    dataset: Dataset
    choice: Choice
    split: str
    protocol: str
    part: int

    @property
    def label(self) -> str:
        """What to call it: the dataset, and in parentheses what differs from its defaults."""
        usual = usual_protocol(self.dataset, self.split)
        more = [] if self.split == split_of(self.dataset, None, usual) else [self.split]
        more += [] if self.protocol == usual.name else [self.protocol]
        if self.choice.videos:
            more.append(f"{len(self.choice.videos)} videos" if len(self.choice.videos) > 1 else self.choice.videos[0])
        more += [] if self.choice.limit is None else [f"first {counted(self.choice.limit, 'frame')}"]
        more += self.choice.measures
        return f"{self.dataset.name} ({', '.join(more)})" if more else self.dataset.name

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for cases whose records have one name."""
        choice = self.choice
        videos, measures = tuple(sorted(choice.videos)), tuple(sorted(choice.measures))
        return (self.dataset.name.casefold(), self.split, self.protocol, choice.limit, videos, measures)


Pair = tuple[MethodCase | SubmissionCase, DatasetCase]


def method_cases(plan: Plan, base: Path) -> list[MethodCase]:
    """The setups of a plan's methods, in its order; paths are relative to ``base``."""
    return [case for index, part in enumerate(plan.methods, 1) for case in _setups(part, base, index)]


def _setups(part: MethodPart, base: Path, index: int) -> Iterator[MethodCase]:
    files = part.weights if isinstance(part.weights, dict) else {"": part.weights}
    settings = {"": {}} if part.settings is None else part.settings
    seeds = {"": part.seed} if part.seeds is None else {f"seed{seed}": seed for seed in part.seeds}
    method, _, variant = part.method.partition(".")
    for each in (variant,) if part.variants is None else part.variants:
        for called, file in files.items():
            for setting, options in settings.items():
                for of_seed, seed in seeds.items():
                    named = None if file is None else file.replace("{seed}", str(seed)).replace("{variant}", each)
                    setup = Setup(
                        weights=None if named is None else weights_path(named, base),
                        seed=seed,
                        device=part.device,
                        batch=part.batch,
                        precision=part.precision,
                        compile=part.compile,
                        threads=part.threads,
                        flow=part.flow,
                        options={**part.options, **options},
                    )
                    folder = "-".join(filter(None, (part.folder, called, setting, of_seed)))
                    yield MethodCase(f"{method}.{each}" if each else method, folder, setup, part.untrained, index)


def dataset_cases(plan: Plan, base: Path, plugins: tuple[Path, ...]) -> list[DatasetCase]:
    """The choices of a plan's datasets, in its order; paths are relative to ``base``.

    Raises:
        UsageError: if a dataset, suite, split or protocol is unknown.
        DataError: if the folder of a dataset that is a path is not one.
    """
    loaded: dict[str, Dataset] = {}
    known = registry.find(registry.DATASETS, plugins)
    found = []
    for index, part in enumerate(plan.datasets, 1):
        for name, named, split, protocol in _names(part, base, plugins):
            place = str(_path(name, base)) if is_path(name, base, known) else name
            if place not in loaded:
                loaded[place] = registry.load_dataset(place, plugins)
            dataset = loaded[place]
            root = search_root(dataset, named) if part.suite and named is not None else named
            found.append(_case(dataset, part, index, root, (split, protocol)))
    return found


def _names(
    part: DatasetPart, base: Path, plugins: tuple[Path, ...]
) -> Iterator[tuple[str, Path | None, str | None, str | None]]:
    """Dataset, root, split and protocol of every choice."""
    root = None if part.root is None else _path(part.root, base)
    if part.suite:
        for entry in registry.load_suite(part.suite, plugins).entries:
            yield entry.dataset, root, entry.split, entry.protocol
        return
    for split in part.splits or (None,):
        for protocol in part.protocols or (None,):
            yield part.dataset, root, split, protocol


def _case(
    dataset: Dataset, part: DatasetPart, index: int, root: Path | None, named: tuple[str | None, str | None]
) -> DatasetCase:
    split, protocol = named
    protocols = {each.name: each for each in dataset.protocols}
    chosen = protocol or usual_protocol(dataset, split).name
    if chosen not in protocols:
        raise UsageError(f'{dataset.name} has no protocol "{chosen}"; {suggest(chosen, list(protocols))}')
    choice = Choice(
        root=root,
        split=split,
        layout=part.layout,
        protocol=chosen,
        videos=tuple(part.videos or ()),
        limit=part.limit,
        measures=tuple(part.measures or ()),
    )
    return DatasetCase(dataset, choice, split_of(dataset, split, protocols[chosen]), chosen, index)


def pairs(plan: Plan, every: Sequence[Pair]) -> tuple[list[Pair], int]:
    """Those of all pairs that the plan's rules leave, in order, and how many they leave out.

    Raises:
        UsageError: if nothing is left, a rule matches nothing, or two pairs would write one record.
    """
    for name, rules in (("include", plan.include), ("exclude", plan.exclude)):
        for number, rule in enumerate(rules, 1):
            if not any(_matches(rule, pair) for pair in every):
                said = ", ".join(f"{key}: {value}" for key, value in rule.model_dump().items() if value != "*")
                raise UsageError(f"{name}.{number} ({said or 'anything'}) matches nothing of this plan")
    chosen = [
        pair
        for pair in every
        if (not plan.include or any(_matches(rule, pair) for rule in plan.include))
        and not any(_matches(rule, pair) for rule in plan.exclude)
    ]
    if not chosen:
        raise UsageError("nothing is left of this plan: every pair is excluded")
    _refuse_collisions(chosen)
    return chosen, len(every) - len(chosen)


def _matches(rule: Rule, pair: Pair) -> bool:
    method, dataset = pair
    values = (method.name, method.folder, dataset.dataset.name, dataset.split, dataset.protocol)
    patterns = (rule.method, rule.folder, rule.dataset, rule.split, rule.protocol)
    return all(fnmatchcase(value, pattern) for value, pattern in zip(values, patterns, strict=True))


def _refuse_collisions(chosen: Iterable[Pair]) -> None:
    """Refuse pairs that would write one record, and folders that are named like a dataset's."""
    seen: dict[tuple[object, ...], Pair] = {}
    chosen = list(chosen)
    datasets = {dataset.dataset.name.casefold() for _, dataset in chosen}
    for method, dataset in chosen:
        if method.folder.casefold() in datasets:
            raise UsageError(f'the folder "{method.folder}" is that of records of a dataset; choose another')
        key = (method.folder.casefold(), method.name.casefold(), *dataset.key)
        other, _ = seen.setdefault(key, (method, dataset))
        if other is not method or seen[key][1] is not dataset:
            noun = "methods" if isinstance(method, MethodCase) else "submissions"
            if other is method:
                where = f"datasets {seen[key][1].part} and {dataset.part} are the same"
            else:
                where = f"of {noun} {other.part} and {method.part}"
            advice = "leave one out" if other is method else "give one of them a folder of its own, folder: NAME"
            raise UsageError(f'two records of "{method.label}" on {dataset.label} would be one file, {where}; {advice}')


def submission_cases(plan: Plan, base: Path, dataset: DatasetCase) -> list[SubmissionCase]:
    """The submissions of a plan to a dataset, in its order; paths and patterns are relative to ``base``.

    Raises:
        UsageError: if one path is that of several datasets' masks.
    """
    found = []
    for index, part in enumerate(plan.submissions, 1):
        text = part.masks.replace("{dataset}", dataset.dataset.name).replace("{split}", dataset.split)
        path = _path(text, base)
        places = [path]
        if GLOB.search(text):
            found_here = map(Path, sorted(glob(str(path))))  # noqa: PTH207 - Path.glob takes no absolute patterns
            places = [each for each in found_here if not hidden(each.name)]
        for place in places:
            there = place if place.exists() else None
            name = part.name or (name_of(place) if there is None else default_name(place))
            found.append(SubmissionCase(name, part.folder, there, part, index))
        if not places:
            found.append(SubmissionCase(part.name or part.masks, part.folder, None, part, index))
    return found


def weights_path(text: str, base: Path) -> Path:
    """Weights as a plan names them, as `vosbench.method.sources.sources` reads them; files are relative to ``base``.

    >>> str(weights_path("encoder=a.pt,decoder=/b.pt", Path("plans"))), str(weights_path("a.pt#ema", Path("/x")))
    ('encoder=plans/a.pt,decoder=/b.pt', '/x/a.pt#ema')
    >>> str(weights_path("encoder=hf://user/net/a.pt,decoder=b.pt", Path("plans")))
    'encoder=hf:/user/net/a.pt,decoder=plans/b.pt'
    """
    if _path(text, base).is_file():
        return _path(text, base)
    parts = []
    for word in SEPARATOR.split(text):
        named = PART.fullmatch(word)
        parts.append(f"{named[1]}={_path(named[2], base)}" if named else str(_path(word, base)))
    return Path(",".join(parts))


def option_paths(options: Mapping[str, str], paths: Iterable[str], base: Path) -> dict[str, str]:
    """Options whose values are files or folders, relative to ``base``, as paths."""
    return {key: str(_path(value, base)) if key in set(paths) and value else value for key, value in options.items()}


def with_paths(case: MethodCase, paths: Iterable[str], base: Path) -> MethodCase:
    """A case whose options name files relative to ``base``, and likewise a folder of flow."""
    flow = case.setup.flow
    if flow is not None and _path(flow, base).is_dir():
        flow = str(_path(flow, base))
    options = option_paths(case.setup.options, paths, base)
    return replace(case, setup=replace(case.setup, flow=flow, options=options))


def is_path(name: str, base: Path, known: Container[str]) -> bool:
    """Whether the name of a dataset is a path; known names come first, as in `vosbench.registry.load_dataset`."""
    return "/" in name or os.sep in name or name.startswith(".") or (name not in known and (base / name).is_dir())


def _path(text: str, base: Path) -> Path:
    return Path(text) if URL.match(text) else base / Path(text).expanduser()
