"""The same masks under several protocols, and what the choices in which two records differ are worth on them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Unpack

from vosbench import registry
from vosbench.dataset import Dataset, DatasetProtocol
from vosbench.dataset.selection import split_of, usual_protocol
from vosbench.errors import DataError, UsageError, VosbenchError, suggest
from vosbench.evaluate.numbering import Numbering
from vosbench.face import functions
from vosbench.face.options import (
    SILENT,
    AnyPath,
    Listener,
    Names,
    SelectOptions,
    names_of,
    paths_of,
    refuse_unknown,
)
from vosbench.face.result import Result
from vosbench.metrics.measures import MEASURES, Family, measure_of
from vosbench.records.record import Record
from vosbench.report.protocols import CHOICES, Worth, apart, in_words, otherwise, protocols_table, worth_table
from vosbench.report.table import Format, Table, render

ALL = "all"


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class ProtocolsResult:
    """The scores of the same masks under several protocols; prints as a table with what each does otherwise.

    Attributes:
        results: protocol → result, the usual one first.
        sentences: protocol → what it does otherwise than the usual one.
        left_out: protocol → why it cannot be taken.
        problem: why the call has failed although there are results; None if it has not.
    """

    results: Mapping[str, Result]
    sentences: Mapping[str, str]
    left_out: Mapping[str, str]
    problem: VosbenchError | None = None

    def table(self) -> Table:
        """A line for each protocol."""
        records = {name: result.record for name, result in self.results.items()}
        return protocols_table(records, self.sentences, self.left_out)

    def render(self, kind: Format = "table", width: int | None = None) -> str:
        """The table as text, fitted to a terminal's width if it is given; ``"json"`` has the whole records."""
        if kind != "json":
            return render(self.table(), kind, width)
        whole = {
            "protocols": {
                name: {"otherwise": self.sentences[name], "record": json.loads(result.record.to_json())}
                for name, result in self.results.items()
            },
            "left_out": dict(self.left_out),
        }
        return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"

    def __repr__(self) -> str:
        """The table."""
        return self.render().rstrip("\n")


def score_protocols(  # noqa: PLR0913 - the options of the command line
    masks: AnyPath,
    dataset: AnyPath | Dataset,
    protocols: Names = ALL,
    *,
    codec: str | None = None,
    numbering: Numbering = "auto",
    name: str | None = None,
    jobs: int = 1,
    plugins: Iterable[AnyPath] = (),
    listener: Listener = SILENT,
    **selecting: Unpack[SelectOptions],
) -> ProtocolsResult:
    """Score the same masks under several protocols of a dataset.

    Args:
        masks: as in `vosbench.score`, as the other arguments.
        dataset: likewise.
        protocols: names of its protocols; ``"all"`` for all, without those that the masks cannot be scored under.
        codec: likewise.
        numbering: likewise.
        name: likewise.
        jobs: likewise.
        plugins: likewise.
        listener: likewise.
        selecting: see `SelectOptions`; of ``measures``, each protocol takes those that it has.

    Raises:
        UsageError: if a name or option is unknown.
        DataError: if the masks can be scored under none of the protocols.
    """
    refuse_unknown(selecting, SelectOptions.__optional_keys__, "score_protocols")
    files = paths_of(plugins)
    data = functions.dataset_of(dataset, files)
    families = registry.load_families(files)
    usual = usual_protocol(data, selecting.get("split"))
    chosen = _chosen(data, usual, names_of(protocols))
    measures = _measures(chosen, names_of(selecting.get("measures", ())), families)
    split = split_of(data, selecting.get("split"), usual)
    results: dict[str, Result] = {}
    left_out: dict[str, str] = {}
    problem: VosbenchError | None = None
    for number, protocol in enumerate(chosen):
        part = replace(listener, advance=_part(listener, protocol.name, number, len(chosen)))
        if number:  # the notes on how masks are read are the same
            part = replace(part, note=lambda _line: None)
        options: SelectOptions = {**selecting, "split": split, "protocol": protocol}
        try:
            if measures[protocol.name] == ():
                raise DataError("it has none of the measures")
            options["measures"] = measures[protocol.name] or ()
            result = functions.score(
                masks,
                dataset=data,
                codec=codec,
                numbering=numbering,
                name=name,
                jobs=jobs,
                plugins=plugins,
                listener=part,
                **options,
            )
            if result.problem:
                raise DataError(result.problem)
            results[protocol.name] = result
        except VosbenchError as error:
            left_out[protocol.name] = str(error)
            if protocol == usual or names_of(protocols) != (ALL,):
                problem = problem or type(error)(f'protocol "{protocol.name}": {error}')
            if number == len(chosen) - 1 and not results:
                raise
    taken = {name: result.selection.protocol for name, result in results.items()}
    base = next(iter(taken.values()))
    sentences = {name: "" if each is base else otherwise(each, base) for name, each in taken.items()}
    return ProtocolsResult(results=results, sentences=sentences, left_out=left_out, problem=problem)


def _chosen(dataset: Dataset, usual: DatasetProtocol, names: Sequence[str]) -> list[DatasetProtocol]:
    """The protocols that are asked for; the usual one is the first, also if it is not asked for."""
    known = {protocol.name: protocol for protocol in dataset.protocols}
    for name in names:
        if name != ALL and name not in known:
            raise UsageError(f'{dataset.name} has no protocol "{name}"; {suggest(name, list(known))}')
    wanted = list(known) if ALL in names else list(names)
    return [known[name] for name in dict.fromkeys((usual.name, *wanted))]


def _measures(
    protocols: Sequence[DatasetProtocol], asked: Sequence[str], families: Mapping[str, Family]
) -> dict[str, tuple[str, ...] | None]:
    """Protocol → those of the measures that it has; None if all of its own are taken."""
    offered = {each.name: (*each.measures, *each.more, *families) for each in protocols}
    known = list(dict.fromkeys(name for names in offered.values() for name in names))
    for name in asked:
        if name not in known:
            raise UsageError(f'no protocol has the measure "{name}"; {suggest(name, known)}')
    return {name: tuple(each for each in asked if each in names) if asked else None for name, names in offered.items()}


def _part(listener: Listener, name: str, number: int, of: int) -> Callable[[str, int, int], None]:
    return lambda what, done, total: listener.advance(f"{name}: {what}", number * total + done, of * total)


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class ExplainResult:
    """In which choices two records differ, and what each is worth on given masks; prints as a table.

    Attributes:
        worths: the choices, then all of them together.
        keys: the scores that they move.
        notes: what readers should know.
    """

    worths: tuple[Worth, ...]
    keys: tuple[str, ...]
    notes: tuple[str, ...]

    def table(self) -> Table:
        """A line for each choice."""
        return worth_table(self.worths, self.keys, self.notes)

    def render(self, kind: Format = "table", width: int | None = None) -> str:
        """The table as text, fitted to a terminal's width if it is given."""
        return render(self.table(), kind, width)

    def __repr__(self) -> str:
        """The table."""
        return self.render().rstrip("\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    """How masks are scored."""

    protocol: DatasetProtocol
    limit: int | None
    videos: tuple[str, ...]
    codec: str | None

    @classmethod
    def of(cls, record: Record, protocol: DatasetProtocol, codec: str | None) -> "_Setting":
        chosen = tuple(record.videos) if record.split_size is not None else ()
        return cls(protocol=protocol, limit=record.provenance.limit, videos=chosen, codec=codec)


def explain(  # noqa: PLR0913 - the options of the command line
    masks: AnyPath,
    dataset: AnyPath | Dataset,
    first: Record | AnyPath,
    second: Record | AnyPath,
    *,
    numbering: Numbering = "auto",
    jobs: int = 1,
    measures: Names = (),
    root: AnyPath | None = None,
    layout: str | None = None,
    plugins: Iterable[AnyPath] = (),
    listener: Listener = SILENT,
) -> ExplainResult:
    """Say in which choices two records differ, and what each is worth on given masks.

    The masks are scored as the first record was, then with each of the second one's choices alone, then with all.

    Args:
        masks: as in `vosbench.score`, as the other arguments.
        dataset: likewise.
        first: a record, or the path of one.
        second: the other.
        numbering: likewise.
        jobs: likewise.
        measures: some of the measures that both protocols have.
        root: the dataset's folder.
        layout: its layout.
        plugins: Python files with datasets or measures.
        listener: callbacks for progress and notes.

    Raises:
        DataError: if a record is of another dataset or a protocol that is not known here, or they have no measure in
            common.
    """
    data = functions.dataset_of(dataset, paths_of(plugins))
    registry.load_families(paths_of(plugins))
    one, other = (each if isinstance(each, Record) else functions.read_record(each) for each in (first, second))
    protocols = [_protocol_of(each, data) for each in (one, other)]
    taken = tuple(name for name in protocols[0].measures if name in protocols[1].measures)
    asked = names_of(measures) or taken
    if protocols[0].unit != protocols[1].unit or not taken:
        raise DataError(f"{one.protocol} and {other.protocol} have no measure in common, so no choice can be compared")
    unknown = next((name for name in asked if name not in taken), None)
    if unknown is not None:
        raise UsageError(f'the protocols have no "{unknown}" in common; {suggest(unknown, taken)}')
    one_protocol, other_protocol = (each.only(asked) for each in protocols)
    codecs = one.provenance.codec, other.provenance.codec
    reading = codecs if codecs[0] != codecs[1] else (None, None)
    start = _Setting.of(one, one_protocol, reading[0])
    goal = _Setting.of(other, other_protocol, reading[1])
    steps = _steps(start, goal)

    def scores(setting: _Setting, what: str) -> Mapping[str, float | None]:
        result = functions.score(
            masks,
            dataset=data,
            codec=setting.codec,
            numbering=numbering,
            jobs=jobs,
            plugins=plugins,
            listener=replace(listener, advance=lambda _, done, total: listener.advance(what, done, total)),
            root=root,
            layout=layout,
            split=one.split,
            protocol=setting.protocol,
            limit=setting.limit,
            videos=setting.videos,
        )
        return result.record.scores

    base = scores(start, "first")
    worths = [_worth(step, base, partial(scores, step[3], step[0])) for step in steps]
    if len(steps) > 1:
        worths.append(_worth(("all together", "", "", goal), base, partial(scores, goal, "second")))
    keys = tuple(key for key in MEASURES if key in base)
    moved = {
        key: None if (was := one.scores.get(key)) is None or (now := other.scores.get(key)) is None else now - was
        for key in keys
    }
    worths.append(Worth(choice="the records", first=one.name, second=other.name, scores=moved))
    notes = [f"second − first, on these masks, scored as {one.signature}"]
    return ExplainResult(
        worths=tuple(worths), keys=keys, notes=(*notes, *_unmeasured(one, other, [step[0] for step in steps]))
    )


Step = tuple[str, str, str, _Setting]


def _steps(start: _Setting, goal: _Setting) -> list[Step]:
    """The choices that differ: what they are about, both in words, and the first setting with the second's choice."""
    steps: list[Step] = []
    for name in apart(start.protocol, goal.protocol):
        changed = replace(start.protocol, **{name: getattr(goal.protocol, name)})
        words = in_words(name, start.protocol), in_words(name, goal.protocol)
        steps.append((f"{name.replace('_', ' ')}: {CHOICES[name]}", *words, replace(start, protocol=changed)))
    if start.limit != goal.limit:
        limits = [f"the first {each} of each video" if each else "all" for each in (start.limit, goal.limit)]
        steps.append(("limit: frames", limits[0], limits[1], replace(start, limit=goal.limit)))
    if set(start.videos) != set(goal.videos):
        counts = [f"{len(each.videos)} chosen" if each.videos else "all of the split" for each in (start, goal)]
        steps.append(("videos", counts[0], counts[1], replace(start, videos=goal.videos)))
    if start.codec != goal.codec:
        steps.append(("codec: masks are read as", str(start.codec), str(goal.codec), replace(start, codec=goal.codec)))
    return steps


def _worth(step: Step, base: Mapping[str, float | None], again: Callable[[], Mapping[str, float | None]]) -> Worth:
    choice, first, second, _ = step
    try:
        found = again()
    except VosbenchError as error:
        return Worth(choice=choice, first=first, second=second, scores={}, reason=str(error))
    differences = {
        key: None if value is None or (was := base.get(key)) is None else value - was for key, value in found.items()
    }
    return Worth(choice=choice, first=first, second=second, scores=differences)


def _unmeasured(one: Record, other: Record, choices: Sequence[str]) -> list[str]:
    """What else differs, which is not measured here; hashes say nothing if other frames or videos were scored."""
    same = [] if choices else ["the records are of the same choices"]
    pairs = {
        "the split": (one.split, other.split),
        "the version of vosbench": (one.provenance.vosbench, other.provenance.vosbench),
    }
    if not any(choice.partition(":")[0] in {"frames", "empty", "limit", "videos"} for choice in choices):
        pairs["the masks"] = (one.provenance.masks, other.provenance.masks)
        pairs["the annotations"] = (one.provenance.annotations, other.provenance.annotations)
    changed = [what for what, (was, now) in pairs.items() if was != now]
    return [*same, *([f"they differ also in {', '.join(changed)}, which is not measured here"] if changed else [])]


def _protocol_of(record: Record, dataset: Dataset) -> DatasetProtocol:
    """The protocol of a record.

    Raises:
        DataError: if the record is of another dataset, or the protocol is not known here.
    """
    if record.dataset != dataset.name:
        raise DataError(f'"{record.name}" is a record of {record.place}, not of {dataset.name}')
    known = {f"{protocol.name}@{protocol.version}": protocol for protocol in dataset.protocols}
    if record.protocol not in known:
        raise DataError(f'"{record.name}" is under {record.protocol}, which {dataset.name} does not have here')
    names = [name for name in known[record.protocol].measures if any(_symbol(key) == name for key in record.scores)]
    return known[record.protocol].only(names) if names else known[record.protocol]


def _symbol(key: str) -> str:
    return measure_of(key).symbol
