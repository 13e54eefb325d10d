import io
import itertools
import struct
import subprocess
import sys
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from vosbench.errors import DataError
from vosbench.images import files as images
from vosbench.images import levels, png
from vosbench.images.codecs import CODECS
from vosbench.images.recognition import Look, look_at
from vosbench.metrics.packed import Packed, unpack

Bytes = np.ndarray
GREY, PALETTE = 0, 3


@pytest.fixture(autouse=True)
def _several_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "STRETCH", 700)


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def foretold(kind: int, row: Bytes, above: Bytes) -> Bytes:
    left, corner = np.r_[0, row[:-1]], np.r_[0, above[:-1]]
    if kind == 3:
        return (left + above) // 2
    if kind == 4:
        ways = np.stack([left, above, corner])
        return np.take_along_axis(ways, np.abs(ways - (left + above - corner)).argmin(axis=0)[None], axis=0)[0]
    return [np.zeros_like(row), left, above][kind]


def encode(
    values: Bytes,
    depth: int = 8,
    kind: int = GREY,
    filters: Callable[[int], int] = lambda _: 0,
    parts: int = 1,
    extra: tuple[bytes, bytes, bytes] = (b"", b"", b""),
) -> bytes:
    """A small PNG encoder, which does as it is told."""
    height, width = values.shape
    bits = np.unpackbits(values[..., None], axis=2)[..., -depth:].reshape(height, -1)
    rows = np.packbits(bits, axis=1).astype(int)
    raw = b""
    for y in range(height):
        above = rows[y - 1] if y else np.zeros_like(rows[0])
        raw += bytes([filters(y)]) + ((rows[y] - foretold(filters(y), rows[y], above)) % 256).astype(np.uint8).tobytes()
    stream = zlib.compress(raw)
    cuts = [len(stream) * part // parts for part in range(parts + 1)]
    return b"".join(
        [
            png.SIGNATURE,
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)),
            extra[0],
            chunk(b"PLTE", bytes(range(3)) * min(200, 2**depth)) if kind == PALETTE else b"",
            extra[1],
            *(chunk(b"IDAT", stream[first:last]) for first, last in itertools.pairwise(cuts)),
            extra[2],
            chunk(b"IEND", b""),
        ]
    )


def by_pillow(data: bytes, codec: str) -> Bytes | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return images.read_mask(data, codec, "mask")
        except (DataError, ValueError, OverflowError):
            return None


def compare(data: bytes) -> dict[str, Packed | None]:
    """Read by every codec: what is read is what Pillow reads, and nothing is read that Pillow refuses."""
    read = {name: png.read_packed(data, codec) for name, codec in CODECS.items()}
    for look in {found[1] for found in read.values() if found is not None}:
        check_look(look, data)
    found = {name: None if each is None else each[0] for name, each in read.items()}
    for name, packed in found.items():
        if packed is not None:
            expected = by_pillow(data, name)
            assert expected is not None, name
            assert np.array_equal(unpack(packed), expected), name
            if packed.width % 64:
                assert not (packed.words[:, -1] >> np.uint64(packed.width % 64)).any()
    return found


def check_look(look: Look, data: bytes) -> None:
    """The values are those that Pillow sees, unless there are too many to tell."""
    expected = look_at(*images.read_stored(data, "mask")[:3])
    assert (look.mode, look.grey) == (expected.mode, expected.grey)
    if expected.values is None:
        assert look.values is None
        assert look.high == expected.high
    else:
        assert look.values == expected.values


def some_values(random: np.random.Generator, depth: int, height: int, width: int) -> Iterator[Bytes]:
    top = 2**depth - 1
    mask = np.zeros((height, width), np.uint8)
    mask[height // 4 : -height // 4 or None, width // 3 :] = 1
    yield mask
    yield mask * np.uint8(top)
    yield random.integers(0, 2, (height, width), dtype=np.uint8) * np.uint8(top)
    yield random.integers(0, top + 1, (height, width), dtype=np.uint8)
    yield np.full((height, width), random.integers(0, top + 1), np.uint8)
    yield np.minimum(np.cumsum(random.integers(0, 2, (height, width)), axis=1), top).astype(np.uint8)


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("kind", [GREY, PALETTE])
@pytest.mark.parametrize("filters", [0, 1, 2, 3, 4, "mixed", "random"])
def test_equals_pillow_on_every_encoding(depth: int, kind: int, filters: int | str) -> None:
    random = np.random.default_rng(depth)
    drawn = random.integers(0, 5, 300)
    choose = {"mixed": lambda y: y // 9 % 5, "random": lambda y: int(drawn[y])}.get(str(filters), lambda _: filters)
    for width in [1, 7, 8, 9, 63, 64, 65, 129, 150]:
        for values in some_values(random, depth, int(random.integers(1, 60)), width):
            found = compare(encode(values, depth, kind, choose, parts=int(random.integers(1, 4))))
            if filters != 0:  # of two values it reads any but Average; of 128 it leaves the sign to Pillow
                two = depth == 8 and filters != 3 and set(np.unique(values)) <= {0, 255} and kind == GREY
                assert not two or filters in {"mixed", "random"} or found["map"] is not None
                assert (
                    not (depth < 8 and filters in {1, 2}) or found["palette" if kind == PALETTE else "map"] is not None
                )
            elif kind == PALETTE:
                assert (found["palette"] is not None) == (values.max() < 255)
            else:
                assert found["map"] is not None
                assert (found["binary255"] is not None) == bool(np.isin(values, (0, 2**depth - 1)).all())
                assert (found["binary01"] is not None) == (depth > 1 and int(values.max()) * png.GREY[depth] <= 1)


def test_equals_pillow_on_its_own_files() -> None:
    random = np.random.default_rng(1)
    for depth in (1, 2, 4, 8):
        for values in some_values(random, depth, 41, 70):
            for mode in ("1", "L", "P"):
                image = Image.fromarray(values if mode == "P" else values * np.uint8(255 // (2**depth - 1)))
                if mode == "P":
                    image.putpalette([1, 2, 3] * 256)
                elif mode == "1":
                    image = image.convert("1", dither=Image.Dither.NONE)
                for options in ({}, {"optimize": True}, *({"compress_level": level} for level in range(10))):
                    file = io.BytesIO()
                    image.save(file, "PNG", **options)
                    found = compare(file.getvalue())
                    two = len(np.unique(np.asarray(image))) < 3 and np.asarray(image).max() in {0, 255}
                    assert mode == "P" or not two or found["map"] is not None


def test_equals_pillow_on_files_of_opencv() -> None:
    random = np.random.default_rng(2)
    for values in some_values(random, 8, 50, 97):
        for options in [
            [],
            *([cv2.IMWRITE_PNG_COMPRESSION, level] for level in range(10)),
            *([cv2.IMWRITE_PNG_STRATEGY, strategy] for strategy in range(5)),
            [cv2.IMWRITE_PNG_BILEVEL, 1],
        ]:
            found = compare(cv2.imencode(".png", values, options)[1].tobytes())
            if not options and set(np.unique(values)) <= {0, 255}:
                assert found["map"] is not None


@pytest.mark.parametrize("value", [1, 100, 128, 255])
def test_filtered_rows_continue_across_stretches(value: int) -> None:
    """Stretches of several rows, of which some are stored as they are, and some hold other values."""
    random = np.random.default_rng(value)
    read = 0
    for _ in range(150):
        width = int(random.choice([1, 5, 63, 64, 65, 100]))
        values = random.random((40, width)) < random.choice([0, 0.02, 0.5, 1], (40, 1))
        values = np.where(values, np.uint8(value), np.uint8(0))
        values[:, 1:] = np.where(random.random((40, width - 1)) < 0.9, values[:, :-1], values[:, 1:])
        if random.random() < 0.3:
            values[random.integers(40), random.integers(width)] = 7
        kinds = random.choice([0, 1, 2, 4], 40)
        kinds[: int(random.integers(20))] = 0
        data = encode(values, filters=lambda y, kinds=kinds: int(kinds[y]))
        read += compare(data)["nonzero"] is not None
        assert (unpack(images.read_packed(data, "nonzero")) == (values > 0)).all()
    assert read > 60 or value == 128


def test_equals_pillow_in_one_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    mask = np.zeros((480, 854), np.uint8)
    mask[50:300, 200:701] = 255
    assert png.read_packed(encode(mask), CODECS["binary255"]) is not None
    compare(encode(mask, filters=lambda y: y % 5))


VALUES = np.tile(np.arange(16, dtype=np.uint8), (12, 2))
NAMED = {
    "16 bits": cv2.imencode(".png", VALUES.astype(np.uint16) * 999)[1].tobytes,
    "colour": cv2.imencode(".png", np.dstack([VALUES] * 3))[1].tobytes,
    "colour and alpha": cv2.imencode(".png", np.dstack([VALUES] * 4))[1].tobytes,
    "JPEG": cv2.imencode(".jpg", VALUES)[1].tobytes,
    "transparent": lambda: encode(VALUES, extra=(b"", chunk(b"tRNS", b"\0\0"), b"")),
    "animated": lambda: encode(VALUES, extra=(chunk(b"acTL", b"\0\0\0\1\0\0\0\0"), b"", b"")),
    "of an unknown chunk": lambda: encode(VALUES, extra=(chunk(b"abCd", b"12"), b"", b"")),
    "of a wrong gamma": lambda: encode(VALUES, extra=(chunk(b"gAMA", b"1"), b"", b"")),
    "without palette": lambda: encode(VALUES, kind=PALETTE).replace(
        encode(VALUES, kind=PALETTE)[33 : 33 + 12 + 600], b""
    ),
    "with trailing bytes": lambda: encode(VALUES) + b"\0",
    "empty": lambda: b"",
}


@pytest.mark.parametrize("name", NAMED)
def test_leaves_other_files_to_pillow(name: str) -> None:
    assert set(compare(NAMED[name]()).values()) == {None}


def interlaced(values: Bytes) -> bytes:
    """Adam7, none of whose passes is empty."""
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    raw = b"".join(b"\0" + row.tobytes() for y, x, down, right in passes for row in values[y::down, x::right])
    header = struct.pack(">IIBBBBB", *values.shape[::-1], 8, 0, 0, 0, 1)
    return png.SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def test_leaves_interlaced_files_to_pillow() -> None:
    data = interlaced(VALUES)
    assert set(compare(data).values()) == {None}
    assert np.array_equal(unpack(images.read_packed(data, "nonzero")), VALUES != 0)


def test_reads_past_harmless_chunks() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", "a pen")
    file = io.BytesIO()
    Image.fromarray(VALUES // 8 * 255).save(file, "PNG", pnginfo=text, dpi=(72, 72))
    assert b"tEXt" in file.getvalue()
    assert b"pHYs" in file.getvalue()
    assert compare(file.getvalue())["nonzero"] is not None
    time = chunk(b"tIME", bytes(7))
    for extra in [(time, b"", b""), (b"", chunk(b"gAMA", bytes(4)), b""), (b"", chunk(b"bKGD", bytes(2)), time)]:
        for kind in (GREY, PALETTE):
            assert compare(encode(VALUES, kind=kind, extra=extra, parts=3))["nonzero" if kind == GREY else "palette"]
    apart = encode(VALUES, parts=2)
    cut = apart.rindex(b"IDAT") - 4
    assert set(compare(apart[:cut] + time + apart[cut:]).values()) == {None}


@pytest.mark.parametrize("change", ["short", "long", "checksum", "filter", "size"])
def test_a_stream_that_does_not_fit_is_not_read(change: str) -> None:
    raw = b"".join(b"\0" + row.tobytes() for row in VALUES)
    stream = {
        "short": zlib.compress(raw[:-1]),
        "long": zlib.compress(raw + b"\0"),
        "checksum": zlib.compress(raw)[:-1] + bytes([zlib.compress(raw)[-1] ^ 1]),
        "filter": zlib.compress(b"\5" + raw[1:]),
        "size": zlib.compress(raw) + b"more",
    }[change]
    header = struct.pack(">IIBBBBB", 32, 12, 8, 0, 0, 0, 0)
    data = png.SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", stream) + chunk(b"IEND", b"")
    assert set(compare(data).values()) == {None}


def test_broken_files_are_never_read() -> None:
    random = np.random.default_rng(3)
    whole = encode(VALUES, filters=lambda y: y % 5, parts=2, extra=(chunk(b"tIME", bytes(7)), b"", b""))
    for end in range(len(whole)):
        assert png.read_packed(whole[:end], CODECS["nonzero"]) is None
    for place in range(len(whole)):
        broken = bytearray(whole)
        broken[place] ^= 1 << random.integers(8)
        assert png.read_packed(bytes(broken), CODECS["nonzero"]) is None
    for _ in range(300):  # sound checksums around broken contents
        values, kind = VALUES.copy(), int(random.choice([GREY, PALETTE]))
        broken = bytearray(encode(values, kind=kind, filters=lambda y: y % 5))
        place = int(random.integers(8, len(broken) - 12))
        broken[place] = random.integers(256)
        compare(with_sound_checksums(bytes(broken)))


def with_sound_checksums(data: bytes) -> bytes:
    position, out = 8, data[:8]
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        out += chunk(data[position + 4 : position + 8], data[position + 8 : position + 8 + length])
        position += 12 + length
    return out


def test_images_are_read_either_way(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    path.write_bytes(encode(VALUES))
    assert np.array_equal(unpack(images.read_packed(path, "nonzero")), VALUES != 0)
    path.write_bytes(NAMED["16 bits"]())
    assert np.array_equal(unpack(images.read_packed(path, "map")), VALUES.astype(int) * 999 > 32767)
    for source, wanted in [(encode(VALUES), "contains the values"), (b"none", "is not an image")]:
        with pytest.raises(DataError, match=wanted):
            images.read_packed(source, "binary255", "mask")
    with pytest.raises(DataError, match="does not exist"):
        images.read_packed(tmp_path / "absent.png", "binary255")


def test_works_without_zlib_ng() -> None:
    code = (
        "import sys\n"
        "sys.modules['zlib_ng'] = None\n"
        "from vosbench.images import png\n"
        "from vosbench.images.codecs import CODECS\n"
        "data = sys.stdin.buffer.read()\n"
        "sys.stdout.buffer.write(png.read_packed(data, CODECS['nonzero'])[0].words.tobytes())\n"
        "assert not {'cv2', 'numba'} & set(sys.modules)\n"
    )
    values = np.random.default_rng(5).integers(0, 2, (40, 90), np.uint8) * np.uint8(200)
    data = encode(values, filters=lambda _: 1)
    expected = png.read_packed(data, CODECS["nonzero"])
    assert expected is not None
    words = subprocess.run([sys.executable, "-W", "error", "-c", code], input=data, check=True, capture_output=True)
    assert words.stdout == expected[0].words.tobytes()


@pytest.mark.parametrize("value", [1, 2, 127, 129, 200, 254, 255])
@pytest.mark.parametrize("width", [1, 7, 63, 64, 65, 128, 200])
def test_two_values_by_differences_are_summed_as_bits(value: int, width: int) -> None:
    rng = np.random.default_rng(value * width)
    values = (rng.random((30, width)) < rng.choice([0.02, 0.5, 0.9], (30, 1))) * np.uint8(value)
    data = encode(values, filters=lambda _: 1)
    found = png.read_packed(data, CODECS["nonzero"])
    assert found is not None
    assert (unpack(found[0]) == (values > 0)).all()
    third = values.copy()
    third[20, width // 2] = value // 2 or 3
    data = encode(third, filters=lambda _: 1)
    assert compare(data)["nonzero"] is None or len(np.unique(third)) == 2
    assert (unpack(images.read_packed(data, "nonzero")) == (third > 0)).all()


@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize("filters", [0, 1, 2, 3, 4, "mixed"])
def test_what_is_loaded_changes_nothing(filters: int | str, loaded: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    monkeypatch.setitem(sys.modules, "numba", ModuleType("numba") if loaded else None)
    values = np.eye(40, dtype=np.uint8) * np.uint8(255)
    data = encode(values, filters=lambda y: y % 5 if filters == "mixed" else filters)
    assert (png.read_packed(data, CODECS["map"]) is not None) == (filters not in {3, "mixed"})
    assert (unpack(images.read_packed(data, "map", "a.png")) == values.astype(bool)).all()
    with pytest.raises(DataError, match="contains the values 255"):
        images.read_packed(data, "binary01", "a.png")
    for broken in (data[:-30], data[:60] + b"x" + data[61:]):
        assert png.read_packed(broken, CODECS["map"]) is None


def maps(random: np.random.Generator) -> Iterator[Bytes]:
    """Soft maps: noise, a blurred disk with much that is flat, and one row or column."""
    y, x = np.mgrid[:50, :70]
    yield random.integers(0, 256, (23, 31), dtype=np.uint8)
    yield np.clip(900 - 40 * np.hypot(y - 25, x - 30), 0, 255).astype(np.uint8)
    yield np.full((20, 33), 255, np.uint8)
    yield random.integers(0, 256, (1, 40), dtype=np.uint8)
    yield random.integers(0, 256, (40, 1), dtype=np.uint8)


def looked_at(read: Callable[..., Bytes], data: bytes, codec: str) -> tuple[list[list[int]], str, list[object]]:
    """What is read, its type, and what it looks like."""
    seen: list[object] = []
    found = read(data, codec, "a.png", seen.append, lambda *look: seen.append(look))
    return found.tolist(), found.dtype.name, seen


@pytest.mark.parametrize("filters", [0, 1, 2, 3, 4, "mixed"])
@pytest.mark.parametrize("depth", [4, 8])
def test_soft_maps_are_those_that_pillow_reads(filters: int | str, depth: int) -> None:
    random = np.random.default_rng(depth)
    choose = (lambda y: y // 3 % 5) if filters == "mixed" else (lambda _: filters)
    for values in maps(random):
        for kind in (GREY, PALETTE):
            data = encode(values >> (8 - depth), depth, kind, choose)
            for codec in ("map", "map8", "nonzero"):
                assert looked_at(levels.read_levels, data, codec) == looked_at(images.read_levels, data, codec)


def test_damaged_soft_maps_have_the_errors_of_pillow() -> None:
    whole = encode(next(maps(np.random.default_rng(0))), filters=lambda y: y % 5)
    shown = []
    for data in (
        whole[:-20],
        whole[:60],
        whole.replace(b"IDAT", b"IDAX"),
        encode(np.zeros((3, 3), np.uint8))[:-4],
        b"",
    ):
        for read in (levels.read_levels, images.read_levels):
            try:
                shown.append(read(data, "map", "a.png").tolist())
            except DataError as error:
                shown.append(str(error))
    assert shown[::2] == shown[1::2]
    assert any("a.png" in each for each in shown)
    with pytest.raises(DataError, match="not so large"):
        levels.read_levels(whole, "map", check=lambda _: refuse())


def test_unknown_filters_are_left_to_pillow() -> None:
    values = np.zeros((4, 4), np.uint8)
    stream = zlib.compress(b"".join(bytes([7]) + row.tobytes() for row in values))
    data = encode(values)
    start = data.index(b"IDAT") - 4
    broken = data[:start] + chunk(b"IDAT", stream) + chunk(b"IEND", b"")
    with pytest.raises(DataError, match="corrupt"):
        levels.read_levels(broken, "map", "a.png")


def refuse() -> None:
    raise DataError("not so large")
