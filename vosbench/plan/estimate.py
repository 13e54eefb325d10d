"""How long the rest of a plan takes, by what was timed in its folder."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from vosbench.plan.progress import Progress


@dataclass(frozen=True, slots=True)
class Estimate:
    """The time of what is left, in one process.

    Attributes:
        frames: all that are left.
        seconds: of those whose method was timed.
        untimed: frames of methods that were not.
        methods: these methods.
    """

    frames: int
    seconds: float
    untimed: int
    methods: tuple[str, ...]

    def said(self, workers: int = 1) -> str:
        """The estimate in words.

        >>> Estimate(1000, 7300.0, 0, ()).said(), Estimate(100, 0.0, 100, ("f2net",)).said()
        ('about 2 h 2 min in one process', 'unknown: f2net was not timed here yet')
        """
        if self.untimed == self.frames:
            return f"unknown: {_some(self.methods)} not timed here yet"
        where = "in one process" if workers == 1 else f"with {workers} workers"
        more = f", and {self.untimed} frames of {_some(self.methods)} not timed here yet" if self.untimed else ""
        return f"about {_duration(self.seconds / workers)} {where}{more}"


def estimate(todo: Iterable[Progress], every: Iterable[Progress]) -> Estimate:
    """Estimate the time of what is left.

    The time of a frame is that of the method on the dataset, if it was timed there, else on all of the plan's datasets.

    Args:
        todo: what is left.
        every: all entries, whose states have been timed.
    """
    spent: defaultdict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for each in every:
        if each.known is not None and each.known.frames:
            for key in ((each.entry.method.name, each.entry.dataset.dataset.name), (each.entry.method.name, "")):
                spent[key][0] += each.known.seconds
                spent[key][1] += each.known.frames
    frames = untimed = 0
    seconds = 0.0
    methods: dict[str, None] = {}
    for each in todo:
        method, left = each.entry.method.name, _left(each)
        frames += left
        known = spent.get((method, each.entry.dataset.dataset.name)) or spent.get((method, ""))
        if known is None:
            untimed += left
            methods[method] = None
        else:
            seconds += left * known[0] / known[1]
    return Estimate(frames, seconds, untimed, tuple(methods))


def _left(progress: Progress) -> int:
    """The frames of an entry that are left, about: of the videos that are not complete, their share."""
    if not progress.videos or not progress.total:
        return progress.entry.frames
    return round(progress.entry.frames * (1 - progress.videos / progress.total))


def _duration(seconds: float) -> str:
    """A duration in the two largest of its units.

    >>> _duration(5), _duration(200), _duration(90000)
    ('5 s', '3 min', '1 d 1 h')
    """
    if seconds < 100:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def _some(methods: tuple[str, ...]) -> str:
    if len(methods) > 3:
        return f"{', '.join(methods[:2])} and {len(methods) - 2} more methods were"
    names = " and ".join(filter(None, (", ".join(methods[:-1]), methods[-1])))
    return f"{names} {'was' if len(methods) == 1 else 'were'}"
