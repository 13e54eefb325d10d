"""The field's measures: NumPy arrays in, Python numbers out.

| measure | module |
|---|---|
| J, region similarity | `region`; packed masks: `packed_scores` |
| F, contour accuracy | `boundary`; packed masks: `packed_scores` |
| T, temporal stability | `stability` |
| MAE, PR curve, F, S, E, weighted F of soft maps | `saliency` |
| Ochs–Brox object F | `ochs_brox` |
| DAVIS-2017 unsupervised proposals | `proposals` |
| mean, recall, decay over frames | `statistics` |
| intervals and paired tests over videos | `significance` |

`measures` says what each number is called and which way it is better; `vosbench.evaluate.aggregate` averages over
videos, categories and attributes.
"""

from typing import TYPE_CHECKING, Any

from vosbench.metrics.boundary import contour_accuracy
from vosbench.metrics.measures import Accumulation, Family, Measure
from vosbench.metrics.region import region_similarity
from vosbench.metrics.statistics import decay, mean, recall

if TYPE_CHECKING:
    from vosbench.metrics.stability import temporal_stability

__all__ = [
    "Accumulation",
    "Family",
    "Measure",
    "contour_accuracy",
    "decay",
    "mean",
    "recall",
    "region_similarity",
    "temporal_stability",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - as the language defines it
    """Import temporal stability on first use: it loads the compiler."""
    if name == "temporal_stability":
        from vosbench.metrics.stability import temporal_stability

        return temporal_stability
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
