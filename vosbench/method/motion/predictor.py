"""Two passes over a video: how its pixels move, then what the moving object looks like."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from vosbench.dataset import Video
from vosbench.engine.stages import stage
from vosbench.images.flow import Flow
from vosbench.method.estimators import METHODS
from vosbench.method.method import FloatMap, State
from vosbench.method.motion.appearance import BINS, SAMPLED, Bins, bins, border, centred, counted, evidence
from vosbench.method.motion.background import Frame, Map, agreement, repeats, residual, texture
from vosbench.method.motion.saliency import Moving, logistic, moving, propagated
from vosbench.method.predict import Stateless, of_equal_size, read_ahead
from vosbench.method.refine import guided

MOTION, BORDER, COLOUR, CENTRE, BIAS = 1.7, 1.4, 1.4, 4.1, -0.3
"""Weights of the log odds; chosen on RealTrain, see the card."""
ROUNDS = 2
"""How often the colours of object and background are learned from the map that they give."""
FILTERED, RADIUS, SMOOTH = 2, 8, 1e-3
"""How often the guided filter is applied, the radius of its windows, and the variance of brightness at edges."""
RANGE = 4.0
"""Log odds are kept between the passes within ± this, as 8 bits."""


@dataclass(slots=True)
class Seen:
    """What the first pass keeps of a video: memory per frame is 1.2 bytes per pixel.

    Attributes:
        odds: of motion, (H, W) uint8 for each frame.
        colours: of the sampled pixels, for each frame.
        inside: how often each colour occurs inside the image's border.
        outside: how often in it.
    """

    odds: list[NDArray[np.uint8]] = field(default_factory=list)
    colours: list[Bins] = field(default_factory=list)
    inside: NDArray[np.float64] = field(default_factory=lambda: np.zeros(BINS**3))
    outside: NDArray[np.float64] = field(default_factory=lambda: np.zeros(BINS**3))


class Motion(Stateless):
    """A predictor without weights; each step is named after the paper that it follows.

    Args:
        pixels: about how many pixels frames are resized to.
        preset: of DIS flow (Kroeger et al., ECCV 2016, in OpenCV).
    """

    def __init__(self, pixels: int, preset: str) -> None:
        self._pixels = pixels
        self._flow = METHODS["dis"].load({"preset": preset, "finest": "0" if preset == "medium" else "preset"}, "cpu")

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:  # noqa: ARG002 - has no state
        """Repeat the first pass, then yield maps; see `vosbench.method.method.Resumable`."""
        if start >= len(video):
            return
        seen = self._first_pass(video)
        colours = _learn(seen)
        with closing(read_ahead(video.frames[start:])) as frames:
            for t, frame in enumerate(frames, start):
                yield self._map(frame, seen.odds[t], colours)

    def _first_pass(self, video: Video) -> Seen:
        seen = Seen()
        with closing(read_ahead(video.frames)) as frames:
            for found in propagated(self._moving(map(self._resized, of_equal_size(frames, video)), seen)):
                scaled = np.clip(found * np.float32(127 / RANGE) + np.float32(127.5), 0, 255)
                seen.odds.append(scaled.astype(np.uint8))
        return seen

    def _resized(self, frame: Frame) -> Frame:
        height, width = frame.shape[:2]
        scale = (self._pixels / (height * width)) ** 0.5
        size = (max(round(width * scale), 32), max(round(height * scale), 32))
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(frame, size, interpolation=way), np.uint8)

    def _moving(self, frames: Iterable[Frame], seen: Seen) -> Iterator[Moving]:
        """How each frame moves; what it looks like is added to what is seen."""
        before: _Pair | None = None
        last: tuple[Frame, Frame, Map] | None = None
        for frame in frames:
            _look(frame, seen)
            grey = np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)
            if last is not None:
                pair = self._pair(last[0], frame, still=repeats(last[1], grey))
                yield _combined(last[2], before, pair)
                before = pair
            last = (frame, grey, texture(grey))
        if last is not None:
            yield _combined(last[2], before, None)

    @stage("matching")
    def _pair(self, first: Frame, second: Frame, *, still: bool) -> "_Pair":
        if still:
            none = np.zeros((*first.shape[:2], 2), np.float32)
            return _Pair(none, none, still=True)
        return _Pair(self._flow(first, second), self._flow(second, first), still=False)

    @stage("post")
    def _map(self, frame: Frame, kept: NDArray[np.uint8], colours: Map) -> FloatMap:
        small = self._resized(frame)
        total = _total(kept, colours[bins(small)])
        probability = logistic(total)
        brightness = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float32) / np.float32(255)
        for _ in range(FILTERED):
            probability = guided(probability, brightness, RADIUS, SMOOTH)
        large = cv2.resize(probability, (frame.shape[1], frame.shape[0]), interpolation=cv2.INTER_LINEAR)
        return np.clip(large, 0, 1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Pair:
    """The flow between two frames, there and back."""

    forward: Flow
    backward: Flow
    still: bool


def _combined(trust: Map, before: _Pair | None, after: _Pair | None) -> Moving:
    """A pixel moves by itself if it does so to both neighbours: at occlusions, one of the flows is wrong."""
    flows = [(after.forward, after.backward)] if after is not None and not after.still else []
    flows += [(before.backward, before.forward)] if before is not None and not before.still else []
    speeds = [residual(flow, trust, agreement(flow, back)) for flow, back in flows]
    speed = np.minimum.reduce(speeds) if speeds else np.zeros(trust.shape, np.float32)
    following = None if after is None else after.forward
    previous = None if before is None else before.backward
    return Moving(moving(speed), following, previous)


def _look(frame: Frame, seen: Seen) -> None:
    colours = bins(frame)[::SAMPLED, ::SAMPLED].copy()  # a view would keep all pixels
    rim = border(*frame.shape[:2])[::SAMPLED, ::SAMPLED]
    seen.colours.append(colours)
    seen.inside += np.bincount(colours[~rim], minlength=BINS**3)
    seen.outside += np.bincount(colours[rim], minlength=BINS**3)


def _total(kept: NDArray[np.uint8], colours: Map, step: int = 1) -> Map:
    """The log odds of a frame, every so many pixels: motion, colours and position."""
    motion = (kept[::step, ::step].astype(np.float32) - np.float32(127.5)) * np.float32(MOTION * RANGE / 127)
    total = motion + colours + np.float32(CENTRE) * centred(*kept.shape)[::step, ::step] + np.float32(BIAS)
    return np.asarray(total, np.float32)


def _learn(seen: Seen) -> Map:
    """The log odds of each colour: of not being in the border, and of the object that the other cues find.

    The appearance model of the whole video is that of Papazoglou and Ferrari (ICCV 2013), with histograms.
    """
    prior = np.float32(BORDER) * evidence(seen.inside, seen.outside)
    table = prior
    for _ in range(ROUNDS):
        objects, others = np.zeros(BINS**3), np.zeros(BINS**3)
        for kept, colours in zip(seen.odds, seen.colours, strict=True):
            probability = logistic(_total(kept, table[colours], SAMPLED))
            objects += counted(colours, probability)
            others += counted(colours, 1 - probability)
        table = prior + np.float32(COLOUR) * evidence(objects, others)
    return table
