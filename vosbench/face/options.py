"""The keyword arguments of the Python face, and who is told how its work goes."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

from vosbench.dataset import DatasetProtocol
from vosbench.dataset.selection import Choice
from vosbench.errors import suggest
from vosbench.records.tolerance import EVERY, LATENCY, Tolerances

AnyPath = str | os.PathLike[str]
Names = str | Sequence[str]
"""Names, or a string of them with commas between."""
Allowed = float | Mapping[str, float]
"""How much may be lost: a number for all, or name → number."""


class SelectOptions(TypedDict, total=False):
    """Keyword arguments that select the videos and the protocol; the dataset's defaults hold for the others.

    ``root``: the dataset's folder. ``split``, ``layout``: names. ``protocol``: the name of one of the dataset's, or a
    `DatasetProtocol`. ``videos``: some of the split's. ``limit``: first frames of each video. ``measures``: some of the
    protocol's.
    """

    root: AnyPath | None
    split: str | None
    layout: str | None
    protocol: str | DatasetProtocol | None
    videos: Names
    limit: int | None
    measures: Names


class RunOptions(SelectOptions, total=False):
    """Those, and the keyword arguments that set a method up; see `vosbench.Setup`, whose defaults hold for the others.

    ``untrained`` runs with random weights; ``options`` are the method's own, by name.
    """

    weights: AnyPath | None
    untrained: bool
    seed: int
    device: str
    batch: int
    precision: str
    compile: bool
    options: Mapping[str, str]


class ToleranceOptions(TypedDict, total=False):
    """Keyword arguments that say how much worse than its baseline a run may be.

    ``tolerance``: what a mean may lose. ``relative``: the same as a fraction of the baseline; the larger applies.
    ``video_tolerance``: what a video may lose, by video, measure or ``"video/measure"``. ``max_drop``: the most that
    any mean may lose. ``speed_tolerance``: how much longer a median frame may take, as a fraction. ``speed_gate``:
    whether a slower run fails.
    """

    tolerance: Allowed | None
    relative: Allowed | None
    video_tolerance: Allowed | None
    max_drop: float | None
    speed_tolerance: float | None
    speed_gate: bool


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told how work goes; by default nobody.

    Attributes:
        advance: called with what is worked on, how much is done, and of how much: frames of a run, videos of a score.
        note: called with a line as soon as it is known; results keep it too.
    """

    advance: Callable[[str, int, int], None] = lambda _what, _done, _total: None
    note: Callable[[str], None] = lambda _line: None


SILENT = Listener()


def choice_of(given: SelectOptions, usual: Names = ()) -> Choice:
    """Keyword arguments as a value; ``usual`` are the measures if none are named."""
    root = given.get("root")
    return Choice(
        root=None if root is None else Path(root),
        split=given.get("split"),
        layout=given.get("layout"),
        protocol=given.get("protocol"),
        videos=names_of(given.get("videos", ())),
        limit=given.get("limit"),
        measures=names_of(given.get("measures", ())) or names_of(usual),
    )


def tolerances(**allowed: Unpack[ToleranceOptions]) -> Tolerances:
    """Make tolerances of keyword arguments.

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


def names_of(given: Names) -> tuple[str, ...]:
    """Names, of which a string holds several with commas between.

    >>> names_of("cows, dog"), names_of(["cows"])
    (('cows', 'dog'), ('cows',))
    """
    each = given.split(",") if isinstance(given, str) else given
    return tuple(name.strip() for name in each if name.strip())


def paths_of(given: Iterable[AnyPath]) -> tuple[Path, ...]:
    """Paths as such."""
    return tuple(Path(each) for each in given)


def refuse_unknown(given: Mapping[str, object], known: frozenset[str], function: str) -> None:
    """Refuse a keyword that no option has, as Python does."""
    for name in given:
        if name not in known:
            raise TypeError(f'{function}() has no option "{name}"; {suggest(name, sorted(known))}')
