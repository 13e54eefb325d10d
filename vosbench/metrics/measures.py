"""What a measure is: the one table of every number that records, protocols, tables and gates speak of.

Conventions:
    A protocol takes measures by their symbol, such as J; a record holds the numbers that they come to by name, such
    as ``J_mean`` and ``J_decay``. A `Measure` is one of these numbers. Names that are not in the table may stand in
    records of other people's measures: they are shown as they are, and nobody knows which way they are better.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, Protocol

from vosbench.errors import UsageError, suggest
from vosbench.metrics.arrays import Mask

Better = Literal["higher", "lower", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One number of a record.

    Attributes:
        name: as records name it.
        symbol: of the measure that a protocol takes it by; empty if none does, as of J&F and of speed.
        heading: of its column; the name if empty.
        better: which values are better; empty if neither, or if nobody knows.
        unit: what it is measured in; empty for a fraction or a count.
        tolerance: what the mean over a split may lose in `vosbench check` if nothing is said. Another processor or
            another version of torch may round a grey level of a map otherwise. One level up or down at random in
            every pixel of good maps of ``sample`` (J 0.90, F 0.94) moved the means of J and F by up to 0.0003, their
            decay by 0.0005 and T by 0.01, and of single videos J and F by 0.0013 and T by 0.07. The defaults let
            several times that pass, and of recall a frame of ``sample``; a loss of a quarter of a point that papers
            print does not pass.
        video_tolerance: what a single video may lose then; None if the score is too coarse to be checked or compared
            by video unless it is named: one frame of 25 is 0.04 of recall.
        measured: whether records give it; what papers alone print has no counterpart.
        stable: whether it is averaged over the videos that count for temporal stability alone.
    """

    name: str
    symbol: str = ""
    heading: str = ""
    better: Better = "higher"
    unit: str = ""
    tolerance: float = 0.002
    video_tolerance: float | None = 0.01
    measured: bool = True
    stable: bool = False

    def __post_init__(self) -> None:
        """Complete the heading."""
        if not self.heading:
            object.__setattr__(self, "heading", self.name)

    def gain(self, difference: float) -> float:
        """How much better a value is for being larger by a difference; any change is for the worse if nobody knows.

        >>> measure_of("J_mean").gain(0.25), measure_of("MAE").gain(0.25), measure_of("unknown").gain(0.25)
        (0.25, -0.25, -0.25)
        """
        if self.better == "higher":
            return difference
        return -difference if self.better == "lower" else -abs(difference)


def _of_frames(symbol: str) -> tuple[Measure, ...]:
    """The statistics of a measure that every frame has a value of."""
    return (
        Measure(name=f"{symbol}_mean", symbol=symbol, heading=f"{symbol} mean"),
        Measure(
            name=f"{symbol}_recall", symbol=symbol, heading=f"{symbol} recall", tolerance=0.005, video_tolerance=None
        ),
        Measure(
            name=f"{symbol}_decay",
            symbol=symbol,
            heading=f"{symbol} decay",
            better="lower",
            tolerance=0.005,
            video_tolerance=None,
        ),
    )


OVERLAPS = ("J", "F")
"""Measures that every frame has a value of: region similarity and contour accuracy."""
MASKS = (*OVERLAPS, "T")
"""Measures of masks."""
REGIONS = ("OB",)
"""Measures of clusters matched to regions (Ochs–Brox)."""
SALIENCY = ("MAE", "maxF", "meanF", "adpF", "S", "maxE", "meanE", "adpE", "wF")
"""Measures of soft maps."""
DICE = ("maxDice", "meanDice", "maxIoU", "meanIoU")
"""Measures of soft maps at 256 thresholds, in work on camouflaged objects."""
MAPS = (*SALIENCY, *DICE)
"""All measures of soft maps."""
BOXES = ("box",)
"""Measures of boxes around masks."""
MOTIONS = ("locomotion", "deformation", "static")
"""Kinds of motion that MoCA states for each frame."""
SUCCESS = (50, 60, 70, 80, 90)
"""Percent of overlap above which a box is a success."""
OVERVIEW = ("MAE", "maxF", "S", "maxE")
"""Names of what a table of saliency over all datasets shows."""
CRITERIA = ("J_mean", "maxF", "S", "F_mean")
"""Names of what decides which weights are best: the first of these that a protocol has; of all, more is better."""

_TABLE = {
    each.name: each
    for each in (
        *(each for symbol in OVERLAPS for each in _of_frames(symbol)),
        Measure(
            name="T_mean", symbol="T", heading="T", better="lower", tolerance=0.02, video_tolerance=0.1, stable=True
        ),
        Measure(name="T_all_mean", symbol="T", heading="T all", better="lower", tolerance=0.02),
        Measure(name="JF_mean", heading="J&F"),
        Measure(name="OB_precision", symbol="OB", heading="P"),
        Measure(name="OB_recall", symbol="OB", heading="R"),
        Measure(name="OB_F", symbol="OB", heading="F"),
        Measure(name="OB_extracted", symbol="OB", heading="objects"),
        *(Measure(name=name, symbol=name, better="lower" if name == "MAE" else "higher") for name in MAPS),
        Measure(name="box_J", symbol="box", heading="box J"),
        *(
            Measure(
                name=f"box_S{share}", symbol="box", heading=f"S {share / 100}", tolerance=0.005, video_tolerance=None
            )
            for share in SUCCESS
        ),
        *(Measure(name=f"box_J_{motion}", symbol="box", heading=f"box J {motion}") for motion in MOTIONS),
        # Speed, as records hold it.
        Measure(name="fps"),
        Measure(name="latency", better="lower", unit="s"),
        Measure(name="peak_memory", better="lower", unit="bytes"),
        Measure(name="parameters", better="lower"),
        Measure(name="gmacs", better="lower"),
        # What papers print besides; of F_measure no source states the protocol.
        Measure(name="J_frame_mean", measured=False),
        Measure(name="F_measure", heading="F-measure", measured=False),
        Measure(name="delta_J_mean", heading="ΔJ"),
        Measure(name="delta_F_mean", heading="ΔF"),
        Measure(name="seconds_per_frame", better="lower", unit="s", measured=False),
        Measure(name="training_time", better="lower", unit="h", measured=False),
    )
}
MEASURES: Mapping[str, Measure] = MappingProxyType(_TABLE)
"""Name → measure, in the order of a record's scores; those of added families behind ours."""
_OWN = frozenset(_TABLE)


def measure_of(name: str) -> Measure:
    """What is known of a number that a record holds; of one that is not in the table, its name alone.

    >>> measure_of("J_decay").better, measure_of("JF_mean").heading
    ('lower', 'J&F')
    >>> measure_of("mine").better, measure_of("mine").heading
    ('', 'mine')
    """
    return MEASURES.get(name) or Measure(name=name, better="")


def in_percent(name: str) -> bool:
    """Whether papers print a number as a percentage; they leave MAE a fraction, and counts and speeds what they are.

    >>> in_percent("JF_mean"), in_percent("MAE"), in_percent("fps"), in_percent("mine")
    (True, False, False, False)
    """
    measure = MEASURES.get(name)
    own = measure is not None and name in _OWN and not measure.unit
    return own and (bool(measure_of(name).symbol) or name == "JF_mean") and name not in {"MAE", "OB_extracted"}


def headings(names: Iterable[str]) -> list[str]:
    """The headings of columns."""
    return [measure_of(name).heading for name in names]


def name_of(asked: str, names: Sequence[str]) -> str:
    """The name of a measure that is asked for by name or heading, in any case.

    Raises:
        UsageError: if it is not among the names; the message offers the nearest.

    >>> name_of("J&F", ["J_mean", "JF_mean"])
    'JF_mean'
    """
    known = {each.lower(): name for name in reversed(names) for each in (measure_of(name).heading, name)}
    if asked.lower() not in known:
        raise UsageError(f'there is no measure "{asked}" in this table; {suggest(asked, names)}')
    return known[asked.lower()]


def leading(names: Sequence[str]) -> str:
    """The measure that ranks and is shown if nothing else is asked for: J&F, or the first.

    >>> leading(["J_mean", "F_mean", "JF_mean"]), leading(["MAE", "maxF"])
    ('JF_mean', 'MAE')
    """
    return "JF_mean" if "JF_mean" in names else names[0]


class Accumulation(Protocol):
    """What a family makes of one video."""

    def add(self, annotation: Mask, prediction: Mask, /) -> Mapping[str, float]:
        """Take the next scored frame and return its values by name, which become rows; none if it has none.

        Args:
            annotation: (H, W) bool.
            prediction: (H, W) bool, resized if the protocol does that. Neither may be changed.
        """
        ...

    def finish(self) -> Mapping[str, float | None]:
        """The scores of the video: a value for each of the family's measures; None if there is nothing to measure."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Measures of masks that a third party adds: what they are called, and how a video comes to them.

    A dataset's score is the mean of its videos' as the protocol averages: over videos or categories, or over videos
    weighted by their scored frames where it averages over frames. It is None if a video is missing or incomplete; a
    complete video of which a score is None does not count.

    Attributes:
        name: as typed behind ``--measures``; letters, digits, ``-`` and ``_``.
        measures: the numbers that a record then holds.
        start: begins a video; a class or function at the top level of its module, so that other processes find it.
        version: raised whenever a number could change; part of the signature.
        conventions: the choices that move a number, in a few words; part of the signature.
    """

    name: str
    measures: tuple[Measure, ...]
    start: Callable[[], Accumulation]
    version: int = 1
    conventions: str = ""

    def __post_init__(self) -> None:
        """Check the names, and have the family's be the symbol of its measures.

        Raises:
            UsageError: if a name is one of vosbench's own, twice there, or not a name; if there is no measure, or what
                starts a video cannot be found by other processes.
        """
        names = [each.name for each in self.measures]
        for name in (self.name, *names):
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name):
                raise UsageError(f'"{name}" cannot name a measure: use letters, digits, "-" and "_"')
            if name in _OWN or name in {*MASKS, *REGIONS, *BOXES}:
                raise UsageError(f'the family "{self.name}" cannot define "{name}": it is a measure of vosbench')
        if not names or len(set(names)) < len(names):
            raise UsageError(f'the family "{self.name}" defines {"a measure twice" if names else "no measure"}')
        if "<" in getattr(self.start, "__qualname__", ""):
            raise UsageError(f'the family "{self.name}" starts with a nested function; define it at the top level')
        if "|" in self.conventions:
            raise UsageError(f'the conventions of "{self.name}" hold "|", which separates the parts of a signature')
        object.__setattr__(self, "measures", tuple(replace(each, symbol=self.name) for each in self.measures))

    def signature(self) -> str:
        """The part of a protocol's signature that says how the family measures."""
        return f"{self.name}@{self.version}" + (f":{self.conventions}" if self.conventions else "")


def add_family(family: Family) -> None:
    """Add the measures of a family to the table, for as long as this process runs; again is the same as once.

    Raises:
        UsageError: if another family defines one of them.
    """
    for each in family.measures:
        other = _TABLE.get(each.name)
        if other is not None and other.symbol != family.name:
            raise UsageError(f'the measure "{each.name}" is defined twice, by "{other.symbol}" and by "{family.name}"')
    _TABLE.update({each.name: each for each in family.measures})
