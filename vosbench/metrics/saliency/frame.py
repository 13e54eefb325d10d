"""Measure one frame under a convention, with one pass over the pixels for all measures based on a histogram."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vosbench.metrics.measures import DICE, MAPS
from vosbench.metrics.saliency.conventions import Convention
from vosbench.metrics.saliency.curves import (
    Curve,
    adaptive,
    enhanced_alignment,
    f_measure,
    highest_threshold,
    overlaps,
    passing,
    rates,
)
from vosbench.metrics.saliency.histogram import Counts, Scale, check_map, joint_histogram, mean_absolute_error, scale
from vosbench.metrics.saliency.structure import blocks, structure_measure
from vosbench.metrics.saliency.weighted import weighted_f_measure


@dataclass(frozen=True, slots=True, kw_only=True)
class SaliencyFrame:
    """The values and curves of one frame; index k of a curve is threshold k / 255.

    Attributes:
        values: those of MAE, adpF, S, adpE and wF that were requested.
        pixels: number of pixels in the image.
        annotated: number of foreground pixels.
        positive: (2, 256) int64 false and true positives, if maxF or meanF is requested.
        precision: (256,) in [0, 1], likewise.
        recall: (256,) in [0, 1], likewise.
        f_measure: (256,) in [0, 1], likewise.
        e_measure: (256,) in [0, N / (N − 1)], if maxE or meanE is requested.
        dice: (256,) in [0, 1], if maxDice or meanDice is requested.
        overlap: (256,) in [0, 1], the IoU, if maxIoU or meanIoU is requested.
    """

    values: dict[str, float]
    pixels: int
    annotated: int
    positive: Counts | None = None
    precision: Curve | None = None
    recall: Curve | None = None
    f_measure: Curve | None = None
    e_measure: Curve | None = None
    dice: Curve | None = None
    overlap: Curve | None = None


def measure_frame(
    levels: NDArray[Any], annotation: NDArray[Any], convention: Convention, names: Sequence[str] | None = None
) -> SaliencyFrame:
    """Measure one frame.

    Args:
        levels: (H, W) map as in a PNG file, uint8 or uint16; floats in [0, 1] are rounded to 256 levels.
        annotation: (H, W) bool.
        convention: the convention to measure under.
        names: the measures of `MAPS` to compute; by default all that the convention defines.

    Returns:
        Values and curves for these measures; nothing else is computed.

    Raises:
        MeasureError: if the arrays are not a map and its annotation, or the convention does not define a measure.

    >>> from vosbench.metrics.saliency.conventions import convention
    >>> annotation = np.array([[True, False, False]])
    >>> measure_frame(np.array([[255, 51, 0]], np.uint8), annotation, convention("davsod"), ["MAE", "adpF"]).values
    {'MAE': 0.06666666666666667, 'adpF': 1.0}
    """
    wanted = convention.measures if names is None else tuple(names)
    convention.check(wanted)
    whole, mask = check_map(levels, annotation)
    parts = blocks(whole, mask, convention.centroid) if "S" in wanted else [joint_histogram(whole, mask)]
    histogram: Counts = np.sum(parts, axis=0) if len(parts) > 1 else parts[0]
    extent = scale(histogram, convention.normalise)
    values: dict[str, float] = {}
    if "MAE" in wanted:
        values["MAE"] = mean_absolute_error(histogram, extent)
    if "S" in wanted:
        values["S"] = structure_measure(parts, extent)
    if "wF" in wanted:
        values["wF"] = weighted_f_measure(whole, mask, extent)
    annotated = int(histogram[1].sum())
    curves = _curves(histogram, extent, convention, wanted)
    values |= _adaptive(histogram, extent, convention, wanted)
    ordered = {name: values[name] for name in MAPS if name in values}
    return SaliencyFrame(values=ordered, pixels=mask.size, annotated=annotated, **curves)


def _curves(histogram: Counts, extent: Scale, convention: Convention, wanted: Sequence[str]) -> dict[str, Any]:
    """The fields of a frame that are curves."""
    curves: dict[str, Any] = {}
    levels, annotated = histogram.shape[1], int(histogram[1].sum())
    if "maxF" in wanted or "meanF" in wanted:
        positive = passing(histogram, highest_threshold(levels, extent, comparison=convention.comparison))
        precision, recall = rates(positive, annotated)
        curves |= {"positive": positive, "precision": precision, "recall": recall}
        curves["f_measure"] = f_measure(precision, recall, convention.beta2)
    if not set(DICE).isdisjoint(wanted):
        positive = passing(histogram, highest_threshold(levels, extent, comparison=convention.comparison))
        curves |= dict(zip(("dice", "overlap"), overlaps(positive, annotated), strict=True))
    if "maxE" in wanted or "meanE" in wanted:
        strict = convention.alignment == ">"
        highest = highest_threshold(levels, extent, strict=strict, comparison=convention.comparison)
        curves["e_measure"] = enhanced_alignment(passing(histogram, highest), annotated, int(histogram.sum()))
    return curves


def _adaptive(histogram: Counts, extent: Scale, convention: Convention, wanted: Sequence[str]) -> dict[str, float]:
    """F and E at the adaptive threshold."""
    values: dict[str, float] = {}
    annotated = int(histogram[1].sum())
    if "adpF" in wanted:
        precision, recall = rates(adaptive(histogram, extent), annotated)
        values["adpF"] = float(f_measure(precision, recall, convention.beta2)[0])
    if "adpE" in wanted:
        positive = adaptive(histogram, extent, strict=convention.alignment == ">")
        values["adpE"] = float(enhanced_alignment(positive, annotated, int(histogram.sum()))[0])
    return values
