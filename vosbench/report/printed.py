"""Published numbers as lines: one for each method, unless its sources contradict each other."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from vosbench.records.published import UNKNOWN, Published

MEASURED, STATED = "measured", "not stated"
DOCUMENT = re.compile(r"(, | Table )")
"""What separates a document from its part in the short name of a source, such as ``"F2Net Table 3"``."""
BETWEEN = "; "
"""What separates the sources of a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of a leaderboard.

    Attributes:
        method: its name.
        origin: ``"measured"``, or the sources of published numbers, separated by `BETWEEN`.
        protocol: name and version, or ``"not stated"``.
        scores: measure → value in [0, 1]; None if unknown.
        differences: the published line's origin → measure → measured minus published; each becomes a line below.
        task: `vosbench.records.published.Task`, or `UNKNOWN`.
        intervals: measure → ends of its 95 % interval over videos.
    """

    method: str
    origin: str
    protocol: str
    scores: Mapping[str, float | None]
    differences: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    task: str = UNKNOWN
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Line:
    method: str
    protocol: str
    sources: tuple[str, ...]
    numbers: Mapping[str, Published]


def published_entries(numbers: Iterable[Published]) -> list[Entry]:
    """Published numbers of one dataset and split as lines; J&F is computed if it is not printed.

    A source that repeats another shares its line: the protocol is the same, they have a number in common, and no two
    contradict each other to their printed precision. A source that does not state its protocol shares the line if it
    has no other numbers.
    """
    found: dict[tuple[str, str, str], dict[str, Published]] = {}
    for number in numbers:
        line = found.setdefault((number.method, number.source, number.protocol or STATED), {})
        line.setdefault(number.measure, number)
    lines: list[_Line] = []
    for (method, source, protocol), of in sorted(found.items(), key=lambda each: each[0][2] == STATED):
        new = _Line(method, protocol, (source,), of)
        at = next((at for at, line in enumerate(lines) if _repeats(line, new)), None)
        if at is None:
            lines.append(new)
        else:
            lines[at] = replace(lines[at], sources=(*lines[at].sources, source), numbers=_merged(lines[at], new))
    return [_entry(line) for line in lines]


def agree(one: Published, other: Published) -> bool:
    """Whether two numbers are the same, rounded like the coarser one.

    >>> of = lambda value, unit: Published.model_construct(value=value, unit=unit)
    >>> agree(of("81.7", "%"), of("0.817", "1")), agree(of("81.7", "%"), of("0.8168", "1"))
    (True, True)
    >>> agree(of("58.4", "%"), of("58.3", "%"))
    False
    """
    coarse, fine = max(_precision(one), _precision(other)), min(_precision(one), _precision(other))
    return abs(one.raw - other.raw) <= (coarse if fine < coarse / 2 else 0) + 1e-12


def documents(origin: str) -> dict[str, None]:
    """The documents of a line's sources, in order.

    >>> [*documents("F2Net Table 3; F2Net Table 4; DAVIS leaderboard, val 2016")]
    ['F2Net', 'DAVIS leaderboard']
    """
    return dict.fromkeys(DOCUMENT.split(source)[0] for source in origin.split(BETWEEN))


def _precision(number: Published) -> float:
    """Half a unit of the last printed decimal, in a record's terms."""
    return 0.5 * 10.0**-number.digits / (100 if number.unit in {"%", "points"} else 1)


def _repeats(line: _Line, new: _Line) -> bool:
    shared = line.numbers.keys() & new.numbers.keys()
    known = new.protocol == line.protocol or (new.protocol == STATED and new.numbers.keys() <= line.numbers.keys())
    same = all(agree(line.numbers[name], new.numbers[name]) for name in shared)
    return new.method == line.method and known and bool(shared) and same


def _merged(line: _Line, new: _Line) -> dict[str, Published]:
    """The numbers of two lines; the more precise one if both have it."""
    found = dict(line.numbers)
    for name, number in new.numbers.items():
        if name not in found or _precision(number) < _precision(found[name]):
            found[name] = number
    return found


def _entry(line: _Line) -> Entry:
    scores: dict[str, float | None] = {name: number.raw for name, number in line.numbers.items()}
    region, contour = scores.get("J_mean"), scores.get("F_mean")
    if region is not None and contour is not None:
        scores.setdefault("JF_mean", (region + contour) / 2)
    tasks = [number.task for number in line.numbers.values() if number.task != UNKNOWN]
    return Entry(
        method=line.method,
        origin=BETWEEN.join(line.sources),
        protocol=line.protocol,
        scores=scores,
        task=tasks[0] if tasks else UNKNOWN,
    )
