"""How much worse than its baseline a run may be."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from vosbench.errors import UsageError

EVERY = ""
"""The key of what holds for every name that is not given its own."""

MEANS: Mapping[str, float] = MappingProxyType(
    {
        EVERY: 0.002,
        "J_recall": 0.005,
        "F_recall": 0.005,
        "J_decay": 0.005,
        "F_decay": 0.005,
        "T_mean": 0.02,
        "T_all_mean": 0.02,
    }
)
"""What a mean may lose where nothing is said.

Another processor or another version of torch may round a grey level of a map otherwise. One level up or down at
random in every pixel of good maps of ``sample`` (J 0.90, F 0.94) moved the means of J and F by up to 0.0003, their
decay by 0.0005 and T by 0.01, and of single videos J and F by 0.0013 and T by 0.07. The defaults let several times
that pass, and of recall a frame of ``sample``; a loss of a quarter of a point that papers print does not pass.
"""

VIDEOS: Mapping[str, float] = MappingProxyType({EVERY: 0.01, "T_mean": 0.1})
"""What a single video may lose where nothing is said."""

LATENCY = 0.2
"""How much longer the median frame may take where nothing is said: busy machines differ by less, mistakes by more."""

COARSE = frozenset({"J_recall", "F_recall", "J_decay", "F_decay"})
"""Scores that jump in a single video, where a frame of 25 is 0.04 of recall; only held where they are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerances:
    """How much worse than its baseline a run may be; improvements always pass.

    Attributes:
        absolute: measure, or `EVERY` → what its mean may lose.
        relative: the same, as a fraction of the baseline; of both, the larger holds.
        videos: what a video may lose: ``video/measure``, video, measure or `EVERY` → loss; the first of these holds.
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
        """Refuse what is no tolerance.

        Raises:
            UsageError: where a value is negative or not finite.
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
            return self.max_drop if self.max_drop is not None else MEANS.get(measure, MEANS[EVERY])
        return max(given) if self.max_drop is None else min(max(given), self.max_drop)

    def of_video(self, video: str, measure: str) -> float | None:
        """What a measure of a video may lose; None where it is not held, such as recall where nobody names it."""
        for name in (f"{video}/{measure}", video, measure):
            if name in self.videos and (name != video or measure not in COARSE):
                return self.videos[name]
        if measure in COARSE:
            return None
        return self.videos.get(EVERY, VIDEOS.get(measure, VIDEOS[EVERY]))

    def refuse_unknown(self, measures: Collection[str], videos: Mapping[str, Collection[str]]) -> None:
        """Refuse names that hold for nothing, which a misspelt one would.

        Args:
            measures: of the means.
            videos: video → its measures.

        Raises:
            UsageError: where a name is of no measure or video.
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
                    raise UsageError(f'a tolerance names "{name}", which the baseline lacks; it has {listed}')


def parse(given: Sequence[str]) -> dict[str, float]:
    """Take tolerances apart as they are typed: ``name=value``, or a value for every name.

    Raises:
        UsageError: where a value is no number, or a name is given twice.

    >>> parse(["0.01", "J_mean=0.005"])
    {'': 0.01, 'J_mean': 0.005}
    """
    found: dict[str, float] = {}
    for each in given:
        name, _, value = each.rpartition("=")
        try:
            number = float(value)
        except ValueError:
            raise UsageError(f'"{each}" is no tolerance; give a number, or name=number') from None
        if name.strip() in found:
            raise UsageError(f'the tolerance of "{name or "every measure"}" is given twice')
        found[name.strip()] = number
    return found


def _pick(named: Mapping[str, float], measure: str) -> float | None:
    return named.get(measure, named.get(EVERY))


def _scaled(fraction: float | None, baseline: float) -> float | None:
    return None if fraction is None else fraction * abs(baseline)
