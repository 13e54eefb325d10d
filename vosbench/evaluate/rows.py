"""Rows, and what scoring one video gives."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vosbench.metrics.objects import ObjectScores
    from vosbench.metrics.saliency import Accumulator

Scores = Mapping[str, float | None]


class Row(NamedTuple):
    """One measured value; ``frame`` is the 0-based index in the video.

    Temporal stability stands at the later frame of its pair, times 5. Objects stand behind the measure: ``J.1``.
    """

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
        saliency: what saliency measures are averaged from, where the protocol takes any.
        regions: the video's object scores, where the protocol's unit is regions.
    """

    video: str
    rows: tuple[Row, ...]
    missing: tuple[int, ...]
    unscored: int
    annotations: str
    saliency: "Accumulator | None" = None
    regions: "ObjectScores | None" = None
