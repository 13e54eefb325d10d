"""From a video's rows to its scores, and what averaging has in common."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from vosbench.dataset import DatasetProtocol, Listed
from vosbench.dataset.protocol import SALIENCY_MEASURES
from vosbench.errors import DataError, MeasureError
from vosbench.evaluate.task import Scored, Scores
from vosbench.metrics.statistics import decay, mean, recall
from vosbench.records.record import Row


def video_scores(scored: Scored, protocol: DatasetProtocol) -> dict[str, float | None]:
    """The scores of one video; None throughout where a scored frame has no prediction.

    Objects are averaged within the video after each object's own mean, recall and decay.
    """
    scores: dict[str, float | None] = {}
    for name in protocol.measures:
        if name in {"J", "F"}:
            scores |= mean_recall_decay(name, [scored])
        elif name == "T":
            values = [row.value for row in scored.rows if row.measure == "T"]
            scores["T_mean"] = None if scored.missing else mean(values)
    if protocol.unit == "regions":
        from vosbench.evaluate.ochs_brox import average as average_regions

        scores |= average_regions([None if scored.missing else scored.regions])
    if any(name in SALIENCY_MEASURES for name in protocol.measures):
        from vosbench.evaluate.saliency import average

        scores |= average([None if scored.missing else scored.saliency], protocol)
    return with_jf(scores)


def mean_recall_decay(name: str, scored: Sequence[Scored]) -> dict[str, float | None]:
    """Mean, recall and decay of each series of values, averaged: a series is a video's, or that of one object."""
    series: dict[tuple[str, str], list[float]] = {}
    for each in scored:
        for row in each.rows:
            if row.measure.partition(".")[0] == name:
                series.setdefault((row.video, row.measure), []).append(row.value)
    complete = not any(each.missing for each in scored)
    scores: dict[str, float | None] = {}
    for statistic in (mean, recall, decay):
        values = [statistic(values) for values in series.values()]
        known = [value for value in values if value is not None]
        scores[f"{name}_{statistic.__name__}"] = mean(known) if complete else None
    return scores


def with_jf(scores: dict[str, float | None]) -> dict[str, float | None]:
    """Add J&F, the mean of the J and F means, where both measures are there.

    >>> with_jf({"J_mean": 0.5, "F_mean": 1.0})
    {'J_mean': 0.5, 'F_mean': 1.0, 'JF_mean': 0.75}
    """
    if "J_mean" in scores and "F_mean" in scores:
        region, contour = scores["J_mean"], scores["F_mean"]
        scores["JF_mean"] = None if region is None or contour is None else (region + contour) / 2
    return scores


def mean_over(videos: Mapping[str, Scores], key: str, expected: Collection[str]) -> float | None:
    """The unweighted mean of a score over videos; None where one is missing or incomplete.

    >>> mean_over({"a": {"J_mean": 0.5}, "b": {"J_mean": 1.0}}, "J_mean", ["a", "b"])
    0.75
    >>> mean_over({"a": {"J_mean": 0.5}}, "J_mean", ["a", "b"]) is None
    True
    """
    values = [videos.get(name, {}).get(key) for name in expected]
    known = [value for value in values if value is not None]
    return mean(known) if len(known) == len(values) else None


def by_measure(rows: Sequence[Row], name: str) -> dict[str, list[float]]:
    """The values of a measure, by video, in frame order."""
    found: dict[str, list[float]] = {}
    for row in rows:
        if row.measure == name:
            found.setdefault(row.video, []).append(row.value)
    return found


def dataset_scores(
    scored: Sequence[Scored], protocol: DatasetProtocol, listing: Mapping[str, Listed]
) -> dict[str, float | None]:
    """The scores of a split.

    Args:
        scored: the videos that were scored.
        protocol: says what is averaged how.
        listing: every video of the split.

    Returns:
        measure → its mean; temporal stability over the videos that count for it, ``T_mean``, and over all,
        ``T_all_mean``. None where the split is incomplete.
    """
    videos = {each.video: video_scores(each, protocol) for each in scored}
    complete = listing.keys() <= {each.video for each in scored if not each.missing}
    scores: dict[str, float | None] = {}
    masks = {"video": _over_videos, "category": _over_categories, "object": _over_objects, "frame": _over_frames}
    if {"J", "F"} & set(protocol.measures):
        scores |= masks[protocol.average](scored, protocol, listing)
    if "T" in protocol.measures:
        stable = [name for name, listed in listing.items() if listed.stable]
        scores["T_mean"] = _mean_stability(videos, stable) if complete else None
        scores["T_all_mean"] = _mean_stability(videos, listing) if complete else None
    if protocol.unit == "regions":
        from vosbench.evaluate.ochs_brox import average as average_regions

        regions = {each.video: each.regions for each in scored if not each.missing}
        scores |= average_regions([regions.get(name) for name in listing])
    if any(name in SALIENCY_MEASURES for name in protocol.measures):
        from vosbench.evaluate.saliency import average

        whole = {each.video: each.saliency for each in scored if not each.missing}
        scores |= average([whole.get(name) for name in listing], protocol)
    scores = with_jf(scores)
    return scores if complete else dict.fromkeys(scores)


def _over_videos(
    scored: Sequence[Scored], protocol: DatasetProtocol, listing: Mapping[str, Listed]
) -> dict[str, float | None]:
    videos = _with_values(scored, protocol)
    names = [name for name in listing if name in videos]
    return {key: mean_over(videos, key, names) for key in _keys(videos)}


def _over_categories(
    scored: Sequence[Scored], protocol: DatasetProtocol, listing: Mapping[str, Listed]
) -> dict[str, float | None]:
    """The mean over categories of the mean over each one's videos."""
    videos = _with_values(scored, protocol)
    members: dict[str, list[str]] = {}
    for name, listed in listing.items():
        if listed.category is None:
            raise DataError(f'protocol "{protocol.name}" averages over categories; "{name}" has none')
        if name in videos:
            members.setdefault(listed.category, []).append(name)
    scores: dict[str, float | None] = {}
    for key in _keys(videos):
        values = [mean_over(videos, key, names) for names in members.values()]
        known = [value for value in values if value is not None]
        scores[key] = mean(known) if len(known) == len(values) else None
    return scores


def _over_objects(
    scored: Sequence[Scored], protocol: DatasetProtocol, listing: Mapping[str, Listed]
) -> dict[str, float | None]:
    """The mean over the objects of all videos."""
    del listing
    return {k: v for name in protocol.measures for k, v in mean_recall_decay(name, scored).items()}


def _over_frames(
    scored: Sequence[Scored], protocol: DatasetProtocol, listing: Mapping[str, Listed]
) -> dict[str, float | None]:
    """The mean over the frames of all videos; decay is of a video and has no such mean."""
    scores: dict[str, float | None] = {}
    for name in (name for name in protocol.measures if name in {"J", "F"}):
        values = [row.value for each in scored for row in each.rows if row.measure == name and row.video in listing]
        scores[f"{name}_mean"], scores[f"{name}_recall"] = mean(values), recall(values)
    return scores


def _with_values(scored: Sequence[Scored], protocol: DatasetProtocol) -> dict[str, Scores]:
    """J and F of each video that has any; one whose annotations are all empty has none, where these are skipped."""
    names = [f"{name}_{part}" for name in ("J", "F") for part in ("mean", "recall", "decay")]
    found: dict[str, Scores] = {}
    for each in scored:
        if each.rows or protocol.empty == "score":
            scores = video_scores(each, protocol)
            found[each.video] = {name: scores[name] for name in names if name in scores}
    return found


def _keys(videos: Mapping[str, Scores]) -> Sequence[str]:
    return list(next(iter(videos.values()), {}))


def _mean_stability(videos: Mapping[str, Scores], names: Sequence[str] | Mapping[str, Listed]) -> float | None:
    """The mean over videos that have a usable contour at all."""
    values = [videos[name]["T_mean"] for name in names]
    return mean([value for value in values if value is not None])


_CVPR16 = ("AC", "BC", "CS", "DB", "DEF", "EA", "FM", "HO", "IO", "LR", "MB", "OCC", "OV", "SC", "SV")
# The attributes of DAVIS: of the paper's table and Matlab tool, and of the later listing, which adds rotation.
VOCABULARIES: Mapping[str, tuple[str, ...]] = {"cvpr16": _CVPR16, "yaml": tuple(sorted((*_CVPR16, "ROT")))}

Values = Mapping[str, Sequence[float] | None]


@dataclass(frozen=True, slots=True)
class Averages:
    """The three averages of one measure; ``category_mean`` is None, too, where videos have no categories."""

    frame_mean: float | None
    sequence_mean: float | None
    category_mean: float | None


@dataclass(frozen=True, slots=True)
class AttributeScore:
    """One attribute.

    Attributes:
        value: the mean over videos that have it; None where none has.
        gain: the mean over the others minus the value; None where there are no others.
        videos: how many have it.
    """

    value: float | None
    gain: float | None
    videos: int


def averages(values: Values, videos: Collection[str], categories: Mapping[str, str] | None = None) -> Averages:
    """Average one measure over a dataset.

    Args:
        values: video → values of its frames; None or nothing where it is incomplete.
        videos: those to average over; others are left out.
        categories: video → category.

    Raises:
        MeasureError: where a video has no category though categories are given.

    >>> averages({"a": [1.0, 1.0], "b": [0.5], "c": [0.0]}, ["a", "b", "c"], {"a": "cat", "b": "cow", "c": "cow"})
    Averages(frame_mean=0.625, sequence_mean=0.5, category_mean=0.625)
    """
    means = _video_means(values, videos)
    if means is None:
        return Averages(None, None, None)
    frames = [value for video in means for value in values[video] or ()]
    return Averages(mean(frames), mean(list(means.values())), _category_mean(means, categories))


def attribute_scores(
    values: Values, attributes: Mapping[str, Collection[str]], vocabulary: Sequence[str]
) -> dict[str, AttributeScore]:
    """Average one measure over the videos with and without each attribute.

    Args:
        values: video → values of its frames; None or nothing where it is incomplete.
        attributes: video → its attributes, for every video of the dataset.
        vocabulary: the attributes to report, in order; see `VOCABULARIES`. Others are left out.

    Returns:
        Attribute → its score; value and gain are None throughout where a video is incomplete.

    >>> attribute_scores({"a": [0.5], "b": [0.75]}, {"a": ["FM"], "b": []}, ["FM", "SV"])["FM"]
    AttributeScore(value=0.5, gain=0.25, videos=1)
    """
    means = _video_means(values, attributes)
    scores = {}
    for name in vocabulary:
        having = [video for video, held in attributes.items() if name in held]
        value = mean([means[video] for video in having]) if means else None
        others = mean([means[video] for video in attributes if video not in having]) if means else None
        gain = None if value is None or others is None else others - value
        scores[name] = AttributeScore(value, gain, len(having))
    return scores


def _video_means(values: Values, videos: Collection[str]) -> dict[str, float] | None:
    """Each video's mean; None where one has no values, or there is no video."""
    means = {}
    for video in videos:
        taken = values.get(video)
        if not taken:
            return None
        means[video] = math.fsum(taken) / len(taken)
    return means or None


def _category_mean(means: Mapping[str, float], categories: Mapping[str, str] | None) -> float | None:
    if categories is None:
        return None
    groups: dict[str, list[float]] = {}
    for video, value in means.items():
        if video not in categories:
            raise MeasureError(f'video "{video}" has no category')
        groups.setdefault(categories[video], []).append(value)
    return mean([math.fsum(group) / len(group) for group in groups.values()])
