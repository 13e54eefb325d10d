"""Keyword arguments and progress callbacks of the Python face."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

from vosbench.dataset import DatasetProtocol
from vosbench.dataset.selection import Choice, Selection
from vosbench.errors import UsageError, suggest
from vosbench.method import Setup
from vosbench.method.remote import fetched
from vosbench.records.tolerance import EVERY, LATENCY, Tolerances

AnyPath = str | os.PathLike[str]
Names = str | Sequence[str]
"""Names, or a string of names separated by commas."""
Allowed = float | Mapping[str, float]
"""Allowed losses: a number for all, or name → number."""


class SelectOptions(TypedDict, total=False):
    """Keyword arguments that select the videos and the protocol; the others default to the dataset's.

    ``root``: the dataset's folder. ``split``, ``layout``: names. ``protocol``: a name of the dataset's, or a
    `DatasetProtocol`. ``videos``: some of the split's, over which means are then taken. ``limit``: use only the first
    frames of each video. ``measures``: some of the protocol's.
    """

    root: AnyPath | None
    split: str | None
    layout: str | None
    protocol: str | DatasetProtocol | None
    videos: Names
    limit: int | None
    measures: Names


class SetupOptions(TypedDict, total=False):
    """Keyword arguments that set up a method; see `vosbench.Setup` for the defaults.

    ``untrained`` runs with random weights; ``options`` are options of the method, by name; ``flow`` is a folder of
    optical flow, or a method that makes it, such as ``"dis"``, for methods that need flow.
    """

    weights: AnyPath | None
    untrained: bool
    seed: int
    device: str
    batch: int
    precision: str
    compile: bool
    threads: int
    options: Mapping[str, str]
    flow: AnyPath | None


class RunOptions(SelectOptions, SetupOptions, total=False):
    """Keyword arguments that select the videos and the protocol, and set up a method."""


class SuiteOptions(TypedDict, total=False):
    """Keyword arguments that select the datasets of a suite; it states the splits and protocols itself.

    ``root``: a folder that contains the datasets, searched in place of ``VOSBENCH_DATA``. ``limit``: use only the first
    frames of each video. ``measures``: for each dataset, those of them that its protocol has. ``available``: leave out
    datasets that are missing or incomplete here instead of refusing.
    """

    root: AnyPath | None
    limit: int | None
    measures: Names
    available: bool


class SuiteRunOptions(SuiteOptions, SetupOptions, total=False):
    """Keyword arguments that select the datasets of a suite, and set up a method."""


class ToleranceOptions(TypedDict, total=False):
    """Keyword arguments that set how much worse than its baseline a run may be.

    ``tolerance``: allowed loss of a mean. ``relative``: the same as a fraction of the baseline; the larger applies.
    ``video_tolerance``: allowed loss of a video, by video, measure or ``"video/measure"``. ``max_drop``: largest
    allowed loss of any mean. ``speed_tolerance``: allowed increase of the median frame time, as a fraction.
    ``speed_gate``: whether a slower run fails.
    """

    tolerance: Allowed | None
    relative: Allowed | None
    video_tolerance: Allowed | None
    max_drop: float | None
    speed_tolerance: float | None
    speed_gate: bool


@dataclass(frozen=True, slots=True)
class Listener:
    """Callbacks for progress and notes; by default they do nothing.

    Attributes:
        advance: called with the current item, the progress and the total, in frames of a run or videos of a score.
        note: called with each note as soon as it is known; results keep it too.
        selected: called with the videos and the protocol before the work starts.
    """

    advance: Callable[[str, int, int], None] = lambda _what, _done, _total: None
    note: Callable[[str], None] = lambda _line: None
    selected: Callable[[Selection], None] = lambda _selection: None


SILENT = Listener()


def choice_of(options: SelectOptions, measures: Names = ()) -> Choice:
    """Convert keyword arguments to a choice, with default measures."""
    root = options.get("root")
    return Choice(
        root=None if root is None else Path(root),
        split=options.get("split"),
        layout=options.get("layout"),
        protocol=options.get("protocol"),
        videos=names_of(options.get("videos", ())),
        limit=options.get("limit"),
        measures=names_of(options.get("measures", ())) or names_of(measures),
    )


def setup_of(options: SetupOptions, note: Callable[[str], None] = lambda _: None) -> Setup:
    """Convert keyword arguments to a setup; weights that are named by address are fetched, with a note.

    Raises:
        UsageError: if there are no threads to compute with; as `vosbench.method.remote.fetched`.
        DataError: likewise.
    """
    weights, plain = options.get("weights"), Setup()
    if options.get("threads", plain.threads) < 1:
        raise UsageError(f"threads must be at least 1, not {options['threads']}")
    return Setup(
        weights=None if weights is None else fetched(Path(weights), note),
        seed=options.get("seed", plain.seed),
        device=options.get("device", plain.device),
        batch=options.get("batch", plain.batch),
        precision=options.get("precision", plain.precision),
        compile=options.get("compile", plain.compile),
        threads=options.get("threads", plain.threads),
        flow=None if (flow := options.get("flow")) is None else os.fspath(flow),
        options=options.get("options", plain.options),
    )


def tolerances(**allowed: Unpack[ToleranceOptions]) -> Tolerances:
    """Convert keyword arguments to tolerances.

    Raises:
        UsageError: if one is unknown, negative or not finite.

    >>> tolerances(tolerance=0.01, video_tolerance={"cows": 0.05}).absolute
    {'': 0.01}
    """
    refuse_unknown(allowed, ToleranceOptions.__optional_keys__, "check")
    named = [allowed.get("tolerance"), allowed.get("relative"), allowed.get("video_tolerance")]
    absolute, relative, videos = (
        {} if each is None else each if isinstance(each, Mapping) else {EVERY: each} for each in named
    )
    latency = allowed.get("speed_tolerance")
    return Tolerances(
        absolute=absolute,
        relative=relative,
        videos=videos,
        max_drop=allowed.get("max_drop"),
        latency=LATENCY if latency is None else latency,
        gate_speed=allowed.get("speed_gate", False),
    )


def names_of(names: Names) -> tuple[str, ...]:
    """Split a string of names at its commas; strip names.

    >>> names_of("cows, dog"), names_of(["cows"])
    (('cows', 'dog'), ('cows',))
    """
    parts = names.split(",") if isinstance(names, str) else names
    return tuple(name.strip() for name in parts if name.strip())


def paths_of(paths: Iterable[AnyPath]) -> tuple[Path, ...]:
    """Convert to paths."""
    return tuple(map(Path, paths))


def refuse_unknown(options: Mapping[str, object], known: frozenset[str], function: str) -> None:
    """Raise TypeError for an unknown keyword, as Python does."""
    for name in options:
        if name not in known:
            raise TypeError(f'{function}() has no option "{name}"; {suggest(name, sorted(known))}')
