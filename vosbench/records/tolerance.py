"""How much worse than its baseline a run may be."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from vosbench.errors import UsageError
from vosbench.metrics.measures import measure_of

EVERY = ""
"""The key of the value for every name that has none of its own."""

LATENCY = 0.2
"""How much longer the median frame may take by default: busy machines differ by less, mistakes by more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerances:
    """How much worse than its baseline a run may be; improvements always pass.

    Attributes:
        absolute: measure, or `EVERY` → what its mean may lose.
        relative: the same, as a fraction of the baseline; the larger of both applies.
        videos: what a video may lose: ``video/measure``, video, measure or `EVERY` → loss; the first of these applies.
        max_drop: the most that any mean may lose: nothing named exceeds it, and what is not named may lose as much.
        latency: how much longer than the baseline's the median frame may take, as a fraction.
        gate_speed: whether a slower run fails; it is only reported otherwise.
    """

    absolute: Mapping[str, float] = field(default_factory=dict)
    relative: Mapping[str, float] = field(default_factory=dict)
    videos: Mapping[str, float] = field(default_factory=dict)
    max_drop: float | None = None
    latency: float = LATENCY
    gate_speed: bool = False

    def __post_init__(self) -> None:
        """Refuse values that are not tolerances.

        Raises:
            UsageError: if a value is negative or not finite.
        """
        single = [self.latency, *([] if self.max_drop is None else [self.max_drop])]
        for value in [*self.absolute.values(), *self.relative.values(), *self.videos.values(), *single]:
            if not (math.isfinite(value) and value >= 0):
                raise UsageError(f"a tolerance is 0 or more, not {value}")

    def of_mean(self, measure: str, baseline: float) -> float:
        """What the mean of a measure may lose.

        >>> Tolerances().of_mean("J_mean", 0.8)
        0.002
        >>> Tolerances(relative={"J_mean": 0.05}, max_drop=0.01).of_mean("J_mean", 0.8)
        0.01
        """
        named = [_pick(self.absolute, measure), _scaled(_pick(self.relative, measure), baseline)]
        given = [value for value in named if value is not None]
        if not given:
            return self.max_drop if self.max_drop is not None else measure_of(measure).tolerance
        return max(given) if self.max_drop is None else min(max(given), self.max_drop)

    def of_video(self, video: str, measure: str) -> float | None:
        """What a measure of a video may lose; None if it is not checked, such as recall if nobody names it."""
        default = measure_of(measure).video_tolerance
        for name in (f"{video}/{measure}", video, measure):
            if name in self.videos and (name != video or default is not None):
                return self.videos[name]
        return None if default is None else self.videos.get(EVERY, default)

    def refuse_unknown(self, measures: Collection[str], videos: Mapping[str, Collection[str]]) -> None:
        """Refuse names that apply to nothing, as a misspelt one would.

        Args:
            measures: of the means.
            videos: video → its measures.

        Raises:
            UsageError: if a name is of no measure or video.
        """
        inner = {measure for held in videos.values() for measure in held}
        both = {f"{video}/{measure}" for video, held in videos.items() for measure in held}
        for given, known in (
            (self.absolute, {*measures}),
            (self.relative, {*measures}),
            (self.videos, {*videos, *inner, *both}),
        ):
            for name in given:
                if name != EVERY and name not in known:
                    listed = ", ".join(sorted(known - both)[:20]) or "nothing"
                    raise UsageError(f'a tolerance names "{name}", which is not in the baseline; it has {listed}')


def parse(given: Sequence[str]) -> dict[str, float]:
    """Parse tolerances as they are typed: ``name=value``, or a value for every name.

    Raises:
        UsageError: if a value is no number, or a name is given twice.

    >>> parse(["0.01", "J_mean=0.005"])
    {'': 0.01, 'J_mean': 0.005}
    """
    found: dict[str, float] = {}
    for each in given:
        name, _, value = each.rpartition("=")
        try:
            number = float(value)
        except ValueError:
            raise UsageError(f'"{each}" is not a tolerance; give a number, or name=number') from None
        if name.strip() in found:
            raise UsageError(f'the tolerance of "{name or "every measure"}" is given twice')
        found[name.strip()] = number
    return found


def _pick(named: Mapping[str, float], measure: str) -> float | None:
    return named.get(measure, named.get(EVERY))


def _scaled(fraction: float | None, baseline: float) -> float | None:
    return None if fraction is None else fraction * abs(baseline)
