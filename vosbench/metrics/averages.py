"""Averages of a measure over a dataset, side by side: what a number means depends on which of them it is.

Conventions:
    Values are those of the scored frames, by video. The frame mean pools the frames of all videos, so that long
    videos weigh more; the sequence mean is the mean over videos of each video's mean; the category mean is the mean
    over categories of the mean over their videos' means. A video without values leaves every average None: a mean
    over part of a dataset is no mean of the dataset.
    The value of an attribute is the mean over videos that have it; its gain is the mean over those that do not,
    minus that value: what the attribute costs.
    Source: sequence mean and attributes as Perazzi et al., CVPR 2016, and their Matlab tool;
    frame and category means as reported on FBMS-59 and YouTube-Objects.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from vosbench.errors import MeasureError
from vosbench.metrics.statistics import mean

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
