"""The container of PNG: chunks, their checksums and order, and the rows that are deflated in them.

Conventions:
    What is taken are grey and palette images of 1, 2, 4 or 8 bits, neither interlaced nor transparent, sound to their
    last byte. Source: W3C, Portable Network Graphics (PNG) Specification, second edition, sections 4 to 5 and 10 to 11.
"""

import re
import struct
from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

inflation: Any
"""zlib, or a faster one with the same names."""
try:
    inflation = import_module("zlib_ng.zlib_ng")
except ImportError:  # the standard library's takes several times as long
    inflation = import_module("zlib")

Bytes = NDArray[np.uint8]
SIGNATURE = b"\x89PNG\r\n\x1a\n"
STRETCH = 500_000  # bytes that are inflated at once: a 480p mask, a quarter of a 1080p one; less costs calls
LARGEST = 2**26  # pixels; Pillow warns of decompression bombs soon after
CRITICAL = {b"IHDR": "H", b"PLTE": "P", b"IDAT": "D", b"IEND": "E"}
HARMLESS = {b"tIME": 7, b"gAMA": 4, b"cHRM": 32, b"pHYs": 9, b"sRGB": 1, b"bKGD": None, b"tEXt": None}  # and lengths
ORDER = {"L": re.compile(r"H_*D+_*E"), "P": re.compile(r"H_*P_*D+_*E")}
GREY = {1: 255, 2: 85, 4: 17, 8: 1}  # by bits: a step of grey, so that few bits too span 0 to 255


class Unread(Exception):  # noqa: N818
    """The file is not one of those that are taken."""


class Image(NamedTuple):
    """What a file's chunks say; ``mode`` as Pillow names it, ``step`` between values, ``stream`` the deflated rows."""

    width: int
    height: int
    depth: int
    mode: str
    step: int
    stream: bytes | memoryview

    @property
    def stride(self) -> int:
        """Bytes of a row, its filter's type among them."""
        return 1 + -(-self.width * self.depth // 8)


def parse(data: memoryview) -> Image:
    """Walk the chunks and check every one's checksum, and their order."""
    if data[:8] != SIGNATURE:
        raise Unread
    position, order, bodies = 8, "", dict[bytes, list[memoryview]]()
    while position < len(data):
        length, name = struct.unpack_from(">I4s", data, position)
        (checksum,) = struct.unpack_from(">I", data, position + 8 + length)
        if inflation.crc32(data[position + 4 : position + 8 + length]) != checksum:
            raise Unread
        if name not in CRITICAL and HARMLESS.get(name, -1) not in {None, length}:
            raise Unread
        order += CRITICAL.get(name, "_")
        bodies.setdefault(name, []).append(data[position + 8 : position + 8 + length])
        position += 12 + length
    width, height, depth, kind, method, filters, interlaced = struct.unpack(">IIBBBBB", bodies.get(b"IHDR", [b""])[0])
    mode = {0: "L", 3: "P"}.get(kind, "")
    if depth not in GREY or mode not in ORDER or not ORDER[mode].fullmatch(order) or bodies[b"IEND"][0]:
        raise Unread
    if method or filters or interlaced or not 0 < width * height <= LARGEST:
        raise Unread
    if mode == "P" and (len(bodies[b"PLTE"][0]) % 3 or not 3 <= len(bodies[b"PLTE"][0]) <= 3 << depth):
        raise Unread
    streams = bodies[b"IDAT"]
    return Image(
        width,
        height,
        depth,
        mode="1" if mode == "L" and depth == 1 else mode,
        step=GREY[depth] if mode == "L" else 1,
        stream=streams[0] if len(streams) == 1 else b"".join(streams),
    )


def stretches(image: Image) -> Iterator[tuple[slice, Bytes]]:
    """Inflate some rows at a time, (N, stride) uint8 with the rows they are; refuse a stream of another length."""
    inflater, left = inflation.decompressobj(), image.stream
    rows = max(1, STRETCH // image.stride)
    for first in range(0, image.height, rows):
        count = min(rows, image.height - first)
        block = inflater.decompress(left, count * image.stride)
        if len(block) != count * image.stride:
            raise Unread
        left = inflater.unconsumed_tail
        yield slice(first, first + count), np.frombuffer(block, np.uint8).reshape(count, image.stride)
    if inflater.decompress(left, 1) or not inflater.eof or inflater.unused_data:
        raise Unread
