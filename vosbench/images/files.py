"""Read and write masks and maps."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from vosbench.errors import DataError
from vosbench.files import write_whole
from vosbench.images import png
from vosbench.images.codecs import Codec, Pixels, Regions, codec, luma
from vosbench.images.frames import SIDEWAYS, orientation, turned
from vosbench.images.opening import opened, read_bytes
from vosbench.images.recognition import Look, look_at
from vosbench.metrics.arrays import Mask
from vosbench.metrics.packed import Packed, pack

if TYPE_CHECKING:
    from PIL.Image import Image

END_OF_PNG = b"IEND\xaeB`\x82"
MODES = ("1", "L", "I;16", "RGB", "P")
MOST_PIXELS = 2**25
"""A mask has at most as many pixels as a frame of 8K."""

Kind = TypeVar("Kind", bound=np.generic)
Check = Callable[[tuple[int, int]], object]
Looker = Callable[[Look, str], object]


class Stored(NamedTuple):
    """An image as stored.

    Attributes:
        pixels: (H, W) or (H, W, 3), uint8 or uint16; bilevel images contain 0 and 255.
        mode: one of `MODES`, as Pillow names them.
        palette: R, G and B of each index, if it is a palette image.
        lossy: whether the file is JPEG.
    """

    pixels: Pixels
    mode: str
    palette: bytes
    lossy: bool


def limited(name: str, check: Check | None) -> Check:
    """A check that refuses images of more than `MOST_PIXELS`, too."""

    def limited(shape: tuple[int, int]) -> None:
        if shape[0] * shape[1] > MOST_PIXELS:
            raise DataError(
                f'"{name}" is {shape[1]}×{shape[0]}; masks of more than {MOST_PIXELS:,} pixels are not read'
            )
        if check is not None:
            check(shape)

    return limited


def read_stored(source: Path | bytes, name: str, check: Check | None = None, *, shown: bool = False) -> Stored:
    """Read an image as stored, but turned by its EXIF orientation like frames: palette indices stay indices.

    Args:
        source: a file, or its bytes.
        name: its name in errors.
        check: called with the (height, width) that the header claims, before anything is decoded.
        shown: read palettes by their colours, as ``"RGB"``.

    Raises:
        DataError: if it is missing, corrupt, too large or has another mode.
    """
    data = read_bytes(source, name) if isinstance(source, Path) else source
    with opened(data, name) as image:
        turn = 1 if image.format == "TIFF" else orientation(image, data)
        limited(name, check)((image.height, image.width) if turn < SIDEWAYS else (image.width, image.height))
        if getattr(image, "is_animated", False):
            raise DataError(f'"{name}" contains several images; save one per frame')
        lossy, mode = image.format == "JPEG", image.mode
        palette = _palette(image) if mode == "P" else b""
        if mode == "1" or (mode == "P" and shown):
            pixels: NDArray[Any] = np.array(image.convert("L" if mode == "1" else "RGB"))
        else:
            pixels = np.array(image)
    pixels = turned(pixels, turn)
    if mode in {"RGBA", "LA"} and (pixels[..., -1] == 255).all():
        mode, pixels = ("RGB", pixels[..., :3]) if mode == "RGBA" else ("L", pixels[..., 0])
    elif mode in {"I", "F", "I;16B", "I;16L"}:
        mode, pixels = "I;16", _sixteen_bits(pixels, name)
    if mode not in MODES:
        raise DataError(f'"{name}" is stored as "{mode}"; masks are opaque bilevel, grey, RGB or palette images')
    return Stored(pixels, "RGB" if mode == "P" and shown else mode, palette, lossy)


def _palette(image: "Image") -> bytes:
    return bytes(image.getpalette("RGB") or ())


def _sixteen_bits(pixels: NDArray[Any], name: str) -> NDArray[np.uint16]:
    """Whole numbers of more bits, or a map of floats in [0, 1], as 16 bits."""
    top = np.iinfo(np.uint16).max
    low, high = pixels.min(), pixels.max()
    if np.issubdtype(pixels.dtype, np.floating):
        if not 0 <= low <= high <= 1:  # false for NaN too
            raise DataError(f'"{name}" is an image of floats from {low} to {high}; a soft map is in [0, 1]')
        return np.rint(pixels.astype(np.float64) * top).astype(np.uint16)
    if low < 0 or high > top:
        raise DataError(f'"{name}" has values from {low} to {high}; masks have at most 16 bits per pixel')
    return pixels.astype(np.uint16)


def read_pixels(source: Path | bytes, name: str) -> tuple[Pixels, str]:
    """The pixels of an image as stored, and their mode; see `read_stored`."""
    stored = read_stored(source, name)
    return stored.pixels, stored.mode


def _decode(
    source: Path | bytes,
    codec_name: str,
    name: str | None,
    check: Check | None,
    look: Looker | None,
    convert: Callable[[Codec, Pixels, str], NDArray[Kind]],
) -> NDArray[Kind]:
    """Read an image with a codec.

    If it is being looked at, to recognise its codec, then an image that the codec does not read is not an error: all of
    it becomes background, and whoever looks reads it again with another codec.
    """
    name, declared = name or str(source), codec(codec_name)
    stored = read_stored(source, name, check)
    if look is not None:
        look(look_at(*stored[:3], lossy=stored.lossy), name)
    pixels, mode = _as_read(stored, declared)
    if look is not None and not declared.knows(pixels, mode):
        pixels, mode = np.zeros(pixels.shape[:2], np.uint8), "L"
        declared = codec("map")
    try:
        return convert(declared, pixels, mode)
    except DataError as error:
        raise DataError(f'"{name}" {error}') from None


def _as_read(stored: Stored, declared: Codec) -> tuple[Pixels, str]:
    if stored.mode != "P" or not declared.shown:
        return stored.pixels, stored.mode
    table = np.frombuffer(stored.palette[: len(stored.palette) // 3 * 3], np.uint8).reshape(-1, 3)
    colours = np.zeros((256, 3), np.uint8)
    colours[: len(table)] = table[:256]
    return colours[stored.pixels], "RGB"


def read_mask(
    source: Path | bytes,
    codec_name: str,
    name: str | None = None,
    check: Check | None = None,
    look: Looker | None = None,
) -> Mask:
    """Read a mask with a codec.

    Args:
        source: a file, or its bytes.
        codec_name: one of `vosbench.images.codecs.CODECS`.
        name: its name in errors; the path by default.
        check: called with the (height, width) that the header claims, before anything is decoded.
        look: called with what the file contains, and its name; then any file is read, with another codec if need be.

    Returns:
        (H, W) bool, True on the object.

    Raises:
        DataError: if the file is missing, corrupt or not in that encoding.
    """
    return _decode(source, codec_name, name, check, look, Codec.decode)


def read_regions(
    source: Path | bytes,
    codec_name: str,
    name: str | None = None,
    check: Check | None = None,
    look: Looker | None = None,
) -> Regions:
    """Read the regions of a mask: objects keep their numbers; arguments and errors are those of `read_mask`.

    Returns:
        (H, W) int32: 0 is background, else the grey value, the palette index, the colour as R·65536 + G·256 + B,
        or 1 if the codec has no labels.
    """
    return _decode(source, codec_name, name, check, look, Codec.regions)


def read_labels(source: Path | bytes, name: str | None = None, check: Check | None = None) -> NDArray[np.uint8]:
    """Read a label map: palette indices or grey levels as numbers.

    Args:
        source: a file, or its bytes.
        name: its name in errors; the path by default.
        check: see `read_mask`.

    Returns:
        (H, W) uint8.

    Raises:
        DataError: if the file is missing, corrupt, or neither a palette nor an 8-bit grey image.
    """
    name = name or str(source)
    pixels, mode, *_ = read_stored(source, name, check)
    if mode not in {"P", "L"}:
        raise DataError(f'"{name}" is stored as "{mode}"; a label map is a palette or 8-bit grey image of numbers')
    return pixels.astype(np.uint8, copy=False)


def read_levels(
    source: Path | bytes,
    codec_name: str,
    name: str | None = None,
    check: Check | None = None,
    look: Looker | None = None,
) -> NDArray[np.uint8]:
    """Read a soft map as levels 0…255, or a mask as levels 0 and 255; arguments and errors are those of `read_mask`.

    Returns:
        (H, W) uint8; 16-bit maps are rounded to 8 bits.
    """
    return _decode(source, codec_name, name, check, look, _levels)


def _levels(declared: Codec, pixels: Pixels, mode: str) -> NDArray[np.uint8]:
    mask = declared.decode(pixels, mode)
    if not declared.soft:
        return mask * np.uint8(255)
    grey = luma(pixels)
    if declared.name == "map8":
        return np.minimum(grey, 255).astype(np.uint8, copy=False)
    return (grey if grey.dtype == np.uint8 else np.rint(grey / 257)).astype(np.uint8, copy=False)


def read_packed(
    source: Path | bytes,
    codec_name: str,
    name: str | None = None,
    check: Check | None = None,
    look: Looker | None = None,
) -> Packed:
    """Read a mask like `read_mask`, but packed, which is several times as fast for common PNG files."""
    name, data = name or str(source), source if isinstance(source, bytes) else read_bytes(source, name or str(source))
    read = png.read_packed(data, codec(codec_name), limited(name, check))
    if read is None:
        return pack(read_mask(data, codec_name, name, check, look))
    mask, seen = read
    if look is not None:
        look(seen, name)
    return mask


def write_png(path: Path, pixels: Pixels) -> None:
    """Write a PNG file atomically.

    Args:
        path: the target; missing folders are created.
        pixels: (H, W) grey or (H, W, 3) RGB, uint8 or uint16.
    """
    import cv2

    _write_png(path, pixels, [cv2.IMWRITE_PNG_COMPRESSION, 3])


def _write_png(path: Path, pixels: Pixels, settings: list[int]) -> None:
    import cv2

    stored = pixels[..., ::-1] if pixels.ndim == 3 else pixels
    _, data = cv2.imencode(".png", np.ascontiguousarray(stored), settings)
    write_whole(path, data.tobytes())


def write_map(path: Path, values: NDArray[np.float32], bits: int = 8) -> None:
    """Write a soft map as a grey PNG file, rounded to the nearest level.

    Args:
        path: the target.
        values: (H, W) in [0, 1].
        bits: 8 or 16 per pixel.
    """
    levels = np.multiply(values, 2**bits - 1, dtype=np.float64)
    np.rint(levels, out=levels)  # in place, since doubles take more memory than the rest of a frame
    # OpenCV's own settings, which look for repetitions only: less than half the time, and files 7 % larger.
    _write_png(path, levels.astype(np.uint8 if bits == 8 else np.uint16), [])


def is_complete(path: Path) -> bool:
    """Whether a PNG file exists and is whole, by its checksums: after a loss of power, anything may be in it."""
    try:
        data = path.read_bytes()
    except OSError:
        return False
    return data.endswith(END_OF_PNG) and png.is_sound(data)
