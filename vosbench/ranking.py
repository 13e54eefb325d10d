"""Lines of scores, ranked by a measure."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vosbench import directions
from vosbench.errors import UsageError
from vosbench.marks import Better
from vosbench.tables import Cell, Number, Table

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
MEASURED, STATED = "measured", "not stated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of a leaderboard.

    Attributes:
        method: what it is called.
        origin: ``"measured"``, or the source of published numbers.
        protocol: the protocol's name and version, or that it is not stated.
        scores: measure → value in [0, 1]; None is not known.
        differences: lines that belong to it: the published line's origin → measure → measured minus published.
    """

    method: str
    origin: str
    protocol: str
    scores: Mapping[str, float | None]
    differences: Mapping[str, Mapping[str, float | None]]


def better(key: str) -> Better:
    """Whether higher or lower values of a measure are better.

    >>> better("J_mean"), better("MAE")
    ('higher', 'lower')
    """
    return "lower" if directions.better(key) < 0 else "higher"


def entries_table(entries: Sequence[Entry], keys: Sequence[str], *, sort: str | None, origins: bool) -> Table:
    """Ranked lines as a table.

    Raises:
        UsageError: where the measure that ranks is not among the keys.
    """
    ranked = rank(entries, keys, sort)
    rows: list[tuple[Cell, ...]] = []
    for each in ranked:
        rows.append(row(each.method, each.scores, keys, (each.origin, each.protocol) if origins else ()))
        for origin, values in each.differences.items():
            cells = [None if (value := values.get(key)) is None else Number(value, 4, signed=True) for key in keys]
            rows.append((each.method, f"{MEASURED} − {origin}", each.protocol, *cells))
    named: tuple[str, ...] = ("method", "from", "protocol") if origins else ("method",)
    ways: list[Better] = [""] * len(named)
    ways += map(better, keys)
    return Table(columns=(*named, *headings(keys)), rows=rows, better=tuple(ways))


def rank(entries: Sequence[Entry], keys: Sequence[str], sort: str | None = None) -> list[Entry]:
    """Sort lines by a measure, best first; by J&F, or the first measure, where none is asked for.

    Raises:
        UsageError: where the measure is not among the keys; the message offers the nearest.
    """
    key = ("JF_mean" if "JF_mean" in keys else keys[0]) if sort is None else measure_of(sort, keys)
    sign = -1 if better(key) == "higher" else 1

    def place(each: Entry) -> tuple[bool, float, str, str]:
        value = each.scores.get(key)
        return value is None, 0.0 if value is None else sign * value, each.method, each.origin

    return sorted(entries, key=place)


def measure_of(asked: str, keys: Sequence[str]) -> str:
    """The key of a measure that is asked for by key or heading.

    Raises:
        UsageError: where it is not among the keys; the message offers the nearest.

    >>> measure_of("J&F", ["J_mean", "JF_mean"])
    'JF_mean'
    """
    names = {name.lower(): key for key in reversed(keys) for name in (HEADINGS.get(key, key), key)}
    if asked.lower() not in names:
        raise UsageError(f'there is no measure "{asked}" in this table; {suggest(asked, keys)}')
    return names[asked.lower()]


def suggest(name: str, known: Sequence[str]) -> str:
    """What to type instead of an unknown name.

    >>> suggest("J_men", ["J_mean", "F_mean"])
    'did you mean "J_mean"?'
    """
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f'did you mean "{near[0]}"?' if near else f"there are: {', '.join(known)}"


def headings(keys: Sequence[str]) -> list[str]:
    """The headings of measures."""
    return [HEADINGS.get(key, key) for key in keys]


def row(
    name: str, scores: Mapping[str, float | None], keys: Sequence[str], more: Sequence[str] = ()
) -> tuple[Cell, ...]:
    """A line; what a video has no score of, such as a mean over all videos, stays open."""
    return (name, *more, *(scores.get(key) for key in keys))
