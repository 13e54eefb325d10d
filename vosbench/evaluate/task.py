"""What is to be scored: one video, its predictions, and the protocol."""

from collections.abc import Sequence
from dataclasses import dataclass

from vosbench.errors import DataError
from vosbench.predictions import Predictions
from vosbench.protocol import DatasetProtocol
from vosbench.video import Video


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
