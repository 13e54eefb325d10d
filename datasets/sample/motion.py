"""Motion of the camera and the object.

Conventions:
    Positions are x and y in pixels, y down. The world is the static ground; the camera's position is that of the
    frame's upper left corner in it. The object's position is relative to the frame.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vosbench.datasets.sample.sequences import Script

STRIDE = 0.014
RADIUS = {"animal": 0.28, "blob": 0.27, "polygon": 0.28}


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """The motion in a sequence of N frames.

    Attributes:
        camera: (N, 2) corner of the frame in the world, never negative.
        place: (N, 2) centre of the object in the frame.
        radius: (N,) radius of the object, in pixels.
        angle: (N,) rotation of the object, in radians, clockwise.
        phase: (N,) phase of its outline, in radians.
        heading: 1 if it moves to the right, −1 if to the left.
    """

    camera: NDArray[np.float64]
    place: NDArray[np.float64]
    radius: NDArray[np.float64]
    angle: NDArray[np.float64]
    phase: NDArray[np.float64]
    heading: int

    def world(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width of the ground that is visible in frames of a size."""
        width, height = np.ceil(self.camera.max(axis=0)).astype(int).tolist()
        return size[0] + height + 2, size[1] + width + 2


def plan(script: Script, rng: np.random.Generator) -> Motion:
    """Sample the motion of a sequence.

    The camera is slower than the object, so the object moves relative to the ground in every sequence.
    """
    height, width = script.size
    time = np.arange(script.frames)
    heading = int(rng.choice([-1, 1]))
    sway, bob = rng.uniform(0, 2 * np.pi, 2)

    if "FM" in script.attributes:
        cycle = 2 * np.pi * time / 22 - np.pi / 2
        course, rise = 0.25 * np.sin(cycle), 0.1 * np.sin(2 * cycle + bob)
    else:
        reach = min(STRIDE * script.frames, 0.4)
        course, rise = np.linspace(-reach / 2, reach / 2, script.frames), 0.05 * np.sin(time / 5 + bob)
    place = np.stack([width * (0.5 + heading * course), height * (0.5 + rise)], axis=1)

    camera = np.stack([heading * 0.007 * width * time, 0.02 * height * np.sin(time / 7 + sway)], axis=1)
    if "CS" in script.attributes:
        shake = rng.uniform(-0.022, 0.022, (script.frames, 2)) * height
        camera, place = camera + shake, place - shake

    radius = np.full(script.frames, RADIUS[script.category] * height)
    if "LR" in script.attributes:
        radius *= 0.45
    if "BC" in script.attributes:
        radius *= 0.92
    if "SV" in script.attributes:
        radius *= np.linspace(0.7, 1.15, script.frames)[:: int(rng.choice([-1, 1]))]

    angle = heading * rng.uniform(0.02, 0.05) * time.astype(np.float64)
    if script.category == "animal":
        angle = 0.05 * np.sin(time / 6 + bob)
    return Motion(
        camera=camera - camera.min(axis=0),
        place=place,
        radius=radius,
        angle=angle,
        phase=2 * np.pi * time / 14 + sway,
        heading=heading,
    )
