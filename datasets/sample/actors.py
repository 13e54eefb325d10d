"""What moves in the filmed clips: a horse that trots and a car on turning wheels, as shaded parts.

Conventions:
    Points are x and y in units of the actor's size, y down, around its middle; it looks along +x. Parts are listed from
    the farthest to the nearest. Legs and wheels follow the phase, in radians: the horse makes one double step, the car
    one turn of its wheels, per 2π.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vosbench.datasets.sample.shapes import Points, turn

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of one material.

    Attributes:
        shapes: polygons whose union is the part.
        colour: of its material, in full light.
        relief: width of its rounded rim, in units of the size; 0.02 or less looks flat.
        fade: its brightness at the top and at the bottom.
        coat: how much of the actor's texture is seen on it, in [0, 1].
    """

    shapes: list[Points]
    colour: Colour
    relief: float = 0.06
    fade: tuple[float, float] = (1.0, 1.0)
    coat: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """An actor.

    Attributes:
        parts: its parts at a phase.
        size: its unit, as a fraction of the frame's height.
        feet: how far below its middle it touches the ground, in units of its size.
        stride: how far it gets per 2π of the phase, in units of its size.
        bob: how far it moves up and down, in units of its size.
    """

    parts: Callable[[float], list[Part]]
    size: float
    feet: float
    stride: float
    bob: float


HORSE = (
    (-0.90, -0.30),
    (-0.84, -0.47),
    (-0.62, -0.55),
    (-0.25, -0.47),
    (0.10, -0.45),
    (0.42, -0.54),
    (0.62, -0.78),
    (0.80, -1.02),
    (0.98, -1.12),
    (1.14, -1.04),
    (1.30, -0.86),
    (1.42, -0.70),
    (1.40, -0.60),
    (1.28, -0.58),
    (1.08, -0.72),
    (0.98, -0.66),
    (0.88, -0.36),
    (0.78, -0.10),
    (0.55, 0.06),
    (0.20, 0.12),
    (-0.20, 0.07),
    (-0.48, -0.02),
    (-0.66, 0.10),
    (-0.86, 0.02),
)
MANE = ((0.40, -0.56), (0.60, -0.84), (0.80, -1.08), (0.96, -1.15), (0.90, -1.02), (0.72, -0.84), (0.62, -0.60))
CAR = (
    (-2.02, 0.40),
    (-2.10, 0.30),
    (-2.11, 0.05),
    (-2.05, -0.26),
    (-1.93, -0.38),
    (-1.66, -0.70),
    (-1.35, -0.83),
    (-0.50, -0.88),
    (0.15, -0.80),
    (0.62, -0.52),
    (0.98, -0.31),
    (1.55, -0.22),
    (1.94, -0.07),
    (2.09, 0.10),
    (2.13, 0.28),
    (2.06, 0.40),
    (1.40, 0.42),
    (0.00, 0.42),
    (-1.40, 0.42),
)
WINDOWS = (
    ((-1.72, -0.34), (-1.48, -0.68), (-1.22, -0.76), (-1.02, -0.77), (-1.05, -0.34)),
    ((-0.96, -0.34), (-0.94, -0.78), (-0.45, -0.79), (-0.26, -0.77), (-0.26, -0.34)),
    ((-0.17, -0.34), (-0.17, -0.76), (0.12, -0.71), (0.50, -0.48), (0.66, -0.33)),
)
WHEELS, WHEEL = ((-1.28, 0.42), (1.32, 0.42)), 0.36


def horse(rng: np.random.Generator) -> Actor:
    """A horse in profile."""
    colour = _tint(rng, (0.50, 0.31, 0.17), 0.08)
    dark = _scaled(colour, 0.34)
    body, mane = smooth(HORSE), smooth(MANE)

    def leg(hip: tuple[float, float], angle: float, *, front: bool, far: bool) -> list[Part]:
        # The knee bends while the leg comes forward; hind legs bend the other way below the hock.
        bend = 0.95 * max(0.0, float(np.cos(angle))) ** 2
        thigh = 0.42 * np.sin(angle) + (0.0 if front else 0.12) + (0.35 * bend if front else 0.22 * bend)
        shin = thigh - (1.15 * bend if front else 0.75 * bend + 0.22)
        knee = _step(hip, thigh, 0.42)
        hoof = _step(knee, shin, 0.40)
        toe = _step(hoof, shin + 0.3, 0.13)
        paint, deep = (_scaled(colour, 0.55), _scaled(dark, 0.6)) if far else (colour, dark)
        thick = 0.15 if front else 0.2
        return [
            Part(shapes=[*limb(hoof, toe, 0.06, 0.085)], colour=_scaled(deep, 0.7), relief=0.04),
            Part(shapes=[*limb(knee, hoof, 0.075, 0.055)], colour=deep, relief=0.05),
            Part(shapes=[*limb(hip, knee, thick, 0.08)], colour=paint, relief=0.09, coat=0.0 if far else 0.6),
        ]

    def parts(phase: float) -> list[Part]:
        nod = np.array([0.0, 0.03 * np.sin(2 * phase)])
        lift = np.clip((body[:, :1] - 0.3) / 0.8, 0, 1) * nod
        sway = 0.3 * np.sin(phase)
        tail = [(-0.86, -0.40), (-1.06, -0.34 + 0.05 * sway), (-1.20 - 0.1 * sway, 0.02), (-1.26 - 0.25 * sway, 0.42)]
        tail += [(-1.12 - 0.2 * sway, 0.30), (-1.02 - 0.1 * sway, -0.05), (-0.88, -0.26)]
        ear = np.array([(0.90, -1.08), (0.93, -1.32), (1.03, -1.10)])
        far = [
            *leg((-0.60, -0.10), phase + np.pi, front=False, far=True),
            *leg((0.62, -0.10), phase + 0.1, front=True, far=True),
        ]
        near = [
            *leg((-0.70, -0.12), phase, front=False, far=False),
            *leg((0.56, -0.12), phase + np.pi + 0.1, front=True, far=False),
        ]
        return [
            *far,
            Part(shapes=[smooth(tail)], colour=dark, relief=0.05, coat=0.5),
            *near[:2],
            *near[3:5],
            Part(shapes=[body + lift], colour=colour, relief=0.17, fade=(1.1, 0.8), coat=1.0),
            near[2],
            near[5],
            Part(shapes=[mane + nod], colour=dark, relief=0.03, coat=0.5),
            Part(shapes=[ear + nod], colour=_scaled(colour, 0.8), relief=0.03),
            Part(shapes=[disc((1.36, -0.645), 0.075) + nod], colour=_scaled(dark, 0.8), relief=0.05),
            Part(shapes=[disc((1.10, -0.955), 0.03) + nod], colour=(0.03, 0.02, 0.02), relief=0.0),
        ]

    return Actor(parts=parts, size=0.285, feet=0.80, stride=1.9, bob=0.035)


def car(rng: np.random.Generator) -> Actor:
    """A hatchback in profile."""
    colour = _tint(rng, (0.66, 0.13, 0.12), 0.08)
    body = smooth(CAR)
    sill = np.array([(-2.08, 0.28), (2.10, 0.28), (2.11, 0.38), (2.0, 0.48), (-1.96, 0.48), (-2.09, 0.38)])
    crease = np.array([(-2.02, -0.20), (1.80, -0.07), (1.80, -0.03), (-2.02, -0.15)])
    doors = [np.array([(x, -0.32), (x + 0.03, -0.32), (x + 0.05, 0.28), (x + 0.02, 0.28)]) for x in (-1.0, -0.23, 0.62)]
    handles = [np.array([(x, -0.10), (x + 0.17, -0.10), (x + 0.17, -0.05), (x, -0.05)]) for x in (-0.62, 0.12)]
    gleam = np.array([(-0.72, -0.34), (-0.44, -0.79), (-0.32, -0.78), (-0.6, -0.34)])
    heads = [disc((-0.62, -0.47), 0.11), disc((0.02, -0.47), 0.11)]
    rear_light = np.array([(-2.1, -0.16), (-1.9, -0.2), (-1.92, 0.02), (-2.12, 0.05)])

    def wheel(middle: tuple[float, float], phase: float) -> list[Part]:
        spoke = np.array([(-0.045, 0.04), (-0.035, 0.25), (0.035, 0.25), (0.045, 0.04)])
        spokes = [turn(spoke, phase + k * 2 * np.pi / 5) + middle for k in range(5)]
        return [
            Part(shapes=[disc(middle, WHEEL)], colour=(0.055, 0.055, 0.06), relief=0.05),
            Part(shapes=[disc(middle, 0.255)], colour=(0.17, 0.17, 0.18), relief=0.04),
            Part(shapes=[*spokes, disc(middle, 0.07)], colour=(0.70, 0.71, 0.73), relief=0.02),
        ]

    def parts(phase: float) -> list[Part]:
        return [
            Part(shapes=[body], colour=colour, relief=0.14, fade=(1.15, 0.72)),
            Part(shapes=[sill], colour=(0.07, 0.07, 0.075), relief=0.04),
            Part(shapes=[crease], colour=_scaled(colour, 1.45), relief=0.0),
            Part(shapes=doors, colour=_scaled(colour, 0.42), relief=0.0),
            Part(shapes=handles, colour=_scaled(colour, 0.55), relief=0.0),
            *(Part(shapes=[np.array(w)], colour=(0.17, 0.20, 0.23), fade=(1.9, 0.55), relief=0.02) for w in WINDOWS),
            Part(shapes=[gleam], colour=(0.42, 0.47, 0.52), fade=(1.1, 0.4), relief=0.0),
            Part(shapes=heads, colour=(0.09, 0.08, 0.08), relief=0.04),
            Part(shapes=[disc((1.93, 0.10), 0.11) * (1, 0.8)], colour=(0.93, 0.92, 0.84), relief=0.03),
            Part(shapes=[rear_light], colour=(0.75, 0.1, 0.06)),
            *(Part(shapes=[disc(middle, WHEEL + 0.06)], colour=(0.03, 0.03, 0.03), relief=0.0) for middle in WHEELS),
            *(part for middle in WHEELS for part in wheel(middle, phase)),
        ]

    return Actor(parts=parts, size=0.215, feet=0.78, stride=2 * np.pi * WHEEL, bob=0.008)


def smooth(corners: Sequence[tuple[float, float]], per_corner: int = 6) -> Points:
    """A closed Catmull-Rom curve through points."""
    points = np.array(corners)
    before, after, next_after = (np.roll(points, shift, axis=0) for shift in (1, -1, -2))
    t = (np.arange(per_corner) / per_corner)[:, None, None]
    curve = 2 * points + (after - before) * t
    curve += (2 * before - 5 * points + 4 * after - next_after) * t**2
    curve += (3 * points - before - 3 * after + next_after) * t**3
    rounded: Points = curve.swapaxes(0, 1).reshape(-1, 2) / 2
    return rounded


def disc(centre: tuple[float, float], radius: float) -> Points:
    """A circle."""
    theta = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return np.array(centre) + radius * np.stack([np.cos(theta), np.sin(theta)], axis=1)


def limb(start: tuple[float, float], end: tuple[float, float], wide: float, narrow: float) -> list[Points]:
    """A tapered bar with round ends, by its half widths there."""
    a, b = np.array(start), np.array(end)
    along = (b - a) / np.hypot(*(b - a))
    across: NDArray[np.float64] = np.array([-along[1], along[0]])
    bar = np.array([a - wide * across, b - narrow * across, b + narrow * across, a + wide * across])
    return [bar, disc(start, wide), disc(end, narrow)]


def _step(start: tuple[float, float], angle: float, length: float) -> tuple[float, float]:
    """The end of a bone that hangs from a joint; positive angles are forward."""
    return start[0] + length * float(np.sin(angle)), start[1] + length * float(np.cos(angle))


def _scaled(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(level * factor, 1.0) for level in colour)
    return red, green, blue


def _tint(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    red, green, blue = (np.array(colour) * rng.uniform(1 - spread, 1 + spread, 3)).tolist()
    return red, green, blue


ACTORS: dict[str, Callable[[np.random.Generator], Actor]] = {"animal": horse, "vehicle": car}
