"""What to score in one video, and the result."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vosbench.dataset import DatasetProtocol, Video
from vosbench.errors import DataError, MeasureError
from vosbench.evaluate.predictions import Predictions
from vosbench.records.record import Row

if TYPE_CHECKING:
    from vosbench.metrics.ochs_brox import ObjectScores
    from vosbench.metrics.saliency import Accumulator

Scores = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Scored:
    """The result of scoring one video.

    Attributes:
        video: its name.
        rows: the measured values, by frame, then by measure.
        missing: scored frames without a prediction.
        unscored: number of frames without a prediction that the protocol does not score.
        annotations: SHA-256 of the scored annotations as decoded.
        saliency: the sums for saliency averages, if the protocol has saliency measures.
        regions: the video's object scores, if the protocol's unit is regions.
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
        """The scored frames that have a prediction."""
        return [index for index in self.scored if index in self.predictions.files[self.video.name]]

    @property
    def missing(self) -> tuple[int, ...]:
        """The scored frames that have no prediction."""
        return tuple(index for index in self.scored if index not in self.predictions.files[self.video.name])

    def differs(self, index: int, prediction: tuple[int, int], annotation: tuple[int, int]) -> bool:
        """Whether the (H, W) of a prediction and its annotation differ.

        Raises:
            DataError: if they do, and the protocol does not resize.
        """
        if prediction == annotation:
            return False
        if self.protocol.resize == "refuse":
            label = self.predictions.label(self.video.name, index)
            raise DataError(
                f'"{label}" is {prediction[1]}×{prediction[0]}, but its annotation is {annotation[1]}×{annotation[0]}; '
                f'protocol "{self.protocol.name}" does not resize, so save masks at the size of the frames'
            )
        return True

    @contextmanager
    def naming(self, index: int) -> Iterator[None]:
        """Name the prediction and its frame in errors of a measure."""
        try:
            yield
        except MeasureError as error:
            label = self.predictions.label(self.video.name, index)
            raise MeasureError(f'"{label}" (frame {index} of "{self.video.name}"): {error}') from error
