"""Read and write masks and maps."""

import io
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from vosbench.errors import DataError
from vosbench.files import write_whole
from vosbench.images import png
from vosbench.images.codecs import Pixels, Regions, codec, luma
from vosbench.metrics.arrays import Mask
from vosbench.metrics.packed import Packed, pack

END_OF_PNG = b"IEND\xaeB`\x82"


def read_pixels(source: Path | bytes, name: str) -> tuple[Pixels, str]:
    """Read an image as stored: palette indices stay indices.

    Args:
        source: a file, or its bytes.
        name: its name in errors.

    Returns:
        (H, W) or (H, W, 3) pixels, uint8 or uint16, and the mode: ``"1"`` (as 0/255), ``"L"``, ``"I;16"``,
        ``"RGB"`` or ``"P"``.

    Raises:
        DataError: if it is missing, corrupt or has another mode.
    """
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            mode = image.mode
            pixels: Pixels = np.array(image.convert("L") if mode == "1" else image)
    except FileNotFoundError:
        raise DataError(f'"{name}" does not exist') from None
    except (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise DataError(f'"{name}" is corrupt or not an image; write or download it again') from error
    if mode in {"RGBA", "LA"} and (pixels[..., -1] == 255).all():
        mode, pixels = ("RGB", pixels[..., :3]) if mode == "RGBA" else ("L", pixels[..., 0])
    if mode not in {"1", "L", "I;16", "RGB", "P"}:
        raise DataError(f'"{name}" is stored as "{mode}"; masks are opaque bilevel, grey, RGB or palette images')
    return pixels, mode


def read_mask(source: Path | bytes, codec_name: str, name: str | None = None) -> Mask:
    """Read a mask with a declared codec.

    Args:
        source: a file, or its bytes.
        codec_name: one of `vosbench.images.codecs.CODECS`.
        name: its name in errors; the path by default.

    Returns:
        (H, W) bool, True on the object.

    Raises:
        DataError: if the file is missing, corrupt or not in that encoding.
    """
    name = name or str(source)
    pixels, mode = read_pixels(source, name)
    try:
        return codec(codec_name).decode(pixels, mode)
    except DataError as error:
        raise DataError(f'"{name}" {error}') from None


def read_regions(source: Path | bytes, codec_name: str, name: str | None = None) -> Regions:
    """Read the regions of a mask with a declared codec: objects keep their numbers.

    Args:
        source: a file, or its bytes.
        codec_name: one of `vosbench.images.codecs.CODECS`.
        name: its name in errors; the path by default.

    Returns:
        (H, W) int32: 0 is background, else the grey value, the palette index, the colour as R·65536 + G·256 + B,
        or 1 if the codec has no labels.

    Raises:
        DataError: if the file is missing, corrupt or not in that encoding.
    """
    name = name or str(source)
    pixels, mode = read_pixels(source, name)
    try:
        return codec(codec_name).regions(pixels, mode)
    except DataError as error:
        raise DataError(f'"{name}" {error}') from None


def read_labels(source: Path | bytes, name: str | None = None) -> NDArray[np.uint8]:
    """Read a label map: palette indices or grey levels as numbers.

    Args:
        source: a file, or its bytes.
        name: its name in errors; the path by default.

    Returns:
        (H, W) uint8.

    Raises:
        DataError: if the file is missing, corrupt, or neither a palette nor an 8-bit grey image.
    """
    name = name or str(source)
    pixels, mode = read_pixels(source, name)
    if mode not in {"P", "L"}:
        raise DataError(f'"{name}" is stored as "{mode}"; a label map is a palette or 8-bit grey image of numbers')
    return pixels.astype(np.uint8, copy=False)


def read_levels(source: Path | bytes, codec_name: str, name: str | None = None) -> NDArray[np.uint8]:
    """Read a soft map as levels 0…255, or a mask as levels 0 and 255.

    Args:
        source: a file, or its bytes.
        codec_name: ``"map"`` for a soft map, or one of `vosbench.images.codecs.CODECS`.
        name: its name in errors; the path by default.

    Returns:
        (H, W) uint8; 16-bit maps are rounded to 8 bits.

    Raises:
        DataError: if the file is missing, corrupt or not in that encoding.
    """
    name = name or str(source)
    if codec_name != "map":
        return read_mask(source, codec_name, name) * np.uint8(255)
    pixels, mode = read_pixels(source, name)
    if mode not in codec("map").modes:
        raise DataError(f'"{name}" is stored as "{mode}"; a soft map is a grey image')
    grey = luma(pixels)
    return (grey if grey.dtype == np.uint8 else np.rint(grey / 257)).astype(np.uint8, copy=False)


def read_packed(source: Path | bytes, codec_name: str, name: str | None = None) -> Packed:
    """Read a mask like `read_mask`, but packed, which is several times as fast for common PNG files.

    Args:
        source: a file, or its bytes.
        codec_name: one of `vosbench.images.codecs.CODECS`.
        name: its name in errors; the path by default.

    Raises:
        DataError: if the file is missing, corrupt or not in that encoding.
    """
    declared = codec(codec_name)
    try:
        packed = png.read_packed(source if isinstance(source, bytes) else source.read_bytes(), declared)
    except OSError:
        packed = None
    return pack(read_mask(source, codec_name, name)) if packed is None else packed


def write_png(path: Path, pixels: Pixels) -> None:
    """Write a PNG file atomically.

    Args:
        path: the target; missing folders are created.
        pixels: (H, W) grey or (H, W, 3) RGB, uint8 or uint16.
    """
    import cv2

    stored = pixels[..., ::-1] if pixels.ndim == 3 else pixels
    _, data = cv2.imencode(".png", np.ascontiguousarray(stored), [cv2.IMWRITE_PNG_COMPRESSION, 3])
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
    write_png(path, levels.astype(np.uint8 if bits == 8 else np.uint16))


def is_complete(path: Path) -> bool:
    """Whether a PNG file exists and is complete."""
    try:
        with path.open("rb") as file:
            file.seek(-len(END_OF_PNG), os.SEEK_END)
            return file.read() == END_OF_PNG
    except OSError:
        return False
