"""From a video's rows to its scores, and what averaging has in common."""

from collections.abc import Collection, Mapping, Sequence

from vosbench.evaluate.rows import Row, Scored, Scores
from vosbench.metrics.statistics import decay, mean, recall
from vosbench.protocol import SALIENCY_MEASURES, DatasetProtocol


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
        from vosbench.evaluate.regions import average as average_regions

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
