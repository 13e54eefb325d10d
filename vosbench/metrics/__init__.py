"""Measures of the field: numpy arrays in, Python numbers out."""

from vosbench.metrics.boundary import contour_accuracy
from vosbench.metrics.region import region_similarity
from vosbench.metrics.statistics import decay, mean, recall

__all__ = ["contour_accuracy", "decay", "mean", "recall", "region_similarity"]
