"""Rows, and what scoring one video gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vosbench.dataset import DatasetProtocol, Video
from vosbench.errors import DataError
from vosbench.evaluate.predictions import Predictions
from vosbench.records.record import Row

if TYPE_CHECKING:
    from vosbench.metrics.ochs_brox import ObjectScores
    from vosbench.metrics.saliency import Accumulator

Scores = Mapping[str, float | None]


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
        added: the scores of measures that third parties add; empty if the protocol takes none.
        counted: the frames that these are of.
    """

    video: str
    rows: tuple[Row, ...]
    missing: tuple[int, ...]
    unscored: int
    annotations: str
    saliency: "Accumulator | None" = None
    regions: "ObjectScores | None" = None
    added: Scores = field(default_factory=dict)
    counted: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """One video whose predictions are to be scored under a protocol."""

    video: Video
    predictions: Predictions
    protocol: DatasetProtocol

    @property
    def scored(self) -> Sequence[int]:
        """The frames that the protocol scores."""
        return self.protocol.scored(self.video)

    @property
    def present(self) -> list[int]:
        """Those of them that have a prediction."""
        return [index for index in self.scored if index in self.predictions.files[self.video.name]]

    @property
    def missing(self) -> tuple[int, ...]:
        """Those of them that have none."""
        return tuple(index for index in self.scored if index not in self.predictions.files[self.video.name])

    def differs(self, index: int, found: tuple[int, int], asked: tuple[int, int]) -> bool:
        """Say whether a prediction's (H, W) is not the annotation's.

        Raises:
            DataError: where it is not, and the protocol does not resize.
        """
        if found == asked:
            return False
        if self.protocol.resize == "refuse":
            label = self.predictions.label(self.video.name, index)
            raise DataError(
                f'"{label}" is {found[1]}×{found[0]}, its annotation {asked[1]}×{asked[0]}; protocol '
                f'"{self.protocol.name}" does not resize: write masks at the size of the frames'
            )
        return True
