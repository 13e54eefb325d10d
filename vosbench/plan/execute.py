"""Do what is left of a plan: its videos are one queue, and a record is written as soon as its last video is back."""

import builtins
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from vosbench.engine.engine import Engine, Outcome, Serial
from vosbench.engine.locks import InUseError
from vosbench.errors import DataError, PluginError, UsageError, VideoError, VosbenchError, one_line
from vosbench.files import sha256
from vosbench.plan import state
from vosbench.plan.prepare import Entry
from vosbench.plan.progress import Progress, progress
from vosbench.plan.queue import Length, order
from vosbench.runner import Opened, Segmented, Unit, finish, opened, pieces, segment

Advance = Callable[[str, int, int], None]
AT_ONCE = 200
"""Entries that are open at the same time, each of which holds a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is done with entries that have a history.

    Attributes:
        replace: replace records and maps whose inputs have changed, instead of refusing.
        retry: try again what has failed.
    """

    replace: bool = False
    retry: bool = False


@dataclass(eq=False)
class _Open:
    """An entry that is being worked on."""

    entry: Entry
    run: Opened
    stack: ExitStack
    known: state.State
    waiting: set[str]
    new: frozenset[str]
    results: list[Segmented] = field(default_factory=list)
    ended: VosbenchError | None = None


@dataclass(slots=True)
class Report:
    """What became of a plan.

    Attributes:
        progress: of each entry, in the plan's order.
        errors: the errors of entries, by their index.
        left: entries that another process was working on → who.
    """

    progress: list[Progress]
    errors: dict[int, VosbenchError] = field(default_factory=dict)
    left: dict[int, str] = field(default_factory=dict)


def left_to_do(every: Sequence[Progress], policy: Policy) -> list[int]:
    """The indices of entries that are done now."""
    return [
        index
        for index, each in enumerate(every)
        if each.kind in {"to do", "begun", "running"}
        or (each.kind == "failed" and policy.retry)
        or (each.kind == "changed" and policy.replace)
    ]


def execute(
    entries: Sequence[Entry], policy: Policy, engine: Engine | None = None, advance: Advance = lambda *_: None
) -> Report:
    """Do what is left.

    Args:
        entries: those that can be run here, in the plan's order.
        policy: what is done with what has failed or changed.
        engine: where videos are segmented; in this process if None.
        advance: called with what is being done, and the finished frames of all that are left.

    Raises:
        OSError: if files cannot be written, such as on a full disk; what is finished is kept.
        DataError: likewise, on a cluster.
    """
    report = Report([progress(entry) for entry in entries])
    todo = left_to_do(report.progress, policy)
    total = sum(entries[index].frames for index in todo)
    work = _Work(entries, report, policy, engine, partial(_counted, advance, total))
    for wave in _waves(entries, todo, one_process=engine is None):
        work.wave(wave)
    for wave in _waves(entries, list(report.left), one_process=engine is None):  # who had them may be done by now
        for index in wave:
            report.left.pop(index)
        work.wave(wave)
    for index in todo:
        report.progress[index] = progress(entries[index])
    return report


def _counted(advance: Advance, total: int, what: str, done: int) -> None:
    advance(what, done, total)


def _waves(entries: Sequence[Entry], todo: Sequence[int], *, one_process: bool) -> Iterator[list[int]]:
    """Entries that are open at the same time, none of which has the maps of another.

    In one process they also have one predictor, so that other entries are free for another process.
    """
    seen: dict[object, int] = {}
    turns: dict[tuple[int, object], list[int]] = {}
    lengths = [Length(id(entries[i].setting), max(map(len, entries[i].selection.videos), default=0)) for i in todo]
    for place in order(lengths):
        index = todo[place]
        maps = entries[index].maps
        turn = seen[maps] = seen.get(maps, -1) + 1
        turns.setdefault((turn, lengths[place].group if one_process else None), []).append(index)
    for _, indices in sorted(turns.items(), key=lambda item: item[0][0]):
        rest = iter(indices)
        while wave := list(islice(rest, AT_ONCE)):
            yield wave


class _Work:
    """Works on entries, and notes what becomes of them."""

    def __init__(
        self,
        entries: Sequence[Entry],
        report: Report,
        policy: Policy,
        engine: Engine | None,
        advance: Callable[[str, int], None],
    ) -> None:
        self._entries, self._report, self._policy, self._advance = entries, report, policy, advance
        self._here, self._engine = engine is None, engine
        self._frames: dict[str, int] = {}
        self._labels: dict[Path, str] = {}
        self._done = 0

    def wave(self, indices: Sequence[int]) -> None:
        """Work on entries whose videos are one queue."""
        with ExitStack() as stack:
            going: dict[int, _Open] = {}
            for index in indices:
                with self._noting(index):
                    if (found := self._open(index, stack, load=self._here and not going)) is not None:
                        going[index] = found
            units = [(index, unit) for index, each in going.items() for unit in each.run.units()]
            units = [(index, unit) for index, unit in units if unit.video.name in going[index].waiting]
            places = order([Length(unit.key, len(unit.video)) for _, unit in units])
            units = [units[place] for place in places]
            for index in [index for index, each in going.items() if not each.waiting]:
                self._finish(index, going[index])  # all that is left has failed before
            self._labels = {each.run.folder: each.entry.label for each in going.values()}
            of = {each.run.folder: index for index, each in going.items()}
            for unit, outcome in self._outcomes([unit for _, unit in units]):
                index, each = of[unit.folder], going[of[unit.folder]]
                self._note(each, unit, outcome)
                if not each.waiting:
                    self._finish(index, each)

    def _outcomes(self, units: Sequence[Unit]) -> Iterator[tuple[Unit, Outcome[Segmented]]]:
        """Segment videos in the order of the queue, or as soon as workers are free."""
        if self._engine is None:
            for outcome in Serial().run(self._segment, units, name=self._name, cost=lambda _: 1.0):
                yield units[outcome.index], outcome
            return
        costs = {self._name(unit): float(len(units) - place) for place, unit in enumerate(units)}
        yield from pieces.outcomes(units, self._engine, name=self._name, cost=lambda unit: costs[self._name(unit)])

    def _open(self, index: int, stack: ExitStack, *, load: bool) -> _Open | None:
        """Take hold of an entry; None if another process has finished it meanwhile."""
        entry, now = self._entries[index], self._now(index)
        if now is None:
            return None
        replaces = now.kind == "changed" or (now.known is not None and now.known.replaces)
        own = stack.enter_context(ExitStack())
        run = own.enter_context(opened(*entry.job, entry.out, overwrite=replaces, load=load))
        if entry.known() != now.known and (now := self._now(index)) is None:  # another process has had it meanwhile
            own.close()
            return None
        differing = [] if now.known is None else state.changed(now.known.inputs, entry.inputs)
        if now.known is not None:
            _discard(run, now.known.inputs, entry.inputs)
        begun = entry.begun()
        if now.known is not None and not differing:
            begun = now.known.model_copy(update={"failed": {}, "ended": None} if self._policy.retry else {})
        begun = begun.model_copy(update={"replaces": replaces, "tried": False})
        state.write(entry.state_path, begun)
        videos = [video.name for video in run.selection.videos]
        new = frozenset(name for name in videos if not (run.folder / name).is_dir())
        results = [Segmented(name, failure=begun.failed[name]) for name in videos if name in begun.failed]
        return _Open(entry, run, own, begun, {*videos} - begun.failed.keys(), new, results)

    def _now(self, index: int) -> Progress | None:
        """How far an entry is; None if there is nothing to do, since another process has done it.

        Raises:
            UsageError: if another process did it with other inputs.
        """
        now = progress(self._entries[index])
        if now.kind == "changed" and not self._policy.replace:
            raise UsageError(f"another process has used other inputs meanwhile: {', '.join(now.changes)}")
        return None if now.kind == "done" or (now.kind == "failed" and not self._policy.retry) else now

    def _name(self, unit: Unit) -> str:
        return f"{self._labels[unit.folder]}, {unit.video.name}"

    def _segment(self, unit: Unit) -> Segmented:
        return segment(unit, lambda _video, done: self._count(unit, done))

    def _count(self, unit: Unit, done: int) -> None:
        name = self._name(unit)
        self._done += done - self._frames.get(name, 0)
        self._frames[name] = done
        self._advance(f"{self._labels[unit.folder].split(' (')[0]}, {unit.video.name}", self._done)

    def _note(self, each: _Open, unit: Unit, outcome: Outcome[Segmented]) -> None:
        """Note what became of a video; a failure is remembered at once."""
        video, failure = unit.video.name, outcome.failure
        each.waiting.discard(video)
        self._count(unit, len(unit.video))
        if failure is None:
            result = outcome.result()
        elif failure.kind in {"killed", "timeout"}:
            result = Segmented(video, failure=failure.message)
        else:
            error = failure.exception()
            if isinstance(error, OSError):
                raise error
            if _is_of_files(failure.type):  # on a cluster
                raise DataError(failure.message)
            each.ended = each.ended or (error if isinstance(error, VosbenchError) else _unexpected(video, error))
            return
        each.results.append(result)
        update: dict[str, object] = {}
        if result.failure is not None:
            update = {"failed": {**each.known.failed, video: result.failure}}
        elif video in each.new:
            update = {
                "frames": each.known.frames + len(unit.video),
                "seconds": each.known.seconds + outcome.seconds,
            }
        each.known = each.known.model_copy(update=update)
        if result.failure is not None:
            state.write(each.entry.state_path, each.known)

    def _finish(self, index: int, each: _Open) -> None:
        """Write the record of an entry, and what there is to remember."""
        with self._noting(index):
            if each.ended is not None:
                raise each.ended
            selection, name = each.run.selection, f"{each.run.name}{each.run.selection.apart}.json"
            try:
                finish(each.run, each.results)
            except VideoError:
                self._remember(
                    each, name if selection.annotated and len(each.known.failed) < len(selection.videos) else ""
                )
                raise
            self._remember(each, name if selection.annotated else "")
        each.results.clear()
        if not self._here:
            each.stack.close()

    def _remember(self, each: _Open, record: str) -> None:
        """Remember that all videos of an entry were tried, and the record that was written, if one was."""
        update: dict[str, object] = {"tried": True, "maps_alone": not each.run.selection.annotated}
        if record:
            digest = sha256(each.entry.place / record)
            update |= {"record": record, "sha256": digest, "replaces": False}
        each.known = each.known.model_copy(update=update)
        state.write(each.entry.state_path, each.known)

    @contextmanager
    def _noting(self, index: int) -> Iterator[None]:
        """Note the error of an entry; one that another attempt would meet again is remembered, too."""
        entry = self._entries[index]
        try:
            yield
        except InUseError as error:
            self._report.left[index] = error.holder
        except VosbenchError as error:
            self._report.errors[index] = error
            if isinstance(error, DataError | PluginError):
                known = entry.known() or entry.begun()
                ended = state.Ended(message=str(error), exit_code=error.exit_code)
                state.write(entry.state_path, known.model_copy(update={"ended": ended}))


def _discard(run: Opened, old: state.Inputs, new: state.Inputs) -> None:
    """Discard maps of other code, and those of videos with other frames; the card of maps knows of neither."""
    frames = old.get(state.FRAMES, {})
    for video in run.selection.videos:
        if old.get(state.CODE) != new[state.CODE] or frames.get(video.name) != new[state.FRAMES][video.name]:
            for each in (*(run.folder / video.name).glob("*.png"), *(run.folder / video.name).glob(".*")):
                each.unlink()


class UnexpectedError(VosbenchError):
    """An error that nobody has expected, of one entry of many."""

    exit_code = 70


def _is_of_files(name: str) -> bool:
    """Whether an error by its name is one of the file system, such as a full disk, which nothing else escapes."""
    found = getattr(builtins, name, None)
    return isinstance(found, type) and issubclass(found, OSError)


def _unexpected(video: str, error: BaseException) -> UnexpectedError:
    return UnexpectedError(f'"{video}": {one_line(error)} (unexpected; run it alone with --debug)')
