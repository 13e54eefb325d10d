"""Measures of the field: numpy arrays in, Python numbers out.

| measure | module |
|---|---|
| J, region similarity | `region`; packed masks: `packed` |
| F, contour accuracy | `boundary`; packed masks: `packed` |
| T, temporal stability | `stability` |
| MAE, PR curve, F, S, E, weighted F of soft maps | `saliency` |
| Ochs–Brox object F | `objects` |
| DAVIS-2017 unsupervised proposals | `proposals` |
| mean, recall, decay over frames | `statistics` |
| averages over frames, videos, categories, attributes | `averages` |
| intervals and paired tests over videos | `inference` |
"""

from typing import TYPE_CHECKING, Any

from vosbench.metrics.boundary import contour_accuracy
from vosbench.metrics.region import region_similarity
from vosbench.metrics.statistics import decay, mean, recall

if TYPE_CHECKING:
    from vosbench.metrics.stability import temporal_stability

__all__ = ["contour_accuracy", "decay", "mean", "recall", "region_similarity", "temporal_stability"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - as the language defines it
    """Import temporal stability, which is compiled, only where it is asked for."""
    if name == "temporal_stability":
        from vosbench.metrics.stability import temporal_stability

        return temporal_stability
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
