"""The motion of the background, and what moves otherwise.

Conventions:
    Frames are RGB, resized to about the same number of pixels; flow is in pixels of that size.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vosbench.images.flow import Flow

Frame = NDArray[np.uint8]
Map = NDArray[np.float32]
Numbers = NDArray[np.float64]

BORDER = 0.15
"""The fraction of each side at which the background is looked for first: left, right and top, since people stand."""
STEP = 6
"""Every so many pixels in both directions are fitted; neighbours of a flow say the same."""
ITERATIONS = 5
CUT = 1.5
"""Residuals of so many standard deviations count for a quarter."""
LEAST = 0.05
"""Pixels; flow is not more exact than that, whatever its residuals say."""
TEXTURE = 1.4
"""Grey levels per pixel; where gradients are weaker, flow is guessed from its surroundings."""
LOOSE = 1.0
"""Square pixels by which a flow and the flow back may differ at rest."""
WINDOW = (9, 9)
REPEATED = 0.5
"""Mean difference in grey levels below which a frame repeats its neighbour, as in videos of a raised frame rate."""


@dataclass(frozen=True, slots=True)
class Plane:
    """What depends on the size of frames alone."""

    terms: Map
    sampled: NDArray[np.bool_]
    border: Numbers


@cache
def plane(height: int, width: int) -> Plane:
    """The polynomial's terms 1, x, y, x², xy, y² at each pixel, the sampled pixels, and their first weights."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    side = width / 2
    x, y = (x - side) / side, (y - height / 2) / side
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6)
    sampled = np.zeros((height, width), bool)
    sampled[STEP // 2 :: STEP, STEP // 2 :: STEP] = True
    border = np.zeros((height, width))
    border[: int(BORDER * height)] = 1
    border[:, : int(BORDER * width)] = border[:, -int(BORDER * width) :] = 1
    return Plane(terms, sampled.ravel(), border.ravel()[sampled.ravel()] + 1e-3)


def texture(grey: Frame) -> Map:
    """How far a flow can be trusted: from 0 without gradients to 1, (H, W)."""
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1)))
    energy = cv2.boxFilter(across * across + down * down, -1, WINDOW)
    return np.asarray(energy / (energy + np.float32(TEXTURE**2)), np.float32)


def agreement(flow: Flow, back: Flow) -> Map:
    """How well a flow and the flow back agree, from 0 to 1, (H, W): they do not where one is guessed or occluded.

    The scale of the difference is that of Sundaram, Brox and Keutzer, Dense Point Trajectories by GPU-Accelerated Large
    Displacement Optical Flow, ECCV 2010: 1 % of the squared lengths, and a constant.
    """
    height, width = flow.shape[:2]
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    there = cv2.remap(back, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    difference = ((flow + there) ** 2).sum(axis=2)
    lengths = (flow**2).sum(axis=2) + (there**2).sum(axis=2)
    return np.asarray(cv2.boxFilter(np.exp(-difference / (0.01 * lengths + np.float32(LOOSE))), -1, WINDOW), np.float32)


def residual(flow: Flow, trust: Map, agreed: Map) -> Map:
    """The speed of each pixel relative to the background, in pixels per frame, weighed by trust.

    The background moves by a polynomial of the position, first of degree 1, then of degree 2 (a plane in rigid motion;
    Odobez and Bouthemy, Robust Multiresolution Estimation of Parametric Motion Models, JVCIR 1995): least squares
    iteratively reweighted by the residuals (Geman and McClure), starting at the image's border.

    Args:
        flow: (H, W, 2), in pixels.
        trust: (H, W), in [0, 1]; see `texture`.
        agreed: (H, W), in [0, 1]; see `agreement`.

    Returns:
        (H, W) float32.
    """
    height, width = trust.shape
    known = plane(height, width)
    vectors = flow.reshape(-1, 2)[known.sampled].astype(np.float64)
    terms = known.terms[known.sampled].astype(np.float64)
    trusted = trust.ravel()[known.sampled].astype(np.float64) + 0.02
    weights = known.border * trusted
    for degree in (3, 6):
        for _ in range(ITERATIONS):
            motion = _solve(terms[:, :degree], vectors, weights)
            errors = np.linalg.norm(vectors - terms[:, :degree] @ motion, axis=1)
            spread = max(1.4826 * _median(errors, trusted), LEAST)
            weights = trusted / (1 + (errors / (CUT * spread)) ** 2) ** 2
    background = known.terms @ motion.astype(np.float32)
    return np.asarray(np.linalg.norm(flow - background.reshape(flow.shape), axis=2) * trust * agreed, np.float32)


def _solve(terms: Numbers, vectors: Numbers, weights: Numbers) -> Numbers:
    weighted = terms * weights[:, None]
    normal = weighted.T @ terms + 1e-9 * np.eye(terms.shape[1])
    return np.asarray(np.linalg.solve(normal, weighted.T @ vectors), np.float64)


def _median(values: Numbers, weights: Numbers) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def repeats(grey: Frame, other: Frame) -> bool:
    """Whether two grey frames are the same picture, between which nothing moves."""
    return bool(cv2.absdiff(grey, other).mean() < REPEATED)
