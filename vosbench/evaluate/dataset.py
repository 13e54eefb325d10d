"""From videos to a dataset, by the protocol's average. A mean over an incomplete set is None."""

from collections.abc import Mapping, Sequence

from vosbench.dataset import Listed
from vosbench.errors import DataError
from vosbench.evaluate.averages import mean_over, mean_recall_decay, video_scores, with_jf
from vosbench.evaluate.rows import Scored, Scores
from vosbench.metrics.statistics import mean, recall
from vosbench.protocol import SALIENCY_MEASURES, DatasetProtocol


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
        from vosbench.evaluate.regions import average as average_regions

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
