"""Score predictions against annotations: files in, rows out, and rows into averages.

A row is one number: (video, frame, measure, value). Nothing is averaged before all rows are there.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from vosbench import images
from vosbench.codecs import Mask
from vosbench.errors import DataError
from vosbench.metrics import contour_accuracy, decay, mean, recall, region_similarity
from vosbench.predictions import Predictions
from vosbench.protocol import DatasetProtocol
from vosbench.video import Video

Scores = Mapping[str, float | None]


class Row(NamedTuple):
    """One measured value; ``frame`` is the 0-based index in the video."""

    video: str
    frame: int
    measure: str
    value: float


@dataclass(frozen=True, slots=True)
class Scored:
    """What scoring one video gives.

    Attributes:
        video: its name.
        rows: the measured values, by frame, then measure.
        missing: scored frames that have no prediction.
        unscored: frames without a prediction that the protocol does not score.
        annotations: SHA-256 of the scored annotations as decoded.
    """

    video: str
    rows: tuple[Row, ...]
    missing: tuple[int, ...]
    unscored: int
    annotations: str


def score_video(video: Video, predictions: Predictions, protocol: DatasetProtocol) -> Scored:
    """Score one video.

    Raises:
        DataError: where a file is corrupt, of another encoding, or of another size.
    """
    there = predictions.files[video.name]
    scored = protocol.scored(video)
    present = [index for index in scored if index in there]
    digest = hashlib.sha256(video.name.encode())
    rows: list[Row] = []
    masks = predictions.read(video.name, present)
    for index in scored:
        annotation = images.read_mask(video.annotations[index], video.codec)
        digest.update(f"{index} {annotation.shape}".encode() + np.packbits(annotation).tobytes())
        if index not in there:
            continue
        prediction = _fit(next(masks), annotation, protocol, predictions.label(video.name, index))
        if protocol.empty == "skip" and not annotation.any():
            continue
        rows += [Row(video.name, index, name, value) for name, value in measure(annotation, prediction, protocol)]
    return Scored(
        video=video.name,
        rows=tuple(rows),
        missing=tuple(index for index in scored if index not in there),
        unscored=sum(index not in there for index in range(len(video)) if index not in scored),
        annotations=digest.hexdigest(),
    )


def measure(annotation: Mask, prediction: Mask, protocol: DatasetProtocol) -> Iterator[tuple[str, float]]:
    """Take the protocol's measures of one frame."""
    for name in protocol.measures:
        if name == "J":
            yield name, region_similarity(annotation, prediction)
        elif name == "F":
            yield name, contour_accuracy(annotation, prediction, protocol.tolerance)


def average(values: Mapping[str, Sequence[float] | None], names: Sequence[str]) -> dict[str, float | None]:
    """Mean, recall and decay of each measure over one video's frames.

    Args:
        values: measure → values in frame order, or None where a frame is missing.
        names: the measures, in order.

    >>> average({"J": [1.0, 0.0]}, ["J"])
    {'J_mean': 0.5, 'J_recall': 0.5, 'J_decay': 1.0}
    """
    scores: dict[str, float | None] = {}
    for name in names:
        taken = values[name]
        for statistic in (mean, recall, decay):
            scores[f"{name}_{statistic.__name__}"] = None if taken is None else statistic(taken)
    return with_jf(scores)


def with_jf(scores: dict[str, float | None]) -> dict[str, float | None]:
    """Add J&F, the mean of the J and F means, where both measures are there."""
    if "J_mean" in scores and "F_mean" in scores:
        region, contour = scores["J_mean"], scores["F_mean"]
        scores["JF_mean"] = None if region is None or contour is None else (region + contour) / 2
    return scores


def video_scores(scored: Scored, protocol: DatasetProtocol) -> dict[str, float | None]:
    """The scores of one video; None throughout where a scored frame has no prediction."""
    values: dict[str, Sequence[float] | None] = {}
    for name in protocol.measures:
        values[name] = None if scored.missing else [row.value for row in scored.rows if row.measure == name]
    return average(values, protocol.measures)


def dataset_scores(
    videos: Mapping[str, Mapping[str, float | None]], expected: Sequence[str]
) -> dict[str, float | None]:
    """The unweighted mean over videos; None where a video of the split is missing or incomplete.

    Args:
        videos: video → its scores.
        expected: every video of the split.

    >>> dataset_scores({"a": {"J_mean": 0.5}, "b": {"J_mean": 1.0}}, ["a", "b"])
    {'J_mean': 0.75}
    >>> dataset_scores({"a": {"J_mean": 0.5}}, ["a", "b"])
    {'J_mean': None}
    """
    names = next(iter(videos.values()), {}).keys()
    scores: dict[str, float | None] = {}
    for name in names:
        values = [videos[video][name] if video in videos else None for video in expected]
        known = [value for value in values if value is not None]
        scores[name] = mean(known) if len(known) == len(values) else None
    return scores


def _fit(prediction: Mask, annotation: Mask, protocol: DatasetProtocol, label: str) -> Mask:
    """Bring a prediction to the annotation's size, or refuse to, as the protocol says."""
    if prediction.shape == annotation.shape:
        return prediction
    (height, width), (asked_height, asked_width) = prediction.shape, annotation.shape
    if protocol.resize == "refuse":
        raise DataError(
            f'"{label}" is {width}×{height}, its annotation {asked_width}×{asked_height}; protocol '
            f'"{protocol.name}" does not resize: write masks at the size of the frames'
        )
    resized = cv2.resize(
        prediction.view(np.uint8), dsize=(asked_width, asked_height), interpolation=cv2.INTER_NEAREST_EXACT
    )
    return resized.view(np.bool_)
