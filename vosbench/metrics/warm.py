"""Compile ahead what measures compile on their first use on a machine; see `vosbench.metrics.compiled`."""

import numpy as np

from vosbench.metrics import saliency, stability
from vosbench.metrics.compiled import COMPILING, is_cold
from vosbench.metrics.stability import corridor


def is_needed() -> bool:
    """Whether T is not compiled yet."""
    return COMPILING and is_cold(corridor.walk_exactly)


def warm() -> None:
    """Measure T and the saliency of two drawn masks, so that everything is compiled."""
    y, x = np.mgrid[:64, :64]
    one, other = np.hypot(y - 30, x - 32) < 15, np.hypot(y - 32, 0.8 * (x - 32)) < 15
    stability.temporal_stability(one, other)
    convention = saliency.convention("davsod")
    for levels in (one * np.uint8(200), one * np.uint16(50_000)):
        saliency.measure_frame(levels, other, convention, ("MAE", "maxF", "wF"))
