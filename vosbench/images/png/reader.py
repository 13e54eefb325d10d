"""Read PNG masks straight into packed rows, a stretch of rows at a time.

Conventions:
    It reads what masks are commonly stored as: grey or palette images of 1, 2, 4 or 8 bits that are not interlaced
    and carry no transparency. Of any other file, of one that is not sound to its last byte, and of one whose values
    its codec does not know it says None, and leaves the judgement, and the error, to `vosbench.images.files.read_mask`.
    Source: W3C, Portable Network Graphics (PNG) Specification, second edition, section 9 (filters).
"""

import struct
import sys
from collections import deque
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from vosbench.images.codecs import Codec
from vosbench.images.png.container import Bytes, Image, Unread, inflation, parse, stretches
from vosbench.metrics.packed import Packed, Words, empty_words

SUB, PAETH = 1, 4  # types of filters
HALF = 128  # whose rises and falls look the same
SMALLEST = 2**15  # bytes whose filters are worth the compiler's start
REVERSED = np.packbits(np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1), axis=1, bitorder="little")[:, 0]


class _Filtered(Exception):  # noqa: N818
    """The file is sound so far, but its rows are filtered in a way that needs a compiler."""


class _Reading(NamedTuple):
    """A codec in terms of bytes.

    Attributes:
        threshold: the least value of the object.
        kind: uint8 or int8: seen as such, the values that the codec knows lie side by side, and 0 among them.
        low: the least of them, or None where no value is less.
        high: the greatest, or None where no value is greater.
    """

    threshold: int
    kind: type[Any]
    low: int | None
    high: int | None

    def check(self, values: Bytes) -> None:
        """Refuse values that the codec does not know."""
        seen = values.view(self.kind)
        if self.high is not None and seen.max() > self.high:
            raise Unread
        if self.low is not None and seen.min() < self.low:
            raise Unread

    def bits(self, pixels: Bytes) -> Bytes:
        """(N, columns) values → (N, ⌈columns / 8⌉) packed foreground, the first pixel lowest."""
        return np.packbits(pixels if self.threshold == 1 else pixels >= self.threshold, axis=1, bitorder="little")

    def shows(self, value: int) -> bool:
        """Say whether a value is the object; the codec has to know it."""
        self.check(np.array([value], np.uint8))
        return value >= self.threshold


def read_packed(data: bytes, codec: Codec) -> Packed | None:
    """Read a mask from the bytes of a PNG file.

    Args:
        data: the file's bytes.
        codec: how the mask is encoded.

    Returns:
        The mask, or None where the file is to be read in another way.
    """
    try:
        image = parse(memoryview(data))
        if image.mode not in codec.modes:
            return None
        reading = _reading(codec)
        try:
            words = _read_rows(image, reading)
        except _Filtered:
            words = _decoded(image, reading, data)
        return Packed(image.height, image.width, words)
    except (Unread, struct.error, inflation.error):
        return None


@cache
def _reading(codec: Codec) -> _Reading:
    values = np.arange(256, dtype=np.uint8)
    known = values[np.isin(values, codec.values or values) & ~np.isin(values, codec.refused)]
    found = codec.foreground(values[None])[0]
    threshold = int(found.argmax())
    for kind in (np.uint8, np.int8):
        seen, bounds = np.sort(known.view(kind)).astype(int), np.iinfo(kind)
        low, high = int(seen[0]), int(seen[-1])
        if high - low + 1 == seen.size and low <= 0 and (found == (values >= threshold)).all():
            return _Reading(threshold, kind, None if low == bounds.min else low, None if high == bounds.max else high)
    raise Unread


def _read_rows(image: Image, reading: _Reading) -> Words:
    """Read an image of any filters."""
    words = empty_words(image.height, image.width)
    target = words.view(np.uint8)[:, : -(-image.width // 8)]
    above = np.zeros(image.stride - 1, np.uint8)
    blocks = stretches(image)
    for rows, block in blocks:
        filters, pixels = block[:, 0], block[:, 1:]
        if not filters.any():
            above[:] = pixels[-1]
        elif image.depth == 8 and (filters == SUB).all() and (summed := _summed(pixels, reading)) is not None:
            target[rows], above[:] = summed
            continue
        else:
            if "numba" not in sys.modules:
                deque(blocks, maxlen=0)  # to its end, to know that it is sound
                raise _Filtered
            block = pixels = _unfiltered(image, block, above)  # noqa: PLW2901
        if image.depth == 8:
            reading.check(block)  # with the filters' types, if any, which are 0: faster, as it lies in one piece
            target[rows] = reading.bits(pixels)
        else:
            target[rows] = _small_bits(image, reading, pixels)
    words[:, -1] &= _last_word(image.width)
    return words


def _summed(differences: Bytes, reading: _Reading) -> tuple[Bytes, Bytes] | None:
    """Sum up rows that are stored as differences from the left, where they hold nothing but 0 and one value.

    The value is the first difference that is not 0, since before it there is 0. A row then is the parity of its
    differences, a prefix XOR of bits; the differences are the value where it rises, and its complement where it falls.

    Args:
        differences: (N, B) uint8.
        reading: says whether the value is the object.

    Returns:
        (N, ⌈B / 8⌉) packed foreground and the (B,) bytes of the last row; None where there are other values.
    """
    differences = np.ascontiguousarray(differences)
    changes = empty_words(*differences.shape)
    target = changes.view(np.uint8)[:, : -(-differences.shape[1] // 8)]
    target[:] = np.packbits(differences, axis=1, bitorder="little")
    value = _first(differences, changes)
    if value == HALF or (value and not reading.shows(value)):
        return None
    parity = changes.copy()
    for shift in (1, 2, 4, 8, 16, 32):
        parity ^= parity << np.uint64(shift)
    odd = np.bitwise_xor.accumulate(parity >> np.uint64(63), axis=1)[:, :-1]
    parity[:, 1:] ^= np.uint64(0) - odd
    for seen, byte in ((changes & parity, value), (changes & ~parity, (256 - value) % 256)):
        packed = np.packbits(differences == byte, axis=1, bitorder="little")
        if value and not np.array_equal(seen.view(np.uint8)[:, : packed.shape[1]], packed):
            return None
    rows = parity.view(np.uint8)[:, : target.shape[1]]
    last = np.unpackbits(rows[-1], count=differences.shape[1], bitorder="little") * np.uint8(value)
    return rows, last


def _decoded(image: Image, reading: _Reading, data: bytes) -> Words:
    """Have OpenCV decode a whole grey image, once its stream is known to be sound; palettes it would colour."""
    if image.mode != "L" or image.depth != 8:
        raise Unread
    import cv2

    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.shape != (image.height, image.width) or pixels.dtype != np.uint8:
        raise Unread
    grey = pixels.astype(np.uint8, copy=False)
    reading.check(grey)
    words = empty_words(image.height, image.width)
    words.view(np.uint8)[:, : -(-image.width // 8)] = reading.bits(grey)
    return words


def _first(differences: Bytes, changes: Words) -> int:
    """The first difference that is not 0, found by its bit; 0 where there is none."""
    word = int((changes.ravel() != 0).argmax())
    row, column = divmod(word, changes.shape[1])
    bits = int(changes[row, column])
    return int(differences[row, 64 * column + (bits & -bits).bit_length() - 1]) if bits else 0


def _unfiltered(image: Image, block: Bytes, above: Bytes) -> Bytes:
    """Undo filters by compiled code, where that is loaded: loading it takes more memory than all the rest."""
    if block[:, 0].max() > PAETH or image.stride * image.height < SMALLEST:
        raise Unread
    from vosbench.images.png.filters import undo

    pixels = np.empty((len(block), above.size), np.uint8)
    undo(block, above, pixels)
    return pixels


def _small_bits(image: Image, reading: _Reading, packed: Bytes) -> Bytes:
    """(N, bytes) of pixels of less than 8 bits → (N, ⌈W / 8⌉) packed foreground; beyond the last column anything."""
    if image.depth == 1:
        return np.asarray(REVERSED[packed] if reading.shows(image.step) else np.zeros_like(packed))
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).reshape(256, -1, image.depth)
    table = (np.packbits(bits, axis=2)[..., 0] >> (8 - image.depth)) * np.uint8(image.step)
    pixels = np.asarray(table[packed].reshape(len(packed), -1)[:, : image.width], np.uint8)
    reading.check(pixels)
    return reading.bits(pixels)


def _last_word(width: int) -> np.uint64:
    """The bits of a row's last word that are columns."""
    return np.uint64(2**64 - 1) >> np.uint64(-width % 64)
