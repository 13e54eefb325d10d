"""Masks for the viewer: run lengths of every frame of a video, in one script for each video and method.

Conventions:
    Runs are lengths in row-major order, background first and then alternating, as unsigned LEB128 numbers. The last run
    of a mask is left out: what follows has the other value. An empty mask is its one run, written out.
    Each frame is the number of its bytes, as LEB128, and its bytes; a frame without a mask has no bytes. All frames are
    deflated together (zlib, RFC 1950) and written in base64 as a classic script, which pages opened from a disk may
    load: `fetch` they may not.
    Masks are those that scoring reads, at the size of their annotations.
"""

import base64
import json
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vosbench.metrics.arrays import Mask
from vosbench.metrics.packed import Packed, unpack

VERSION = 1
"""Of the form of runs; raised whenever equal masks would be written otherwise."""
LEVEL = 9


def run_lengths(mask: Mask) -> NDArray[np.int64]:
    """The lengths of a mask's runs in row-major order, background first; the first may be 0.

    Args:
        mask: (H, W) bool.

    >>> run_lengths(np.array([[True, True], [False, True]])).tolist()
    [0, 2, 1, 1]
    """
    pixels = mask.reshape(-1)
    changes = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    start = [0, 0] if pixels[0] else [0]
    return np.diff(np.concatenate((start, changes, [pixels.size])))


def leb128(numbers: NDArray[np.int64]) -> bytes:
    """Numbers as unsigned LEB128: 7 bits a byte, lowest first, the highest bit set if more follow.

    >>> leb128(np.array([1, 128, 0])).hex()
    '01800100'
    """
    if not numbers.size:
        return b""
    size = max(1, -(-int(numbers.max()).bit_length() // 7))
    places = np.arange(size)
    digits = (numbers[:, None] >> (7 * places)) & 127
    kept = (numbers[:, None] >> (7 * places) != 0) | (places == 0)
    more = np.zeros_like(kept)
    more[:, :-1] = kept[:, 1:]
    return bytes((digits | (more << 7))[kept].astype(np.uint8))


def encode(masks: Sequence[Mask | Packed | None]) -> bytes:
    """Encode the masks of a video.

    Args:
        masks: one for each frame, or None if there is none.

    Returns:
        the deflated frames.
    """
    return deflate([None if mask is None else encode_mask(mask) for mask in masks])


def encode_mask(mask: Mask | Packed) -> bytes:
    """The runs of a mask, without the last one unless it is the only one."""
    runs = run_lengths(unpack(mask) if isinstance(mask, Packed) else mask)
    return leb128(runs if len(runs) == 1 else runs[:-1])


def deflate(frames: Sequence[bytes | None]) -> bytes:
    """Deflate frames of `encode_mask`, None if there is no mask, into those of a video."""
    parts = []
    for frame in frames:
        parts += [leb128(np.array([len(frame or b"")])), frame or b""]
    return zlib.compress(b"".join(parts), LEVEL)


def decode(data: bytes, height: int, width: int) -> list[Mask | None]:
    """Decode what `encode` returns; the viewer does the same in the browser.

    >>> decode(encode([np.eye(2, dtype=bool), None, np.zeros((2, 2), bool)]), 2, 2)[0]
    array([[ True, False],
           [False,  True]])
    """
    numbers = zlib.decompress(data)
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = numbers[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    found: list[Mask | None] = []
    while at < len(numbers):
        end = number()
        end += at
        if end == at:
            found.append(None)
            continue
        pixels = np.zeros(height * width, np.bool_)
        position, value = 0, False
        while at < end:
            run = number()
            pixels[position : position + run] = value
            position, value = position + run, not value
        pixels[position:] = value
        found.append(pixels.reshape(height, width))
    return found


def script(height: int, width: int, data: bytes) -> bytes:
    """The script that hands the masks of a video to the viewer.

    Args:
        height: of the masks, in pixels.
        width: likewise.
        data: what `encode` returns.
    """
    about = {"version": VERSION, "height": height, "width": width, "runs": base64.b64encode(data).decode()}
    return f"VB.mask({json.dumps(about)});\n".encode()
