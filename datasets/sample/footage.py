"""Clips that look filmed: an actor before a backdrop, seen by a hand-held camera that pans after it.

A frame is the mean of several exposures while the shutter is open, then goes through a lens, a sensor with noise, and
JPEG-like compression. The mask is the actor's outline in the middle of the exposure.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vosbench.datasets.sample.actors import ACTORS, Actor, Part
from vosbench.datasets.sample.backdrops import BACKDROPS, FEET, HORIZON, SCALE, Backdrop, Floats, Layer
from vosbench.datasets.sample.sequences import Script
from vosbench.datasets.sample.shapes import Points, coverage, inside
from vosbench.datasets.sample.surfaces import Colours, octaves

EXPOSURES, SHUTTER = 3, 0.5  # moments of a frame, and the part of a frame's time in which they lie
SPEED, CAMERA = 0.020, 0.0125  # of the actor and the camera over the ground, in widths of the frame per frame
QUALITY = 45  # of the compression, as libjpeg counts
LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""Quantisation of brightness that ITU-T T.81, Annex K.1, gives as an example."""


@dataclass(frozen=True, slots=True)
class _Shot:
    """A shot before its lens and sensor; moments are frames, with fractions."""

    script: Script
    actor: Actor
    backdrop: Backdrop
    coat: Floats
    waves: NDArray[np.float64]

    def camera(self, moment: float) -> tuple[float, float]:
        """How far the camera went right, and how far down it looks, in pixels, with the hand's shake."""
        speeds = np.array([0.5, 1.1, 2.3])
        heights = np.array([1.0, 0.6, 0.35]) * self.script.size[0] / 112
        shake = (heights * np.sin(speeds * moment + self.waves)).sum(axis=1)
        return CAMERA * self.script.size[1] * moment + 6 + float(shake[0]), float(shake[1])

    def outline(self, moment: float) -> tuple[list[Part], Points]:
        """The actor's parts, and its size and place in the frame as (2, 2) [[size, size], [x, y]]."""
        height, width = self.script.size
        size = self.actor.size * height
        way = SPEED * width * moment
        phase = way / (self.actor.stride * size) * 2 * np.pi + float(self.waves[0, 0])
        right, down = self.camera(moment)
        start = 0.5 - (SPEED - CAMERA) * self.script.frames / 2
        x = start * width + way - (right - 6)
        y = FEET * height - down - (self.actor.feet + self.actor.bob * (1 + np.sin(2 * phase))) * size
        return self.actor.parts(phase), np.array([[size, size], [x, y]])

    def exposure(self, moment: float) -> Colours:
        """The picture of a moment."""
        right, down = self.camera(moment)
        canvas = self._ground(right, down)
        for layer in self.backdrop.layers:
            _lay(canvas, layer, right, down, self.script.size)
        parts, place = self.outline(moment)
        _act(canvas, parts, place, self.coat)
        for layer in self.backdrop.front:
            _lay(canvas, layer, right, down, self.script.size)
        return canvas

    def _ground(self, right: float, down: float) -> Colours:
        height, width = self.script.size
        y, x = ((np.mgrid[: height * SCALE, : width * SCALE] + 0.5) / SCALE).astype(np.float32)
        below = np.maximum(y + np.float32(down) - HORIZON * height, 0.5)
        distance = np.asarray((FEET - HORIZON) * height / below, np.float32)
        across = np.asarray((x - width / 2) * distance + right, np.float32)
        return self.backdrop.ground(across, distance * np.float32(FEET * height), distance)


def film(script: Script, rng: np.random.Generator) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Film a sequence.

    Yields:
        a frame, (H, W, 3) uint8 RGB, and its mask, (H, W) uint8, 255 where the actor is visible.
    """
    mirrored = bool(rng.random() < 0.5)
    actor = ACTORS[script.category](rng)
    backdrop = BACKDROPS[str(script.place)](rng, script.size, CAMERA * script.size[1] * script.frames + 12)
    shot = _Shot(script, actor, backdrop, octaves(rng, (320, 320), 40, 5), rng.uniform(0, 2 * np.pi, (2, 3)))
    for index in range(script.frames):
        moments = index + SHUTTER * ((np.arange(EXPOSURES) + 0.5) / EXPOSURES - 0.5)
        light = np.mean([shot.exposure(float(moment)) for moment in moments], axis=0)
        parts, place = shot.outline(float(index))
        mask = _mask([shape * place[0] + place[1] for part in parts for shape in part.shapes], script.size)
        frame = compressed(_sensed(_lens(light, script.size), rng))
        way = -1 if mirrored else 1
        yield np.ascontiguousarray(frame[:, ::way]), np.where(mask[:, ::way], 255, 0).astype(np.uint8)


def _lay(canvas: Colours, layer: Layer, right: float, down: float, size: tuple[int, int]) -> None:
    """Draw an upright layer on a canvas."""
    top = layer.foot * size[0] - layer.colours.shape[0] / SCALE - down
    matrix = np.array([[1, 0, -layer.parallax * right * SCALE], [0, 1, top * SCALE]])
    extent = (canvas.shape[1], canvas.shape[0])
    alpha = cv2.warpAffine(layer.alpha, matrix, extent)[..., None]
    canvas += alpha * (cv2.warpAffine(layer.colours, matrix, extent, borderMode=cv2.BORDER_REPLICATE) - canvas)


@dataclass(frozen=True, slots=True)
class _Cel:
    """A part, filled, in the rectangle of the canvas around it."""

    part: Part
    alpha: Floats
    corner: NDArray[np.intp]

    def of(self, canvas: NDArray[np.float32]) -> NDArray[np.float32]:
        """The rectangle, of a canvas or of something as large."""
        height, width = self.alpha.shape
        return canvas[self.corner[1] : self.corner[1] + height, self.corner[0] : self.corner[0] + width]


def _act(canvas: Colours, parts: list[Part], place: Points, coat: Floats) -> None:
    """Draw an actor and its shadow on a canvas."""
    size = float(place[0, 0]) * SCALE
    extent = canvas.shape[1::-1]
    cels = [_cel(part, place, extent) for part in parts]
    whole = np.zeros(canvas.shape[:2], np.float32)
    for cel in cels:
        np.maximum(cel.of(whole), cel.alpha, out=cel.of(whole))
    feet = float(np.flatnonzero(whole.max(axis=1) > 0.5)[-1])
    fallen = np.array([[1, -0.35, 0.35 * feet], [0, -0.14, 1.14 * feet - 0.05 * size]])
    shadow = np.asarray(cv2.GaussianBlur(cv2.warpAffine(whole, fallen, extent), (0, 0), 0.06 * size), np.float32)
    canvas *= 1 - np.float32(0.55) * shadow[..., None]
    shift = place[1] * SCALE - np.array(coat.shape[::-1]) / 2
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
    fur = np.asarray(cv2.warpAffine(coat, matrix, extent, borderMode=cv2.BORDER_REFLECT), np.float32)
    for cel in cels:
        view = cel.of(canvas)
        view += cel.alpha[..., None] * (_shaded(cel, cel.of(fur), size) - view)


def _cel(part: Part, place: Points, extent: tuple[int, ...]) -> _Cel:
    shapes = [(shape * place[0] + place[1]) * SCALE for shape in part.shapes]
    points = np.concatenate(shapes)
    margin = 3 + 3 * part.relief * float(place[0, 0]) * SCALE
    low = np.floor(points.min(axis=0) - margin).astype(int).clip(0)
    width, height = np.maximum(np.ceil(points.max(axis=0) + margin).astype(int).clip(None, extent) - low, 1).tolist()
    filled = np.zeros((height, width), np.bool_)
    for shape in shapes:
        filled |= inside(shape - low, (height, width))
    return _Cel(part, np.asarray(cv2.GaussianBlur(filled.astype(np.float32), (0, 0), 0.6), np.float32), low)


def _shaded(cel: _Cel, fur: Floats, size: float) -> Colours:
    """The colours of a part lit from above and a little from the left: its rim bends away from the viewer."""
    part, alpha = cel.part, cel.alpha
    rows = np.flatnonzero(alpha.max(axis=1) > 0.5)
    ends = (rows[0], rows[-1]) if rows.size else (0, 1)
    light = np.interp(np.arange(alpha.shape[0]), ends, part.fade).astype(np.float32)[:, None]
    if part.relief > 0.02:
        sigma = part.relief * size
        swell = cv2.GaussianBlur(alpha, (0, 0), sigma)
        down, right = cv2.Sobel(swell, -1, 0, 1, scale=0.125), cv2.Sobel(swell, -1, 1, 0, scale=0.125)
        light = light * np.clip(0.92 + sigma * (1.25 * down + 0.35 * right), 0.2, 1.6)
    if part.coat:
        light = light * (1 + part.coat * (fur - 0.5) * 0.9)
    return np.asarray(light[..., None] * np.array(part.colour, np.float32), np.float32)


def _mask(shapes: list[Points], size: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels of a frame that shapes cover by half or more; only the rectangle around them is filled."""
    mask = np.zeros(size, np.bool_)
    points = np.concatenate(shapes)
    left, top = np.floor(points.min(axis=0)).astype(int).clip(0).tolist()
    view = mask[top : int(np.ceil(points[:, 1].max())), left : int(np.ceil(points[:, 0].max()))]
    view[...] = coverage([shape - (left, top) for shape in shapes], view.shape[:2]) >= 0.5
    return mask


def _lens(light: Colours, size: tuple[int, int]) -> Colours:
    """Sharpness and the dark corners of a small lens, at the size of the frame."""
    soft = cv2.GaussianBlur(light, (0, 0), 0.45 * SCALE)
    frame = cv2.resize(soft, size[::-1], interpolation=cv2.INTER_AREA)
    y, x = np.mgrid[-1 : 1 : size[0] * 1j, -1 : 1 : size[1] * 1j]
    return np.asarray(frame * (1 - 0.13 * (x * x + y * y))[..., None], np.float32)


def _sensed(light: Colours, rng: np.random.Generator) -> Colours:
    """A sensor's noise, stronger in bright places, and softened a little as demosaicing does."""
    noise = cv2.GaussianBlur(rng.standard_normal(light.shape, np.float32), (0, 0), 0.55)
    return np.asarray(light + noise * (0.022 + 0.03 * np.sqrt(light.clip(0, 1))), np.float32)


def compressed(frame: Colours) -> NDArray[np.uint8]:
    """Compress colours as JPEG does: quantised cosines of 8×8 blocks, of brightness and of half as fine colour.

    Args:
        frame: (H, W, 3) RGB in [0, 1].

    Returns:
        (H, W, 3) uint8 RGB.
    """
    height, width = frame.shape[:2]
    padded = np.pad(frame, ((0, -height % 16), (0, -width % 16), (0, 0)), "edge").clip(0, 1) * 255.0
    red, green, blue = np.moveaxis(padded, 2, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    tables = np.floor((np.array(LUMA) * (5000 // QUALITY) + 50) / 100)
    chroma = (_quantised(_halved(plane), tables * 1.6) for plane in (0.564 * (blue - luma), 0.713 * (red - luma)))
    cb, cr = (plane.repeat(2, axis=0).repeat(2, axis=1) for plane in chroma)
    luma = _quantised(luma - 128, tables) + 128
    rgb = np.stack([luma + 1.402 * cr, luma - 0.344 * cb - 0.714 * cr, luma + 1.772 * cb], axis=2)
    return np.rint(rgb[:height, :width]).clip(0, 255).astype(np.uint8)


def _halved(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """The means of 2×2 pixels."""
    means: NDArray[np.float64] = plane.reshape(plane.shape[0] // 2, 2, plane.shape[1] // 2, 2).mean(axis=(1, 3))
    return means


def _quantised(plane: NDArray[np.float64], table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round the cosine transform of each block of 8×8 to multiples of a table."""
    order = np.arange(8)
    cosines = np.cos((2 * order + 1) * order[:, None] * np.pi / 16) / 2
    cosines[0] /= np.sqrt(2)
    blocks = plane.reshape(plane.shape[0] // 8, 8, plane.shape[1] // 8, 8).swapaxes(1, 2)
    levels = np.rint(cosines @ blocks @ cosines.T / table) * table
    restored: NDArray[np.float64] = (cosines.T @ levels @ cosines).swapaxes(1, 2).reshape(plane.shape)
    return restored
