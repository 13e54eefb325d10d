"""Where the filmed clips take place: a meadow and a street, as a ground in perspective and upright layers.

Conventions:
    Colours are float32 RGB in [0, 1], drawn `SCALE` times finer than the frame. Depth is told by parallax: how far a
    thing moves in the frame when the camera moves by one pixel; 0 at the horizon, 1 where the actor stands.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vosbench.datasets.sample.shapes import Alpha
from vosbench.datasets.sample.surfaces import Colours, octaves

SCALE = 2
HORIZON, FEET = 0.42, 0.84  # rows of the frame, as fractions of its height
TILE = 512  # side of the ground's texture

Floats = NDArray[np.float32]
Ground = Callable[[Floats, Floats, Floats], Colours]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """An upright layer.

    Attributes:
        colours: (h, w, 3).
        alpha: (h, w), in [0, 1].
        parallax: its depth.
        foot: the row of the frame that its lower edge stands on, as a fraction of the frame's height.
    """

    colours: Colours
    alpha: Alpha
    parallax: float
    foot: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Backdrop:
    """A place.

    Attributes:
        layers: behind the actor, from the farthest to the nearest.
        ground: colours by how far right and how far away a point of the ground is, both in pixels at the actor's feet,
            and by its distance as a multiple of the actor's.
        front: layers in front of the actor, below it and out of focus.
    """

    layers: list[Layer]
    ground: Ground
    front: list[Layer]


def row_of(parallax: float) -> float:
    """The row in which something of a depth stands, as a fraction of the frame's height."""
    return HORIZON + (FEET - HORIZON) * parallax


def meadow(rng: np.random.Generator, size: tuple[int, int], reach: float) -> Backdrop:
    """Grass, hills, trees and a fence under a cloudy sky.

    Args:
        rng: source of everything.
        size: height and width of a frame.
        reach: how far the camera travels, in pixels.
    """
    coarse, fine = octaves(rng, (TILE, TILE), 96, 4), octaves(rng, (TILE, TILE), 12, 4)
    grass = _ramp([(0.10, 0.15, 0.05), (0.27, 0.34, 0.11), (0.47, 0.49, 0.22), (0.62, 0.57, 0.33)])

    def ground(x: Floats, z: Floats, distance: Floats) -> Colours:
        level = 0.5 * _look(coarse, x, z * 1.6) + 0.5 * _blend(fine, x, z * 1.6, distance)
        return np.asarray(_haze(grass(level), distance), np.float32)

    layers = [_sky(rng, size, reach), _hills(rng, size, reach)]
    layers += [_trees(rng, size, reach, parallax) for parallax in (0.16, 0.34)]
    layers.append(_fence(rng, size, reach, 0.55))
    return Backdrop(layers=layers, ground=ground, front=[_tufts(rng, size, reach)])


def street(rng: np.random.Generator, size: tuple[int, int], reach: float) -> Backdrop:
    """A road before houses with windows, doors and trees; the arguments of `meadow`."""
    coarse, fine = octaves(rng, (TILE, TILE), 64, 4), octaves(rng, (TILE, TILE), 8, 3)
    near, far = 0.62 * FEET * size[0], size[0] * 1.9

    def ground(x: Floats, z: Floats, distance: Floats) -> Colours:
        level = 0.19 + 0.16 * _look(coarse, x, z) + 0.14 * _blend(fine, x, z, distance)
        dash = (np.abs(z - near) < 2.2) & (x % 88 < 46)
        slab = (z > far) & ((x % 26 < 1.2) | (np.abs(z - far * 1.12) < 1.5))
        level = np.where(
            dash, 0.6 + level, level + 0.22 * (z > far) + 0.12 * ((z > far) & (z < far * 1.03)) - 0.1 * slab
        )
        return np.asarray(level[..., None] * np.array([1.0, 0.98, 0.97], np.float32), np.float32)

    layers = [_sky(rng, size, reach), _houses(rng, size, reach, 0.42), _trees(rng, size, reach, 0.5, lone=True)]
    return Backdrop(layers=layers, ground=ground, front=[])


BACKDROPS = {"meadow": meadow, "street": street}


def _ramp(colours: list[tuple[float, float, float]]) -> Callable[[Floats], Colours]:
    """A palette that levels in [0, 1] are looked up in."""
    table = np.array(colours)
    stops = np.linspace(0.15, 0.85, len(table))

    def paint(level: Floats) -> Colours:
        return np.stack([np.interp(level, stops, table[:, k]) for k in range(3)], axis=-1).astype(np.float32)

    return paint


def _look(texture: Floats, x: Floats, y: Floats) -> Floats:
    """The texture at points, in pixels; beyond it, mirrored."""
    found = cv2.remap(texture, x * SCALE, y * SCALE, cv2.INTER_LINEAR, None, cv2.BORDER_REFLECT)
    return np.asarray(found, np.float32)


def _blend(texture: Floats, x: Floats, y: Floats, distance: Floats) -> Floats:
    """A fine texture that fades to its mean in the distance, where it would flicker."""
    return np.asarray(0.5 + (_look(texture, x, y) - 0.5) * np.clip(1.4 / distance, 0, 1), np.float32)


def _haze(colours: Colours, distance: Floats) -> Colours:
    """The distance is paler."""
    weight = np.clip((distance - 1) / 14, 0, 0.6)[..., None]
    return np.asarray(colours * (1 - weight) + weight * np.array([0.62, 0.66, 0.62], np.float32), np.float32)


def _extent(size: tuple[int, int], reach: float, parallax: float, height: float) -> tuple[int, int]:
    """Pixels of a layer that covers the frame wherever the camera is; its height is a fraction of the frame's."""
    return round(height * size[0] * SCALE), round((size[1] + parallax * reach + 24) * SCALE)


def _sky(rng: np.random.Generator, size: tuple[int, int], reach: float) -> Layer:
    extent = _extent(size, reach, 0.02, HORIZON + 0.15)
    clouds = octaves(rng, (extent[0] * 2, extent[1]), 120, 5)[::2]
    rows = np.linspace(0, 1, extent[0])[:, None, None]
    blue = np.array([0.45, 0.60, 0.80]) * (1 - rows) + np.array([0.80, 0.85, 0.88]) * rows
    weight = np.clip((clouds - 0.5) * 3, 0, 0.85)[..., None]
    colours = (blue * (1 - weight) + weight * np.array([0.93, 0.93, 0.93])).astype(np.float32)
    return Layer(colours=colours, alpha=np.ones(extent, np.float32), parallax=0.02, foot=HORIZON + 0.05)


def _hills(rng: np.random.Generator, size: tuple[int, int], reach: float) -> Layer:
    extent = _extent(size, reach, 0.06, 0.3)
    ridge = octaves(rng, (8, extent[1]), 110, 5)[4]
    rows = np.arange(extent[0])[:, None]
    alpha = np.clip((rows - extent[0] * (0.85 - 0.6 * ridge)) / 1.5, 0, 1).astype(np.float32)
    woods = octaves(rng, extent, 18, 4)
    colours = _ramp([(0.24, 0.33, 0.30), (0.36, 0.45, 0.38), (0.50, 0.56, 0.46)])(woods)
    return _focus(Layer(colours=colours, alpha=alpha, parallax=0.06, foot=row_of(0.06)), 1.5)


def _trees(
    rng: np.random.Generator, size: tuple[int, int], reach: float, parallax: float, *, lone: bool = False
) -> Layer:
    """Crowns are discs with a ragged edge, lit from above, on trunks."""
    extent = _extent(size, reach, parallax, 0.95 if lone else 0.3 + 0.75 * parallax)
    y, x = np.mgrid[: extent[0], : extent[1]].astype(np.float32)
    ragged, leaves = octaves(rng, extent, 14, 4), octaves(rng, extent, 7, 3)
    alpha, shade = np.zeros(extent, np.float32), np.zeros(extent, np.float32)
    colours = np.zeros((*extent, 3), np.float32)
    step = extent[0] * (1.9 if lone else 0.42)
    for foot in np.arange(step * rng.uniform(0.1, 0.6), extent[1], step):
        middle = foot + rng.uniform(-0.25, 0.25) * step
        tall = extent[0] * rng.uniform(0.55, 0.95)
        wide = tall * (0.26 if lone else rng.uniform(0.3, 0.5))
        trunk = np.clip(1.5 - np.abs(x - middle) / (0.05 * tall) * 1.2, 0, 1) * (y > extent[0] - 0.6 * tall)
        colours = np.where(
            trunk[..., None] > 0.3, np.array([0.20, 0.16, 0.12]) * (0.6 + 0.8 * leaves[..., None]), colours
        )
        alpha = np.maximum(alpha, trunk)
        top = extent[0] - tall * (0.68 if lone else 0.55)
        field = ((x - middle) / wide) ** 2 + ((y - top) / (0.36 * tall if lone else 0.45 * tall)) ** 2
        crown = np.clip((1 - field + 1.6 * (ragged - 0.5)) * 5, 0, 1).astype(np.float32)
        light = np.clip(0.55 - 0.5 * (y - top) / (0.45 * tall) + 1.1 * (leaves - 0.5), 0, 1)
        shade = np.where(crown > 0.5, light, shade).astype(np.float32)
        green = _ramp([(0.06, 0.10, 0.04), (0.17, 0.25, 0.09), (0.36, 0.43, 0.18)])(shade)
        green *= rng.uniform(0.85, 1.15, 3).astype(np.float32)
        colours = colours * (1 - crown[..., None]) + green * crown[..., None]
        alpha = np.maximum(alpha, crown)
    far = max(0.0, 0.5 - parallax)
    colours = (colours * (1 - far) + far * np.array([0.60, 0.66, 0.64])).astype(np.float32)
    layer = Layer(colours=colours, alpha=alpha.astype(np.float32), parallax=parallax, foot=row_of(parallax))
    return _focus(layer, 1.3 - parallax)


def _fence(rng: np.random.Generator, size: tuple[int, int], reach: float, parallax: float) -> Layer:
    extent = _extent(size, reach, parallax, 0.2)
    y, x = np.mgrid[: extent[0], : extent[1]].astype(np.float32)
    sag = 1.5 * octaves(rng, (8, extent[1]), 60, 3)[4]
    rails = np.zeros(extent, np.bool_)
    for row in (0.28, 0.62):
        rails |= np.abs(y - row * extent[0] - sag) < 0.045 * extent[0]
    posts = (np.abs((x + 4 * sag) % 74 - 37) < 3) & (y > 0.12 * extent[0])
    wood = octaves(rng, (extent[0], extent[1]), 10, 3)
    colours = _ramp([(0.24, 0.20, 0.16), (0.44, 0.39, 0.33), (0.62, 0.57, 0.50)])(wood)
    colours = np.where(posts[..., None], colours * 0.85, colours)
    alpha = (rails | posts).astype(np.float32)
    return _focus(Layer(colours=colours.astype(np.float32), alpha=alpha, parallax=parallax, foot=row_of(parallax)), 0.7)


def _tufts(rng: np.random.Generator, size: tuple[int, int], reach: float) -> Layer:
    """Grass close to the lens."""
    extent = _extent(size, reach, 1.7, 0.16)
    blades = octaves(rng, (8, extent[1]), 16, 3)[4]
    rows = np.linspace(0, 1, extent[0])[:, None]
    alpha = np.clip((rows - 1.1 + 0.85 * blades) * 8, 0, 1).astype(np.float32)
    colours = _ramp([(0.09, 0.13, 0.05), (0.22, 0.29, 0.10), (0.40, 0.43, 0.18)])(octaves(rng, extent, 10, 2))
    return _focus(Layer(colours=colours, alpha=alpha, parallax=1.7, foot=1.06), 2.6)


def _houses(rng: np.random.Generator, size: tuple[int, int], reach: float, parallax: float) -> Layer:
    """Facades of different plaster, with storeys of windows, doors and plinths."""
    extent = _extent(size, reach, parallax, 0.80)
    colours = np.zeros((*extent, 3), np.float32)
    grain, stains = octaves(rng, extent, 6, 3), octaves(rng, extent, 70, 4)
    left = -int(rng.integers(0, 60))
    y, x = np.mgrid[: extent[0], : extent[1]].astype(np.float32)
    alpha = np.zeros(extent, np.float32)
    while left < extent[1]:
        width = int(rng.integers(110, 190))
        roof = int(rng.integers(0, extent[0] // 5))
        plaster = np.array([0.66, 0.58, 0.49]) * rng.uniform(0.86, 1.12, 3) * rng.uniform(0.7, 1.1)
        house = (x >= left) & (x < left + width) & (y >= roof)
        alpha[house] = 1
        light = (0.72 + 0.25 * grain + 0.35 * (stains - 0.5))[..., None]
        colours = np.where(house[..., None], plaster * light, colours)
        storey, bay = int(rng.integers(44, 58)), width // int(rng.integers(3, 5))
        rows, columns = (extent[0] - y) % storey / storey, (x - left) % bay / bay
        frame = house & (np.abs(rows - 0.5) < 0.34) & (np.abs(columns - 0.5) < 0.30) & (y < extent[0] - 4)
        pane = house & (np.abs(rows - 0.5) < 0.29) & (np.abs(np.abs(columns - 0.5) - 0.13) < 0.11)
        glass = 0.10 + 0.32 * np.clip(stains + 0.5 * (rows - 0.5), 0, 1)
        colours = np.where(frame[..., None], np.array([0.80, 0.78, 0.74]) * rng.uniform(0.6, 1.0), colours)
        colours = np.where(pane[..., None], glass[..., None] * np.array([0.85, 1.0, 1.12]), colours)
        sill = house & (np.abs(rows - 0.12) < 0.03) & (np.abs(columns - 0.5) < 0.36)
        colours = np.where(sill[..., None], plaster * 1.15, colours)
        door = house & (np.abs(x - left - bay * 0.5) < bay * 0.24) & (y > extent[0] - 40)
        colours = np.where(door[..., None], rng.uniform(0.1, 0.4, 3) * light, colours)
        plinth = house & (y > extent[0] - 9) & ~door
        colours = np.where(plinth[..., None], np.array([0.34, 0.33, 0.32]) * light, colours)
        edge = house & ((x - left < 3) | (np.abs(y - roof) < 4))
        colours = np.where(edge[..., None], colours * 0.55, colours)
        left += width
    layer = Layer(colours=np.asarray(colours, np.float32), alpha=alpha, parallax=parallax, foot=row_of(parallax))
    return _focus(layer, 0.8)


def _focus(layer: Layer, blur: float) -> Layer:
    """Put a layer out of focus, by a blur in pixels of the frame."""
    sigma = max(blur, 0.1) * SCALE
    alpha = cv2.GaussianBlur(layer.alpha, (0, 0), sigma)
    # Colours are blurred with their coverage, or the empty surroundings would darken the rim.
    spread = (
        cv2.GaussianBlur(layer.colours * layer.alpha[..., None], (0, 0), sigma) / np.maximum(alpha, 1e-3)[..., None]
    )
    return Layer(
        colours=np.asarray(spread, np.float32),
        alpha=np.asarray(alpha, np.float32),
        parallax=layer.parallax,
        foot=layer.foot,
    )
