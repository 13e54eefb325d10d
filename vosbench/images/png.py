"""Read PNG masks directly into packed rows, some rows at a time.

Conventions:
    Common masks are read: grey or palette images of 1, 2, 4 or 8 bits, neither interlaced nor transparent. Filtered
    rows of 8 bits need no values but 0 and one other, and no Average filter: then a row is bits, and undoing a filter
    is bit arithmetic; those of fewer bits are read by `vosbench.images.filters`. For any other file, including damaged
    ones and values unknown to the codec, `read_packed` returns None, and `vosbench.images.files.read_mask` reads the
    file or raises the error.
    Source: W3C, Portable Network Graphics (PNG) Specification, second edition, sections 4 to 5 and 9 to 11.
"""

import re
import struct
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vosbench.images.codecs import Codec
from vosbench.images.filters import KINDS, unfiltered
from vosbench.images.recognition import Look, distinct, look_of
from vosbench.metrics.arrays import Mask
from vosbench.metrics.packed import Packed, Words, empty_words

inflation: Any
"""zlib, or a faster module with the same interface."""
try:
    inflation = import_module("zlib_ng.zlib_ng")
except ImportError:  # several times slower
    inflation = import_module("zlib")

Bytes = NDArray[np.uint8]
SIGNATURE = b"\x89PNG\r\n\x1a\n"
STRETCH = 500_000  # bytes to inflate at once: a 480p mask, or a quarter of a 1080p one; fewer bytes need more calls
np.empty(2**22, np.uint8)  # glibc maps large blocks anew each time, a quarter of the time, until it has freed one
LARGEST = 2**26  # pixels; Pillow warns of decompression bombs a little above
CRITICAL = {b"IHDR": "H", b"PLTE": "P", b"IDAT": "D", b"IEND": "E"}
HARMLESS = {b"tIME": 7, b"gAMA": 4, b"cHRM": 32, b"pHYs": 9, b"sRGB": 1, b"bKGD": None, b"tEXt": None}  # and lengths
ORDER = {"L": re.compile(r"H_*D+_*E"), "P": re.compile(r"H_*P_*D+_*E")}
GREY = {1: 255, 2: 85, 4: 17, 8: 1}  # bits → step between grey values, so that they span 0 to 255


class Unread(Exception):  # noqa: N818
    """The file cannot be read by this module."""


class Image(NamedTuple):
    """A parsed file: its Pillow ``mode``, the ``step`` between values, and ``stream``, the deflated rows."""

    width: int
    height: int
    depth: int
    mode: str
    step: int
    palette: bytes
    stream: bytes | memoryview

    @property
    def stride(self) -> int:
        """Bytes of a row, including its filter type."""
        return 1 + -(-self.width * self.depth // 8)


def parse(data: memoryview) -> Image:
    """Parse the chunks and check their checksums and order."""
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
        palette=bytes(bodies[b"PLTE"][0]) if mode == "P" else b"",
        stream=streams[0] if len(streams) == 1 else b"".join(streams),
    )


def is_sound(data: bytes) -> bool:
    """Whether a file has the signature, and chunks with right checksums up to its end, whatever is in them."""
    position = len(SIGNATURE)
    if data[:position] != SIGNATURE:
        return False
    while position < len(data):
        if position + 12 > len(data):
            return False
        (length,) = struct.unpack_from(">I", data, position)
        end = position + 8 + length
        if data[end : end + 4] != struct.pack(">I", inflation.crc32(memoryview(data)[position + 4 : end])):
            return False
        position = end + 4
    return True


def stretches(image: Image) -> Iterator[tuple[slice, Bytes]]:
    """Inflate some rows at a time: yield their slice and (N, stride) uint8; refuse a stream of another length."""
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


NONE, SUB, UP, AVERAGE, PAETH = KINDS
HIGHEST = 255
HALF = 128  # a value with equal residuals for rises and falls
ALL = np.uint64(2**64 - 1)
REVERSING = tuple(
    (np.uint64(shift), np.uint64(low))
    for shift, low in ((1, 0x5555555555555555), (2, 0x3333333333333333), (4, 0x0F0F0F0F0F0F0F0F))
)
"""Shifts that swap neighbouring bits, pairs and halves of bytes, and the bits that move up."""


class _Reading(NamedTuple):
    """A codec in terms of bytes.

    Attributes:
        threshold: the lowest value of the object.
        kind: uint8 or int8: viewed as this type, the codec's values are contiguous and include 0.
        low: the lowest of them, or None if it is the type's minimum.
        high: the highest, or None if it is the type's maximum.
    """

    threshold: int
    kind: type[Any]
    low: int | None
    high: int | None

    def check(self, values: Bytes) -> None:
        """Refuse values unknown to the codec."""
        seen = values.view(self.kind)
        if self.high is not None and seen.max() > self.high:
            raise Unread
        if self.low is not None and seen.min() < self.low:
            raise Unread

    def bits(self, pixels: Bytes) -> Bytes:
        """(N, columns) values → (N, ⌈columns / 8⌉) packed foreground, the first pixel in the lowest bit."""
        return np.packbits(pixels if self.threshold == 1 else pixels >= self.threshold, axis=1, bitorder="little")

    def shows(self, value: int) -> bool:
        """Whether a value, which must be known to the codec, is the object."""
        self.check(np.array([value], np.uint8))
        return value >= self.threshold


def read_packed(
    data: bytes, codec: Codec, check: Callable[[tuple[int, int]], object] = lambda _: None
) -> tuple[Packed, Look] | None:
    """Read a mask from the bytes of a PNG file.

    Args:
        data: the file's bytes.
        codec: how the mask is encoded.
        check: called with the (height, width) that the header claims, before anything is decoded.

    Returns:
        the mask and the values of the file, or None if the file cannot be read by this module.
    """
    try:
        image = parse(memoryview(data))
        if image.mode not in codec.modes or (image.mode == "P" and codec.shown):
            return None
        check((image.height, image.width))
        words, values = _read_rows(image, _reading(codec))
        return Packed(image.height, image.width, words), look_of(image.mode, values, image.palette)
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


def _read_rows(image: Image, reading: _Reading) -> tuple[Words, tuple[int, ...]]:
    """The mask, and the values of the file in order."""
    words = empty_words(image.height, image.width)
    target = words.view(np.uint8)[:, : -(-image.width // 8)]
    value = above = 0
    last = np.zeros(image.stride - 1, np.uint8)
    plain_row: Bytes | None = None  # the last row, if it had no filter
    values: set[int] = set()
    for rows, block in stretches(image):
        filters, pixels = block[:, 0], block[:, 1:]
        if image.depth < 8:
            plain = unfiltered(filters, pixels, last) if filters.any() else pixels
            if plain is None:
                raise Unread
            target[rows] = _small_bits(image, reading, plain, values)
            last = plain[-1]
        elif filters.any():
            if plain_row is not None:
                value, above = _last_row(plain_row)
                plain_row = None
            words[rows], value, above = _two_valued(filters, pixels, value, above)
            values |= {0, value}
            if value and not reading.shows(value):
                raise Unread
        else:
            found = _values(block)
            reading.check(np.array(sorted(found), np.uint8))
            target[rows] = reading.bits(pixels)
            values |= found
            plain_row = pixels[-1]
    words[:, -1] &= _last_word(image.width)
    if 0 in values and not reading.shows(0) and words[0, 0] == _last_word(min(image.width, 64)):
        full = words == ALL
        full[:, -1] = words[:, -1] == _last_word(image.width)
        if full.all():  # filtered rows, and those of 0 and 255, only tell that there is no third value
            values.discard(0)
    return words, tuple(sorted(values))


def _values(block: Bytes) -> set[int]:
    """The values of unfiltered rows, and 0, quickly if they are 0 and 1, or 0 and 255."""
    peak, signed = int(block.max()), block.view(np.int8)
    if peak <= 1:
        return {0, peak}
    if peak == HIGHEST and signed.max() <= 0 and signed.min() >= -1:
        return {0, peak}
    pixels = block[:, 1:]
    found = distinct(pixels)
    return set(np.flatnonzero(np.bincount(pixels.ravel())).tolist()) if found is None else set(found)


def _last_row(pixels: Bytes) -> tuple[int, int]:
    """The value of a row other than 0, and its bits; `HALF`, which `_two_valued` refuses, if there are several."""
    value = int(pixels.max())
    if ((pixels != 0) & (pixels != value)).any():
        value = HALF
    return value, int.from_bytes(np.packbits(pixels, bitorder="little").tobytes(), "little")


def _two_valued(filters: Bytes, residuals: Bytes, value: int, above: int) -> tuple[Words, int, int]:
    """Undo the filters of rows that contain only 0 and one value, in bits.

    A residual is 0 if the filter predicts the pixel, otherwise the value if the pixel is set, or minus the value. With
    D for "mispredicted", a row is D itself (None), D ^ the row above (Up), or the prefix XOR of D (Sub). Paeth predicts
    the pixel above if that differs from its left neighbour, otherwise the pixel to the left, so that a row is the row
    above ^ a prefix XOR of D that restarts wherever the row above changes.

    Args:
        filters: (N,) uint8.
        residuals: (N, B) uint8.
        value: the value; 0 if none has occurred yet.
        above: the bits of the previous row, the first pixel lowest.

    Returns:
        (N, words) bits, undefined beyond column B; the value; and the bits of the last row.

    Raises:
        Unread: if there are other values or other filters.
    """
    some = residuals[::16]  # enough to reject most soft maps quickly
    peak = int(some.max())
    # -x % 256 is a byte even if x is 0: NumPy 2.0.0 crashes comparing bytes with 256.
    if ((some != 0) & (some != peak) & (some != -peak % 256)).any():
        raise Unread
    different = _packed(residuals)
    value = value or _first(residuals, different)
    if value == HALF or (value and not _only(residuals, value, different)):
        raise Unread
    words, above = _unfiltered(filters, different, above)
    if value and (different & words != _packed(residuals == value)).any():
        raise Unread
    return words, value, above


def _only(residuals: Bytes, value: int, different: Words) -> bool:
    """Whether residuals other than 0 are the value, or minus the value."""
    if value in {1, HIGHEST}:
        signed = residuals.view(np.int8)
        return bool(signed.min() >= -1 and signed.max() <= 1)
    return not (different != _packed((residuals == value) | (residuals == -value % 256))).any()


def _unfiltered(filters: Bytes, different: Words, above: int) -> tuple[Words, int]:
    """The rows of `_two_valued`, and the bits of the last one.

    A row is either known by itself, or is the one above XOR its own bits; this is undone for all rows at once. Rows
    that Paeth's filter mispredicts are found one by one, as integers, and count as known then.
    """
    count, size = len(different), 8 * different.shape[1]
    sub = filters == SUB
    known = sub | (filters == NONE)
    if known.all():
        words = np.where(sub[:, None], _prefix_xor(different), different)
        return words, int.from_bytes(words[-1].tobytes(), "little")
    paeth = filters == PAETH
    if not (known | paeth | (filters == UP)).all():
        raise Unread
    paeth &= different.any(axis=1)
    known |= paeth
    changes = different.copy()
    changes[known] = 0
    np.bitwise_xor.accumulate(changes, axis=0, out=changes)  # of each row, since the one above the first
    rows = different ^ changes  # of a row that is known, what the changes are added to
    rows[sub] = _prefix_xor(different[sub]) ^ changes[sub]
    last = np.maximum.accumulate(np.where(known, np.arange(count), -1))  # the last known row up to each
    if paeth.any():
        _undo_paeth(np.flatnonzero(paeth), _prefix_xor(different[paeth]), (rows, changes, last), above)
    words = changes ^ np.where(last[:, None] < 0, np.frombuffer(above.to_bytes(size, "little"), np.uint64), rows[last])
    return words, int.from_bytes(words[-1].tobytes(), "little")


def _undo_paeth(
    places: NDArray[np.intp], prefixes: Words, state: tuple[Words, Words, NDArray[np.intp]], above: int
) -> None:
    """Find the rows that Paeth's filter mispredicts, and add them to the known rows of `_unfiltered`."""
    rows, changes, last = state
    size = 8 * rows.shape[1]
    full = (1 << 8 * size) - 1
    first, found, at = above, 0, -1
    for y, data in zip(places.tolist(), prefixes, strict=True):
        if at < 0 or y > at + 1:
            known = last[y - 1] if y else -1
            found = first if known < 0 else int.from_bytes(rows[known].tobytes(), "little")
            found ^= int.from_bytes(changes[y - 1].tobytes(), "little") if y else 0
        prefix = int.from_bytes(data.tobytes(), "little")
        starts = (found ^ found << 1) & full
        runs = full ^ starts
        before = prefix << 1 & starts  # the prefix up to each start; it is removed from its run,
        found ^= prefix ^ before ^ ((runs + (before << 1) ^ runs) & runs)  # and a carry fills the run
        rows[y] = np.frombuffer(found.to_bytes(size, "little"), np.uint64) ^ changes[y]
        at = y


def _prefix_xor(rows: Words) -> Words:
    """The XOR of the bits of a row up to each."""
    parity = rows.copy()
    for shift in (1, 2, 4, 8, 16, 32):
        parity ^= parity << np.uint64(shift)
    odd = np.bitwise_xor.accumulate(parity >> np.uint64(63), axis=1)[:, :-1]
    parity[:, 1:] ^= np.uint64(0) - odd
    return parity


def _packed(pixels: Bytes | Mask) -> Words:
    """(N, B) pixels → (N, words), a bit for each nonzero pixel."""
    words = empty_words(*pixels.shape)
    words.view(np.uint8)[:, : -(-pixels.shape[1] // 8)] = np.packbits(pixels, axis=1, bitorder="little")
    return words


def _first(residuals: Bytes, different: Words) -> int:
    """The first nonzero residual, which was predicted as 0, found by its bit; 0 if there is none."""
    row, word = divmod(int((different.ravel() != 0).argmax()), different.shape[1])
    bits = int(different[row, word])
    return int(residuals[row, 64 * word + (bits & -bits).bit_length() - 1]) if bits else 0


def _small_bits(image: Image, reading: _Reading, packed: Bytes, values: set[int]) -> Bytes:
    """(N, bytes) of pixels of less than 8 bits → (N, ⌈W / 8⌉) packed foreground; undefined beyond the last column.

    The values are added to the set.
    """
    if image.depth == 1:
        words = empty_words(len(packed), image.width)
        target = words.view(np.uint8)[:, : packed.shape[1]]
        target[:] = packed
        for shift, low in REVERSING:  # the bits of each byte: the first pixel is the highest one
            words[:] = (words >> shift) & low | (words & low) << shift
        if image.mode == "P":
            words[:, -1] &= _last_word(image.width)
            values.update({1} if words.any() else ())
            full = (words[:, :-1] == ALL).all() and (words[:, -1] == _last_word(image.width)).all()
            values.update(() if full else {0})
        return target if reading.shows(image.step) else np.zeros_like(packed)
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).reshape(256, -1, image.depth)
    table = (np.packbits(bits, axis=2)[..., 0] >> (8 - image.depth)) * np.uint8(image.step)
    pixels = np.asarray(table[packed].reshape(len(packed), -1)[:, : image.width], np.uint8)
    reading.check(pixels)
    values.update(np.flatnonzero(np.bincount(pixels.ravel())).tolist())
    return reading.bits(pixels)


def _last_word(width: int) -> np.uint64:
    """The bits of a row's last word that are columns."""
    return ALL >> np.uint64(-width % 64)
