"""Two records on the same videos: how far apart they are, how certain that is, and which videos it comes from."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vosbench.dataset import Listed
from vosbench.errors import DataError, UsageError
from vosbench.metrics.measures import measure_of
from vosbench.metrics.significance import Comparison, Interval, mean_interval
from vosbench.metrics.significance import compare as compare_values
from vosbench.metrics.statistics import mean
from vosbench.records.record import Record

RESAMPLES = 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """One video under two methods; ``difference`` is first minus second."""

    video: str
    first: float
    second: float

    @property
    def difference(self) -> float:
        """First minus second."""
        return self.first - self.second


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeEffect:
    """How far apart two methods are on the videos of one attribute.

    Attributes:
        attribute: its name.
        videos: how many have it.
        difference: the mean over these of first minus second.
        interval: of that mean.
        others: the mean over the other videos; None if there are none.
    """

    attribute: str
    videos: int
    difference: float
    interval: Interval
    others: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Two methods compared by one measure.

    Attributes:
        measure: as records name it.
        deltas: the videos, in the first record's order.
        compared: the mean difference, its interval and p.
        attributes: the same for each attribute that videos have; empty if nobody lists any.
    """

    measure: str
    deltas: tuple[Delta, ...]
    compared: Comparison
    attributes: tuple[AttributeEffect, ...]


def unlike(first: Record, second: Record) -> list[str]:
    """Say why two records are not comparable, a line each.

    The measures that were taken and the version of vosbench may differ. Videos may only be missing if both records are
    of the whole split; if the means of one are over some chosen videos, those of the other must be over the same.
    Annotations are only compared if the same videos were scored in the same order, since the hash is of all of them.
    """
    sets = f"{first.dataset} {first.split}", f"{second.dataset} {second.split}"
    if sets[0] != sets[1]:
        return [f"datasets differ: {sets[0]} and {sets[1]}"]
    pairs = {
        "protocols": (_protocol(first, second), _protocol(second, first)),
        "limits of frames": (str(first.provenance.limit or "none"), str(second.provenance.limit or "none")),
    }
    found = [f"{what} differ: {one} and {other}" for what, (one, other) in pairs.items() if one != other]
    if _chosen_apart(first, second):
        lines = ", ".join([*_alone(first, second, "first"), *_alone(second, first, "second")])
        found.append(f"videos differ: means over {first.whole} and over {second.whole} ({lines})")
    elif first.unannotated != second.unannotated:
        absent = [[f"{name}/{t}" for name, frames in r.unannotated.items() for t in frames] for r in (first, second)]
        both = zip(absent, reversed(absent), ("first", "second"), strict=True)
        sides = [(which, [name for name in one if name not in other]) for one, other, which in both]
        lines = ", ".join(f"only in the {which} are missing {_some(names)}" for which, names in sides if names)
        found.append(f"annotated frames differ: {lines}")
    hashes = (first.provenance.annotations, second.provenance.annotations)
    if not found and list(first.videos) == list(second.videos) and hashes[0] != hashes[1]:
        found.append(f"annotations differ: their hashes are {hashes[0][:12]}… and {hashes[1][:12]}…")
    return found


def frames_apart(first: Record, second: Record) -> list[str]:
    """Say in what videos or frames two records of one dataset and split differ, a line each.

    Different choices of videos are left to `unlike`.
    """
    if (first.dataset, first.split) != (second.dataset, second.split):
        return []
    found: list[str] = []
    for one, other, which in ((first, second, "first"), (second, first, "second")):
        found += [] if _chosen_apart(first, second) else _alone(one, other, which)
        lacking = [name for name in one.missing if "/" in name and name not in other.missing]
        if lacking:
            found.append(f"only in the {which} are missing: {_some(lacking)}")
    return found


def _chosen_apart(first: Record, second: Record) -> bool:
    """Whether a record is over some chosen videos, and the other is not over the same."""
    chosen = first.split_size is not None or second.split_size is not None
    return chosen and first.videos.keys() != second.videos.keys()


def _alone(one: Record, other: Record, which: str) -> list[str]:
    names = [name for name in one.videos if name not in other.videos]
    return [f"only the {which} has {_some(names)}"] if names else []


def compare(
    first: Record,
    second: Record,
    listing: Mapping[str, Listed],
    measures: Sequence[str] = (),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[Effect]:
    """Compare two records, video by video.

    Args:
        first: of one method.
        second: of the other; see `unlike` and `frames_apart` for whether they can be compared.
        listing: what the dataset's list says of the videos; empty if there is none. Temporal stability is
            compared over the videos that it is averaged over.
        measures: some of the videos' scores; every mean of a video if empty.
        resamples: bootstrap samples, and the most swaps that are tried.
        seed: of the generators.

    Returns:
        an effect per measure, in the first record's order.

    Raises:
        UsageError: if a measure is not in both records.
        DataError: if no video has a value in both.
        MeasureError: if resamples or seed are out of range.
    """
    known = [key for key in _measures(first) if key in _measures(second)]
    for name in measures:
        if name not in known:
            raise UsageError(f'the records have no "{name}" of videos in common; they have {", ".join(known)}')
    found = []
    for measure in measures or [key for key in known if measure_of(key).video_tolerance is not None]:
        deltas = _deltas(first, second, measure, listing)
        if deltas:
            compared = compare_values(
                {each.video: each.first for each in deltas},
                {each.video: each.second for each in deltas},
                resamples=resamples,
                seed=seed,
            )
            effects = _by_attribute(deltas, listing, resamples, seed)
            found.append(Effect(measure=measure, deltas=deltas, compared=compared, attributes=effects))
    if not found:
        raise DataError("there is nothing to compare: no video has a value in both records")
    return found


def _deltas(first: Record, second: Record, measure: str, listing: Mapping[str, Listed]) -> tuple[Delta, ...]:
    found = []
    for video, scores in first.videos.items():
        one, other = scores.get(measure), second.videos.get(video, {}).get(measure)
        counts = video not in listing or listing[video].counts_for(measure)
        if one is not None and other is not None and counts:
            found.append(Delta(video=video, first=one, second=other))
    return tuple(found)


def _by_attribute(
    deltas: Sequence[Delta], listing: Mapping[str, Listed], resamples: int, seed: int
) -> tuple[AttributeEffect, ...]:
    held = {each.video: listing[each.video].attributes if each.video in listing else () for each in deltas}
    found = []
    for attribute in sorted({name for names in held.values() for name in names}):
        having = [each.difference for each in deltas if attribute in held[each.video]]
        others = [each.difference for each in deltas if attribute not in held[each.video]]
        found.append(
            AttributeEffect(
                attribute=attribute,
                videos=len(having),
                difference=math.fsum(having) / len(having),
                interval=mean_interval(having, resamples=resamples, seed=seed),
                others=mean(others),
            )
        )
    return tuple(found)


def _measures(record: Record) -> list[str]:
    return list(dict.fromkeys(key for scores in record.videos.values() for key in scores))


def _protocol(record: Record, other: Record) -> str:
    """The signature from the protocol's name on; if the measures differ, what both say something of."""
    parts, others = _parts(record), _parts(other)
    if record.scores.keys() == other.scores.keys():
        return "|".join(parts.values()) or record.signature
    return "|".join(part for name, part in parts.items() if name in others) or record.protocol


def _parts(record: Record) -> dict[str, str]:
    """The parts of the signature from the protocol's on, by what they are about: ``J:inner`` is about J."""
    _, protocol, rest = record.signature.rpartition("|vosbench ")[0].partition(record.protocol)
    about = {re.split("[@:]", part)[0]: part for part in rest.split("|")[1:]}
    return {"": protocol + rest.split("|")[0], **about} if protocol else {}


def _some(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
