"""From the motion of pixels to the log odds that they belong to the object, along the flow.

Conventions:
    Log odds are those of probabilities that are kept within [1/52, 51/52], float32.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from vosbench.images.flow import Flow
from vosbench.method.motion.background import Map

PERCENTILE = 99.5
"""The speed that counts as full: the fastest pixels are errors."""
SLOWEST = 0.5
"""Pixels per frame; if the fastest pixels are slower, nothing moves."""
SOFTNESS = 0.25
"""Width of the logistic function around the threshold, as a fraction of it."""
LEVELS = 256
KEPT = 0.8
"""What a frame keeps of the mean of the frames before it, and after it."""
AHEAD = 16
"""Frames after which KEPT has forgotten (0.8¹⁶ = 0.03)."""
CHUNK = 32
"""Frames that are propagated backward at a time."""


@dataclass(frozen=True, slots=True)
class Moving:
    """What the motion of one frame tells: log odds, (H, W), and the flow to its neighbours, if there are any."""

    odds: Map
    following: Flow | None
    previous: Flow | None


def odds(probability: Map) -> Map:
    """Log odds of probabilities."""
    return np.log((probability + np.float32(0.02)) / (np.float32(1.02) - probability))


def logistic(odds: Map) -> Map:
    """The probabilities of log odds."""
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def otsu(values: Map) -> float:
    """The threshold that separates two classes best.

    Otsu, A Threshold Selection Method from Gray-Level Histograms, IEEE Transactions on
    Systems, Man and Cybernetics 1979.

    Args:
        values: in [0, 1].

    >>> otsu(np.array([0.1, 0.1, 0.9], np.float32)) > 0.1
    True
    """
    counts = np.histogram(values, LEVELS, (0, 1))[0] / values.size
    below = np.cumsum(counts)
    mean = np.cumsum(counts * (np.arange(LEVELS) + 0.5) / LEVELS)
    between = (mean[-1] * below - mean) ** 2 / np.maximum(below * (1 - below), 1e-12)
    return float(np.argmax(between) + 1) / LEVELS


def moving(speed: Map) -> Map:
    """The log odds that pixels move by themselves: their speed against Otsu's threshold, softened.

    Args:
        speed: (H, W), relative to the background, in pixels per frame.
    """
    fastest = max(float(np.percentile(speed[::2, ::2], PERCENTILE)), SLOWEST)
    relative = np.minimum(speed / np.float32(fastest), 1)
    threshold = otsu(relative)
    exponent = (relative - np.float32(threshold)) / np.float32(SOFTNESS * threshold)
    return odds(logistic(exponent))


def along(values: Map, flow: Flow) -> Map:
    """Values of another frame at the positions to which the flow leads."""
    height, width = values.shape
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    at = (x + flow[..., 0], y + flow[..., 1])
    return np.asarray(cv2.remap(values, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _mean(values: Map, before: Map | None, flow: Flow | None) -> Map:
    if before is None or flow is None:
        return values
    return np.asarray((1 - KEPT) * values + KEPT * along(before, flow), np.float32)


def propagated(frames: Iterable[Moving]) -> Iterator[Map]:
    """The mean log odds of each frame and its neighbours in time, of both directions, found along the flow.

    So an object that stops for some frames is kept (in the manner of the temporal terms of Papazoglou and Ferrari,
    ICCV 2013). The mean of later frames starts `AHEAD` frames ahead, so that memory does not grow with the video.

    Yields:
        (H, W) float32 for each frame, in order.
    """
    waiting: deque[tuple[Moving, Map]] = deque()
    forward: Map | None = None
    for frame in frames:
        forward = _mean(frame.odds, forward, frame.previous)
        waiting.append((frame, forward))
        if len(waiting) == CHUNK + AHEAD:
            yield from _backward(waiting, CHUNK)
    yield from _backward(waiting, len(waiting))


def _backward(waiting: deque[tuple[Moving, Map]], count: int) -> list[Map]:
    """Take the first frames from those that wait."""
    backward: Map | None = None
    found: list[Map] = []
    for frame, forward in reversed(waiting):
        backward = _mean(frame.odds, backward, frame.following)
        found.append(np.asarray((forward + backward) / 2, np.float32))
    for _ in range(count):
        waiting.popleft()
    return found[::-1][:count]
