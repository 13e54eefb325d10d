"""What sets real pictures of the same thing apart: the framing, the light, the lens and the compression.

The generator passed in is the only source of randomness, so that a seed determines an example.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vosbench.method.nn.augment import Floats, Mask, Shot
from vosbench.method.nn.views import Frame

LEAST, MOST = 0.01, 0.85
"""Shares of the foreground outside of which a crop is sampled again."""
TRIES = 5
LUMA = (0.299, 0.587, 0.114)
"""Of red, green and blue (ITU-R BT.601)."""


@dataclass(frozen=True, slots=True)
class Window:
    """Rows ``top`` to ``bottom`` and columns ``left`` to ``right`` (exclusive); a frame is reflected at its border."""

    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def sample(cls, mask: Mask, zoom_out: float, whole: float, rng: np.random.Generator) -> "Window":
        """Sample what a square shows of a frame.

        Args:
            mask: of the frame, (H, W). A crop has between 1 % and 85 % foreground, or becomes the whole frame after
                five tries.
            zoom_out: probability of more than the frame, by 1.1 to 1.8.
            whole: probability of the whole frame. Otherwise it is a crop of half to all of a side, with another
                aspect ratio.
            rng: the generator.
        """
        height, width = mask.shape
        kind = rng.random()
        if kind < zoom_out:
            more = rng.uniform(0.1, 0.8)
            spare = [round(side * more) for side in (height, width)]
            top, left = (-int(rng.integers(0, pixels + 1)) for pixels in spare)
            return cls(top, top + height + spare[0], left, left + width + spare[1])
        for _ in range(TRIES if kind >= zoom_out + whole else 0):
            share, aspect = rng.uniform(0.5, 1.0), math.exp(rng.uniform(-0.3, 0.3) / 2)
            rows, columns = min(height, round(height * share / aspect)), min(width, round(width * share * aspect))
            top, left = int(rng.integers(0, height - rows + 1)), int(rng.integers(0, width - columns + 1))
            if LEAST <= mask[top : top + rows, left : left + columns].mean() <= MOST:
                return cls(top, top + rows, left, left + columns)
        return cls(0, height, 0, width)

    def cut(self, shot: Shot) -> Shot:
        """What the window shows of a frame and its mask."""
        height, width = shot.mask.shape
        up, down, left, right = (max(0, x) for x in (-self.top, self.bottom - height, -self.left, self.right - width))
        frame, mask = shot.frame, shot.mask
        if up or down or left or right:
            border = (up, down, left, right, cv2.BORDER_REFLECT)
            frame = np.asarray(cv2.copyMakeBorder(frame, *border), dtype=np.uint8)
            mask = np.asarray(cv2.copyMakeBorder(mask.astype(np.uint8), *border)) > 0
        rows, columns = slice(self.top + up, self.bottom + up), slice(self.left + left, self.right + left)
        return Shot(frame[rows, columns], mask[rows, columns])


@dataclass(frozen=True, slots=True)
class Light:
    """A change of light and colour, the same for all frames of a video.

    Attributes:
        gains: factors of red, green and blue.
        offset: grey levels to add.
        contrast: factor of the difference from the mean level.
        saturation: factor of the difference from grey.
    """

    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)
    offset: float = 0.0
    contrast: float = 1.0
    saturation: float = 1.0

    @classmethod
    def sample(cls, chance: float, grey: float, rng: np.random.Generator) -> "Light":
        """Sample a change, with probability ``chance``, and a loss of all colour with probability ``grey``."""
        changes, fades = rng.random() < chance, rng.random() < grey
        gain, contrast, saturation = rng.uniform(0.7, 1.3), rng.uniform(0.7, 1.3), rng.uniform(0.4, 1.5)
        red, green, blue = (float(gain * each) for each in rng.uniform(0.9, 1.1, 3))
        offset = float(rng.uniform(-20, 20))
        light = cls((red, green, blue), offset, contrast, saturation) if changes else cls()
        return cls(light.gains, light.offset, light.contrast, 0.0) if fades else light

    def at(self, frame: Frame) -> Frame:
        """Apply the change to a frame, (H, W, 3) uint8 RGB."""
        if self == Light():
            return frame
        means = frame.reshape(-1, 3).mean(axis=0)
        level = float((means * self.gains + self.offset).mean())
        mixed = self.saturation * np.eye(3) + (1 - self.saturation) * np.array(LUMA)
        matrix = mixed @ np.diag(self.gains) * self.contrast
        shift = self.contrast * self.offset + (1 - self.contrast) * level  # the same for all channels, so not mixed
        changed = cv2.transform(frame, np.hstack([matrix, np.full((3, 1), shift)]))
        return np.asarray(changed, dtype=np.uint8)


def degraded(frame: Frame, chances: tuple[float, float, float], rng: np.random.Generator) -> Frame:
    """Blur a frame, add noise, and compress it.

    Args:
        frame: (H, W, 3) uint8 RGB.
        chances: the probability of a Gaussian blur (σ 0.3 to 2 pixels), of noise (σ 1 to 8 levels), and of JPEG
            (quality 25 to 90).
        rng: the generator.
    """
    blurs, noises, packs = (rng.random() < chance for chance in chances)
    blur, noise, quality = rng.uniform(0.3, 2.0), rng.uniform(1.0, 8.0), int(rng.integers(25, 91))
    if blurs:
        frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), blur), dtype=np.uint8)
    if noises:
        grain = rng.standard_normal(frame.shape, dtype=np.float32) * np.float32(noise)
        frame = np.clip(frame + grain + 0.5, 0, 255).astype(np.uint8)
    if packs:
        _, packed = cv2.imencode(".jpg", frame[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        frame = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), dtype=np.uint8)[:, :, ::-1]
    return frame


def capped(shot: Shot, longest: int) -> Shot:
    """Reduce a frame and its mask so that no side is longer than some pixels; smaller ones are left as they are."""
    height, width = shot.mask.shape
    if max(height, width) <= longest:
        return shot
    factor = longest / max(height, width)
    return resized(shot, (max(1, round(height * factor)), max(1, round(width * factor))))


def resized(shot: Shot, size: tuple[int, int]) -> Shot:
    """Reduce a frame and its mask to a size, (h, w), by averaging."""
    frame = cv2.resize(shot.frame, size[::-1], interpolation=cv2.INTER_AREA)
    return Shot(np.asarray(frame, dtype=np.uint8), coverage(shot.mask, size) >= 0.5)


def coverage(mask: Mask | NDArray[np.uint8], size: tuple[int, int]) -> Floats:
    """The share of the foreground in each cell of a grid of size (h, w), as float32."""
    share = cv2.resize(mask.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)
    return np.clip(share, 0, 1).astype(np.float32, copy=False)  # weights may sum to slightly more than 1
