"""Average frames over videos, and videos over a split, a category or an attribute: the one place for these rules.

Conventions:
    Means are over the videos of the split, or over those that were chosen from it by name; the rules are the same, and
    the record says which. If a video is missing or incomplete, the mean of any set that includes it is None. A complete
    video without a value does not count; this happens if the protocol skips empty annotations and a video has no
    others, and for temporal stability if the masks of a video never have a usable contour. T_mean is over stable
    videos, T_all_mean over all. The sequence mean is over videos. The category mean is over categories, each
    represented by the mean over its videos; a category without any video that counts does not count either. Means over
    frames and over objects pool those of all videos. The region measures of several videos are combined like shots in
    `vosbench.metrics.ochs_brox`.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from vosbench.dataset import DatasetProtocol, Listed
from vosbench.errors import DataError
from vosbench.evaluate.task import Scored, Scores
from vosbench.metrics.measures import BOXES, MAPS, MEASURES, MOTIONS, OVERLAPS, REGIONS, measure_of
from vosbench.metrics.statistics import decay, mean, recall
from vosbench.records.record import Record

STATISTICS = (mean, recall, decay)
REGION_SCORES = tuple(measure.name for measure in MEASURES.values() if measure.symbol in REGIONS)


@dataclass(frozen=True, slots=True)
class VideoScores:
    """The scores of a split's videos, or of some that were chosen, and which of them count.

    Attributes:
        scores: video → score → value, for every video that was scored.
        listing: every video that means are over: those of the split, or the chosen ones.
        incomplete: videos with scored frames that have no prediction.
        skippable: scores for which a complete video without a value does not count; those of temporal stability are
            always skippable.
    """

    scores: Mapping[str, Scores]
    listing: Mapping[str, Listed]
    incomplete: Collection[str] = ()
    skippable: Collection[str] = ()

    @classmethod
    def of(cls, record: Record, listing: Mapping[str, Listed]) -> "VideoScores":
        """The videos of a record; one without a value was skipped if the record has a mean nevertheless."""
        keys = {key for scores in record.videos.values() for key in scores}
        skips = "|empty:skip" in record.signature
        skippable = {key for key in keys if skips or record.scores.get(key) is not None}
        return cls(record.videos, listing, record.incomplete, skippable)

    @property
    def complete(self) -> bool:
        """Whether every listed video was scored completely."""
        return not self.incomplete and self.listing.keys() <= self.scores.keys()

    def values(self, key: str) -> dict[str, float | None]:
        """The value of each video that counts, in the order of the listing; None if it is missing or incomplete."""
        optional = key in self.skippable or measure_of(key).symbol == "T"
        source = "T_mean" if key == "T_all_mean" else key
        counting: dict[str, float | None] = {}
        for name, listed in self.listing.items():
            value = self.scores.get(name, {}).get(source)
            skipped = value is None and optional and name in self.scores and name not in self.incomplete
            if listed.counts_for(key) and not skipped:
                counting[name] = value
        return counting

    def mean(self, key: str, names: Collection[str] | None = None) -> float | None:
        """The mean of a score over some videos, or over all that are listed (the sequence mean).

        >>> videos = {"a": {"J_mean": 0.5}, "b": {"J_mean": 1.0}}
        >>> listing = dict.fromkeys("ab", Listed(frames=1))
        >>> VideoScores(videos, listing).mean("J_mean"), VideoScores(videos, listing, ["b"]).mean("J_mean")
        (0.75, None)
        """
        if names is None and not self.complete:
            return None
        values = {name: value for name, value in self.values(key).items() if names is None or name in names}
        if key in REGION_SCORES and None not in values.values():
            return _regions([self.scores[name] for name in values])[key]
        return complete_mean(list(values.values()))

    def by_category(self, key: str) -> dict[str, float | None]:
        """The mean of a score over the videos of each category, without categories that have no video that counts."""
        members: dict[str, list[str]] = {}
        for name in self.values(key):
            category = self.listing[name].category
            if category is not None:
                members.setdefault(category, []).append(name)
        return {category: self.mean(key, names) for category, names in members.items()}

    def category_mean(self, key: str) -> float | None:
        """The mean over categories; None if incomplete, or if a video has no category."""
        categorised = all(listed.category is not None for listed in self.listing.values())
        return complete_mean(list(self.by_category(key).values())) if self.complete and categorised else None

    def by_attribute(self, key: str, attribute: str) -> tuple[float | None, float | None]:
        """The mean of a score over the videos with an attribute, and the gain: the mean of the others minus it."""
        having = {name for name, listed in self.listing.items() if attribute in listed.attributes}
        value, others = self.mean(key, having), self.mean(key, self.listing.keys() - having)
        return value, None if value is None or others is None else others - value


def complete_mean(values: Sequence[float | None]) -> float | None:
    """The mean; None if there are no values, or if any is None.

    >>> complete_mean([0.5, 1.0]), complete_mean([0.5, None]), complete_mean([])
    (0.75, None, None)
    """
    known = [value for value in values if value is not None]
    return mean(known) if len(known) == len(values) else None


def video_scores(scored: Scored, protocol: DatasetProtocol) -> dict[str, float | None]:
    """The scores of one video; all None if a scored frame has no prediction.

    For objects, mean, recall and decay are computed per object and then averaged over the objects of the video.
    """
    scores: dict[str, float | None] = {}
    for name in protocol.measures:
        if name in OVERLAPS:
            scores |= over_objects([scored], name)
        elif name == "T":
            scores["T_mean"] = mean([row.value for row in scored.rows if row.measure == "T"])
    if protocol.unit == "regions":
        regions = scored.regions
        scores |= dict.fromkeys(REGION_SCORES)
        if regions is not None:
            values = (regions.precision, regions.recall, regions.f, float(regions.extracted))
            scores |= dict(zip(REGION_SCORES, values, strict=True))
    if any(name in BOXES for name in protocol.measures):
        from vosbench.evaluate.boxes import box_scores

        scores |= box_scores(scored)
    if any(name in MAPS for name in protocol.measures):
        from vosbench.evaluate.saliency import average

        scores |= average([scored.saliency], protocol)
    scores = with_jf(scores) | dict(scored.added)
    return dict.fromkeys(scores) if scored.missing else scores


def dataset_scores(
    scored: Sequence[Scored], protocol: DatasetProtocol, listing: Mapping[str, Listed]
) -> dict[str, float | None]:
    """The scores of a split, or of the videos that were chosen from it.

    Args:
        scored: the videos that were scored.
        protocol: the measures and how they are averaged.
        listing: every video that means are over; other videos of the split do not matter.

    Returns:
        Score → value, all None if a listed video is incomplete. Temporal stability is averaged over the videos that
        count for it, ``T_mean``, and over all, ``T_all_mean``.

    Raises:
        DataError: if the protocol averages over categories and a video has none.
    """
    _check_categories(protocol, listing)
    by_video = {video.video: video_scores(video, protocol) for video in scored}
    keys = {key for scores in by_video.values() for key in scores}
    incomplete = {video.video for video in scored if video.missing}
    added = [each.name for family in protocol.families for each in family.measures]
    optional = [*added, *(f"box_J_{motion}" for motion in MOTIONS)]
    videos = VideoScores(by_video, listing, incomplete, keys if protocol.empty != "score" else optional)
    scores: dict[str, float | None] = {}
    for name in (name for name in protocol.measures if name in OVERLAPS):
        if protocol.average == "object":
            scores |= over_objects(scored, name)
        elif protocol.average == "frame":
            scores |= over_frames(scored, name, listing)
        else:
            average = videos.category_mean if protocol.average == "category" else videos.mean
            scores |= {key: average(key) for key in (f"{name}_{statistic.__name__}" for statistic in STATISTICS)}
    if "T" in protocol.measures:
        scores |= {key: videos.mean(key) for key in ("T_mean", "T_all_mean")}
    if protocol.unit == "regions":
        scores |= {key: videos.mean(key) for key in REGION_SCORES}
    if any(name in BOXES for name in protocol.measures):
        from vosbench.evaluate.boxes import average as average_boxes

        scores |= average_boxes(scored, videos.mean)
    if any(name in MAPS for name in protocol.measures):
        from vosbench.evaluate.saliency import average as average_saliency

        complete = {video.video: video.saliency for video in scored if not video.missing}
        scores |= average_saliency([complete.get(name) for name in listing], protocol)
    scores = with_jf(scores)
    counts = {each.video: each.counted for each in scored}
    for key in added:
        if protocol.average == "frame":
            scores[key] = _weighted(videos.values(key), counts)
        else:
            scores[key] = videos.category_mean(key) if protocol.average == "category" else videos.mean(key)
    return scores if videos.complete else dict.fromkeys(scores)


def _check_categories(protocol: DatasetProtocol, listing: Mapping[str, Listed]) -> None:
    uncategorised = next((name for name, listed in listing.items() if listed.category is None), None)
    if protocol.average == "category" and uncategorised is not None:
        raise DataError(f'protocol "{protocol.name}" averages over categories, but "{uncategorised}" has none')


def over_objects(scored: Sequence[Scored], name: str) -> dict[str, float | None]:
    """Average the mean, recall and decay of a measure over series; a series belongs to a video or to an object."""
    series: dict[tuple[str, str], list[float]] = {}
    for video in scored:
        for row in video.rows:
            if row.measure.partition(".")[0] == name:
                series.setdefault((row.video, row.measure), []).append(row.value)
    scores: dict[str, float | None] = {}
    for statistic in STATISTICS:
        statistics = [statistic(values) for values in series.values()]
        scores[f"{name}_{statistic.__name__}"] = mean([value for value in statistics if value is not None])
    return scores


def over_frames(scored: Sequence[Scored], name: str, listing: Mapping[str, Listed]) -> dict[str, float | None]:
    """Mean and recall over the frames of all videos that count; decay is only defined for a single video."""
    counting = {video for video, listed in listing.items() if listed.counts_for(f"{name}_mean")}
    rows = [row for video in scored if video.video in counting for row in video.rows]
    values = [row.value for row in rows if row.measure.partition(".")[0] == name]
    return {f"{name}_mean": mean(values), f"{name}_recall": recall(values)}


def _weighted(values: Mapping[str, float | None], counts: Mapping[str, int]) -> float | None:
    """The mean over videos, weighted by their number of frames; None if a value is None, or there are no frames."""
    known = {name: value for name, value in values.items() if value is not None}
    frames = sum(counts[name] for name in known)
    if not frames or len(known) < len(values):
        return None
    return math.fsum(value * counts[name] for name, value in known.items()) / frames


def with_jf(scores: dict[str, float | None]) -> dict[str, float | None]:
    """Add J&F, the mean of the J and F means, if both were measured.

    >>> with_jf({"J_mean": 0.5, "F_mean": 1.0})
    {'J_mean': 0.5, 'F_mean': 1.0, 'JF_mean': 0.75}
    """
    if "J_mean" in scores and "F_mean" in scores:
        region, contour = scores["J_mean"], scores["F_mean"]
        scores["JF_mean"] = None if region is None or contour is None else (region + contour) / 2
    return scores


def _regions(videos: Sequence[Scores]) -> dict[str, float | None]:
    """Combine the region measures of videos; all None if there are no videos."""
    from vosbench.metrics.ochs_brox import precision_recall_f

    columns = ([value for video in videos if (value := video[key]) is not None] for key in REGION_SCORES)
    precision, recall, _, extracted = columns
    if not precision:
        return dict.fromkeys(REGION_SCORES)
    return dict(zip(REGION_SCORES, (*precision_recall_f(precision, recall), math.fsum(extracted)), strict=True))
