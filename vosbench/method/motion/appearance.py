"""What the object looks like: colours of the whole video."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vosbench.method.motion.background import Frame, Map

BINS = 16
"""Of each of the three channels of CIELAB."""
MARGIN = 0.08
"""The fraction of the shorter side that counts as the image's border."""
STRONGEST = 3.0
"""Log odds that a colour can contribute."""
SAMPLED = 3
"""Every so many pixels in both directions are counted."""

Bins = NDArray[np.uint16]


def bins(frame: Frame) -> Bins:
    """The bin of each pixel's colour, (H, W)."""
    lab = np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2LAB), np.uint16) // (256 // BINS)
    return np.asarray((lab[..., 0] * BINS + lab[..., 1]) * BINS + lab[..., 2], np.uint16)


def evidence(foreground: NDArray[np.float64], background: NDArray[np.float64]) -> Map:
    """The log odds of each colour, given how often it is of the object and how often it is not.

    The histograms are smoothed over neighbouring bins.

    Args:
        foreground: (`BINS`³,) counts.
        background: likewise.

    Returns:
        (`BINS`³,) float32, within ± `STRONGEST`.
    """
    from scipy.ndimage import gaussian_filter

    rates = []
    for counts in (foreground, background):
        smooth = gaussian_filter(counts.reshape(BINS, BINS, BINS), 1.0, mode="constant").ravel()
        rates.append(smooth / max(smooth.sum(), 1e-9) + 1e-6)
    return np.asarray(np.clip(np.log(rates[0] / rates[1]), -STRONGEST, STRONGEST), np.float32)


def counted(colours: Bins, weights: Map) -> NDArray[np.float64]:
    """How often each colour occurs, weighted; (`BINS`³,)."""
    return np.asarray(np.bincount(colours.ravel(), weights.ravel(), BINS**3), np.float64)


@cache
def border(height: int, width: int) -> NDArray[np.bool_]:
    """The pixels of the image's border, which seldom are of the object; (H, W).

    This prior is that of Wei et al., Geodesic Saliency Using Background Priors, ECCV 2012.
    """
    margin = int(MARGIN * min(height, width))
    mask = np.ones((height, width), bool)
    mask[margin : height - margin, margin : width - margin] = False
    return mask


@cache
def centred(height: int, width: int) -> Map:
    """A Gauss function around the image's centre, of half its sides, minus 0.4; (H, W)."""
    x, y = (np.linspace(-1, 1, side, dtype=np.float32) for side in (width, height))
    return np.asarray(np.exp(-(x**2 + y[:, None] ** 2) / (2 * 0.5**2)) - 0.4, np.float32)
