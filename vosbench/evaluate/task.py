"""What to score in one video, and the result."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vosbench.dataset import DatasetProtocol, Video
from vosbench.errors import DataError, MeasureError
from vosbench.evaluate.predictions import Predictions
from vosbench.images.recognition import Looks
from vosbench.records.record import Row

if TYPE_CHECKING:
    from vosbench.metrics.ochs_brox import ObjectScores
    from vosbench.metrics.saliency import Accumulator

Scores = Mapping[str, float | None]
MOST_SHRUNK = 64
"""The most pixels of a prediction for each pixel of its annotation, if predictions are resized."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The result of scoring one video.

    Attributes:
        video: its name.
        rows: the measured values, by frame, then by measure.
        missing: scored frames without a prediction.
        unscored: number of frames without a prediction that the protocol does not score.
        annotations: SHA-256 of the scored annotations as decoded.
        masks: hash of the scored predictions as decoded.
        saliency: the sums for saliency averages, if the protocol has saliency measures.
        regions: the video's object scores, if the protocol's unit is regions.
        added: the scores of measures that third parties add; empty if the protocol takes none.
        counted: the frames that these are of.
        looks: what the masks contain, if codecs are being recognised.
        uniform: how many predictions are empty, how many are full, and how many there are; of soft maps, 0.
        complement: the mean J of the inverted predictions; None if J is not measured.
    """

    video: str
    rows: tuple[Row, ...]
    missing: tuple[int, ...]
    unscored: int
    annotations: str
    masks: str = ""
    saliency: "Accumulator | None" = None
    regions: "ObjectScores | None" = None
    added: Scores = field(default_factory=dict)
    counted: int = 0
    looks: Looks = field(default_factory=dict)
    uniform: tuple[int, int, int] = (0, 0, 0)
    complement: float | None = None


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

    def checks(self, index: int, annotation: tuple[int, int]) -> Callable[[tuple[int, int]], None]:
        """A function that refuses predictions of a frame by their (H, W), before they are decoded."""

        def check(prediction: tuple[int, int]) -> None:
            self.differs(index, prediction, annotation)

        return check

    def differs(self, index: int, prediction: tuple[int, int], annotation: tuple[int, int]) -> bool:
        """Whether the (H, W) of a prediction and its annotation differ.

        Raises:
            DataError: if they do, and the protocol does not resize, or would resize a prediction by more than
                `MOST_SHRUNK`.
        """
        if prediction == annotation:
            return False
        label = self.predictions.label(self.video.name, index)
        sizes = f"{prediction[1]}×{prediction[0]}, but its annotation is {annotation[1]}×{annotation[0]}"
        if self.protocol.resize == "refuse":
            raise DataError(
                f'"{label}" is {sizes}; protocol "{self.protocol.name}" does not resize, so save masks at the size of '
                "the frames"
            )
        if prediction[0] * prediction[1] > MOST_SHRUNK * annotation[0] * annotation[1]:
            raise DataError(f'"{label}" is {sizes}; a mask with so many more pixels is not resized')
        return True

    @contextmanager
    def naming(self, index: int) -> Iterator[None]:
        """Name the prediction and its frame in errors of a measure."""
        try:
            yield
        except MeasureError as error:
            label = self.predictions.label(self.video.name, index)
            raise MeasureError(f'"{label}" (frame {index} of "{self.video.name}"): {error}') from error
