"""Read and write optical flow: displacements of pixels from one frame to another.

Conventions:
    A flow is an (H, W, 2) float32 array: how far each pixel moves to the right and down, in pixels of the flow's own
    size, which may differ from the frame's.
    Vectors are stored as ``.flo`` (Baker et al., A Database and Evaluation Methodology for Optical Flow, IJCV 2011) or
    as 16-bit PNG (Geiger et al., KITTI, CVPR 2012: R and G are 64 u + 2¹⁵, B is 1 if the pixel is valid).
    A colour-coded flow is an 8-bit image: the hue is the direction, the saturation the speed as a fraction of a maximum
    that the file does not tell. Vectors cannot be read from it; colours can be made of vectors.
    Unknown vectors (invalid, or beyond 10⁹ pixels) are 0.
"""

import struct
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vosbench.errors import DataError
from vosbench.images.files import write_png
from vosbench.images.frames import read_frame
from vosbench.images.opening import MOST_PIXELS, corrupt, opened, read_bytes

Flow = NDArray[np.float32]
Picture = NDArray[np.uint8]

SUFFIXES = (".flo", ".png", ".jpg", ".jpeg")
FLO = b"PIEH"
"""The first bytes of a ``.flo`` file: 202021.25 as a float."""
UNKNOWN = 1e9
STEPS, ZERO = 64.0, 2**15
"""Levels of a pixel, and the level of no displacement, in 16-bit PNG files."""
WHEEL = (15, 6, 4, 11, 13, 6)
"""Hues between red, yellow, green, cyan, blue, magenta and red: more where people tell more of them apart."""
DEPTH_AT = 24
"""The byte of a PNG file with the bits per sample."""


def read_flow(path: Path) -> Flow:
    """Read the vectors of a flow.

    Args:
        path: a ``.flo`` or 16-bit PNG file.

    Returns:
        (H, W, 2) float32, in pixels.

    Raises:
        DataError: if the file is missing, corrupt, too large, or an image of colours.
    """
    name = str(path)
    data = read_bytes(path, name)
    if data.startswith(FLO):
        return _flo(data, name)
    with opened(data, name) as image:  # checks the header
        if image.format != "PNG" or data[DEPTH_AT] != 16 or image.mode not in {"RGB", "RGB;16B", "I;16"}:
            raise DataError(
                f'"{name}" is an image of colours, which do not tell how fast pixels move; this method needs vectors: '
                "a .flo file, or a 16-bit PNG file as of KITTI"
            )
    import cv2

    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise corrupt(name)
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise DataError(f'"{name}" is a 16-bit image without three channels; a flow has u, v and validity')
    vectors = (pixels[..., :0:-1].astype(np.float32) - ZERO) / np.float32(STEPS)
    vectors[pixels[..., 0] == 0] = 0
    return np.ascontiguousarray(vectors)


def _flo(data: bytes, name: str) -> Flow:
    try:
        width, height = struct.unpack_from("<ii", data, len(FLO))
    except struct.error:
        raise corrupt(name) from None
    if not (width > 0 and height > 0 and width * height <= MOST_PIXELS):
        raise DataError(f'"{name}" claims to have {width}×{height} pixels; 1 to {MOST_PIXELS:,} are read')
    if len(data) != 12 + 8 * width * height:
        raise corrupt(name, f"{len(data)} bytes for {width}×{height} vectors")
    vectors = np.frombuffer(data, "<f4", offset=12).reshape(height, width, 2).astype(np.float32)
    vectors[~(np.abs(vectors) <= UNKNOWN).all(axis=2)] = 0
    return vectors


def read_colours(path: Path) -> Picture:
    """Read a flow as colours, for networks that take a picture of it.

    Args:
        path: a colour-coded flow (PNG or JPEG), or vectors, which are coloured by `colours`.

    Returns:
        (H, W, 3) uint8, RGB.

    Raises:
        DataError: if the file is missing, corrupt, or too large.
    """
    data = read_bytes(path, str(path))
    if data.startswith(FLO) or (data.startswith(b"\x89PNG") and data[DEPTH_AT : DEPTH_AT + 1] == b"\x10"):
        return colours(read_flow(path))
    return read_frame(path)


def write_flow(path: Path, flow: Flow) -> None:
    """Write vectors as a 16-bit PNG file, rounded to 1/64 pixel; vectors of more than 511 pixels become invalid.

    Args:
        path: the target.
        flow: (H, W, 2), in pixels.
    """
    levels = np.rint(flow.astype(np.float64) * STEPS) + ZERO
    valid = ((levels >= 0) & (levels < 2**16)).all(axis=2)
    pixels = np.zeros((*flow.shape[:2], 3), np.uint16)
    pixels[..., :2][valid] = levels[valid]
    pixels[..., 2] = valid
    write_png(path, pixels)


def colours(flow: Flow, largest: float | None = None) -> Picture:
    """Colour a flow by direction and speed, as in the figures of Baker et al. (IJCV 2011): white does not move.

    Args:
        flow: (H, W, 2), in pixels.
        largest: the speed of full saturation, in pixels; the flow's largest if None.

    Returns:
        (H, W, 3) uint8, RGB.

    >>> colours(np.zeros((1, 1, 2), np.float32)).tolist()
    [[[255, 255, 255]]]
    >>> colours(np.array([[[1, 0], [-1, 0]]], np.float32)).tolist()
    [[[255, 0, 0], [0, 209, 255]]]
    """
    speed = np.hypot(flow[..., 0], flow[..., 1]).astype(np.float64)
    most = float(speed.max(initial=0)) if largest is None else largest
    speed /= most if most > 0 else 1
    wheel = _wheel()
    position = (np.arctan2(-flow[..., 1], -flow[..., 0]).astype(np.float64) / np.pi + 1) / 2 * (len(wheel) - 1)
    low = position.astype(np.intp)
    part = (position - low)[..., None]
    hue = (1 - part) * wheel[low] + part * wheel[(low + 1) % len(wheel)]
    inside = speed[..., None] <= 1
    return np.asarray(np.where(inside, 255 * (1 - speed[..., None] * (1 - hue)), 255 * 0.75 * hue), np.uint8)


@cache
def _wheel() -> NDArray[np.float64]:
    """The hues as (55, 3) RGB in [0, 1]; each of the six arcs changes one channel up or down."""
    arcs = []
    corners = ((1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1))
    for index, count in enumerate(WHEEL):
        start, end = np.array(corners[index]), np.array(corners[(index + 1) % len(corners)])
        part = (np.floor(255 * np.arange(count) / count) / 255)[:, None]
        arcs.append(start + (end - start) * part)
    return np.concatenate(arcs)
