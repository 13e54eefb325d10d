"""Average frames over videos and a dataset under a convention, in constant memory.

Conventions:
    The values, curves and counts of a frame are added to the sums of its video; the frame itself is not stored. A
    video takes some kilobytes, whatever its length. Values are averaged over the frames of a video and then over
    videos (``"video"``), over all frames (``"frame"``, ``"rates"``), or over pixels (``"pixels"``). Maxima and means
    over thresholds are computed last, from the averaged curve. Averages of no frames are None.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vosbench.errors import MeasureError
from vosbench.metrics.saliency.conventions import Convention
from vosbench.metrics.saliency.curves import THRESHOLDS, Curve, f_measure, rates
from vosbench.metrics.saliency.frame import SaliencyFrame

CURVES = ("precision", "recall", "f_measure", "e_measure", "dice", "overlap")
CURVE_OF = {"maxF": "f_measure", "meanF": "f_measure", "maxE": "e_measure", "meanE": "e_measure"}
CURVE_OF |= {"maxDice": "dice", "meanDice": "dice", "maxIoU": "overlap", "meanIoU": "overlap"}


@dataclass(slots=True)
class Sums:
    """Sums over frames: plain numbers and (256,) arrays under the names of `SaliencyFrame`."""

    frames: int = 0
    pixels: int = 0
    annotated: int = 0
    sums: dict[str, Any] = field(default_factory=dict)

    def add(self, frame: SaliencyFrame) -> None:
        """Add a frame."""
        self.frames += 1
        self.pixels += frame.pixels
        self.annotated += frame.annotated
        for name, value in frame.values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.sums["wrong"] = self.sums.get("wrong", 0.0) + frame.values.get("MAE", 0.0) * frame.pixels
        for name in ("positive", *CURVES):
            curve = getattr(frame, name)
            if curve is not None:
                self.sums[name] = self.sums.get(name, 0) + curve

    def merge(self, other: "Sums") -> None:
        """Add the sums of other frames."""
        self.frames += other.frames
        self.pixels += other.pixels
        self.annotated += other.annotated
        for name, value in other.sums.items():
            self.sums[name] = self.sums.get(name, 0) + value


class Accumulator:
    """Running sums of measured frames, by video, and their averages.

    Args:
        convention: the convention under which the frames are measured.
        names: the measures to average; by default all that the convention defines.
    """

    def __init__(self, convention: Convention, names: Sequence[str] | None = None) -> None:
        self.convention = convention
        self.names = convention.measures if names is None else tuple(names)
        self.videos: dict[str, Sums] = {}
        convention.check(self.names)

    def add(self, video: str, frame: SaliencyFrame) -> None:
        """Add a frame.

        Raises:
            MeasureError: if the frame is missing a measure that is to be averaged.
        """
        for name in self.names:
            if name not in frame.values and (name not in CURVE_OF or getattr(frame, CURVE_OF[name]) is None):
                raise MeasureError(f'a frame of "{video}" was measured without {name}; measure it with the same names')
        self.videos.setdefault(video, Sums()).add(frame)

    def merge(self, other: "Accumulator") -> None:
        """Add the sums of another accumulator with the same convention and measures."""
        for video, sums in other.videos.items():
            self.videos.setdefault(video, Sums()).merge(sums)

    def result(self) -> dict[str, float | None]:
        """The averages of the dataset: a number in [0, 1] per measure (E: at most N / (N − 1)); None if no frames."""
        return self._finish(self._average(self.videos.values()))

    def by_video(self) -> dict[str, dict[str, float | None]]:
        """The averages of each video, over its frames or its pixels."""
        return {video: self._finish(self._average([sums])) for video, sums in self.videos.items()}

    def pr(self) -> tuple[Curve, Curve, Curve]:
        """The precision-recall curve of the dataset.

        Returns:
            Thresholds k / 255, precision and recall, each (256,) float64.

        Raises:
            MeasureError: if neither maxF nor meanF is measured, or there are no frames.
        """
        curves = self.curves()
        return np.arange(THRESHOLDS) / (THRESHOLDS - 1), curves["precision"], curves["recall"]

    def curves(self) -> dict[str, Curve]:
        """Precision, recall and F of the dataset at each threshold k / 255, under the names of `SaliencyFrame`.

        Returns:
            ``"precision"``, ``"recall"`` and ``"f_measure"``, each (256,) float64.

        Raises:
            MeasureError: if neither maxF nor meanF is measured, or there are no frames.
        """
        averages = self._average(self.videos.values())
        if "precision" not in averages:
            raise MeasureError("precision and recall were not measured; measure maxF or meanF of at least one frame")
        return {name: averages[name] for name in ("precision", "recall", "f_measure")}

    def _average(self, videos: Iterable[Sums]) -> dict[str, Any]:
        """Averaged values and curves, by name."""
        parts = list(videos)
        if not parts:
            return {}
        if self.convention.average == "video":
            means = [{name: value / sums.frames for name, value in sums.sums.items()} for sums in parts]
            return {name: sum(mean[name] for mean in means) / len(means) for name in means[0]}
        total = Sums()
        for sums in parts:
            total.merge(sums)
        averages = {name: value / total.frames for name, value in total.sums.items()}
        if self.convention.average == "pixels":
            averages["MAE"] = total.sums["wrong"] / total.pixels
            if "positive" in total.sums:
                averages["precision"], averages["recall"] = rates(total.sums["positive"], total.annotated)
        if self.convention.average in {"pixels", "rates"} and "precision" in averages:
            averages["f_measure"] = f_measure(averages["precision"], averages["recall"], self.convention.beta2)
        return averages

    def _finish(self, averages: dict[str, Any]) -> dict[str, float | None]:
        """The requested measures from averaged values and curves."""
        results: dict[str, float | None] = {}
        for name in self.names:
            value = averages.get(CURVE_OF.get(name, name))
            if value is not None and name in CURVE_OF:
                value = value.max() if name.startswith("max") else value.mean()
            results[name] = None if value is None else float(value)
        return results
