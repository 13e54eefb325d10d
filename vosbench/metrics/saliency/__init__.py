"""Saliency measures of soft maps: MAE, precision and recall, F, S, E and weighted F, under named conventions.

Conventions:
    A map is an (H, W) array of integer levels as read from a grey PNG file, and an annotation is (H, W) bool. Both
    must have the same size: resize the map, never the annotation. Frames are measured one by one and averaged in
    constant memory::

        convention = saliency.convention("davsod")
        averages = saliency.Accumulator(convention, names)
        averages.add(video, saliency.measure_frame(levels, annotation, convention, names))
        averages.result(), averages.by_video(), averages.pr()

    Lower is better for MAE, higher for all others. All are Python floats in [0, 1], except that E can reach N / (N − 1)
    for N pixels. No value is NaN: the module of each measure defines its value for 0/0.

    | measure | module | frame | dataset |
    |---|---|---|---|
    | MAE | `histogram` | value | mean |
    | maxF, meanF | `curves` | curve | maximum or mean of the averaged curve |
    | adpF | `curves` | value | mean |
    | S | `structure` | value | mean |
    | maxE, meanE | `enhanced` | curve | maximum or mean of the averaged curve |
    | adpE | `enhanced` | value | mean |
    | wF | `weighted` | value | mean |
    | maxDice, meanDice, maxIoU, meanIoU | `curves` | curve | maximum or mean of the averaged curve |
"""

from vosbench.metrics.saliency.accumulate import Accumulator
from vosbench.metrics.saliency.conventions import CONVENTIONS, Convention, convention
from vosbench.metrics.saliency.frame import SaliencyFrame, measure_frame
from vosbench.metrics.saliency.histogram import quantise

__all__ = [
    "CONVENTIONS",
    "Accumulator",
    "Convention",
    "SaliencyFrame",
    "convention",
    "measure_frame",
    "quantise",
]
