"""Read the frames of videos: whole or not at all, and turned as viewers show them.

Conventions:
    An image is what viewers show: one whose metadata say that it lies on its side (the EXIF tag Orientation, 1 to 8, of
    JPEG, PNG and TIFF files) is turned, by `read_frame` and by `size` alike, whatever OpenCV does.
    A frame that is cut off or damaged is an error, never a picture with a grey half. In JPEG files, which have no
    checksums, damage is what libjpeg warns of; some damage leaves a valid file.
    Pixels are those of ``cv2.imread``.
"""

import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from vosbench.engine.stages import stage
from vosbench.images.opening import corrupt, opened, read_bytes

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile
    from PIL.TiffImagePlugin import TiffImageFile

Frame = NDArray[np.uint8]
ORIENTATION, WIDTH, LENGTH = 0x112, 0x100, 0x101
"""Tags of EXIF and TIFF."""
SIDEWAYS = 5
"""EXIF orientations from this one on exchange height and width."""
METADATA = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")
"""Where Pillow finds the orientation of an image other than TIFF."""
FIRST_CHUNK = 8  # bytes before it in a PNG file


@stage("decode")
def read_frame(path: Path) -> Frame:
    """Read a video frame.

    Args:
        path: a PNG, JPEG, BMP, TIFF or PPM file, of any name.

    Returns:
        (H, W, 3) uint8, RGB, turned by its EXIF orientation.

    Raises:
        DataError: if it is missing, not a file, not such an image, cut off, damaged, or larger than
            `vosbench.images.opening.MOST_PIXELS`.
    """
    name = str(path)
    data = read_bytes(path, name)
    with opened(data, name) as image:
        turn = orientation(image, data)
        if image.format == "JPEG":
            return turned(_jpeg(image, data, name), turn)
        if image.format != "PNG":  # whose checksums are already checked
            image.load()
        pixels = _by_opencv(data, name)
        return pixels if image.format == "TIFF" else turned(pixels, turn)  # OpenCV has always turned TIFF files


def size(path: Path) -> tuple[int, int]:
    """Read the (height, width) of an image, which is that of `read_frame`, without decoding it.

    Raises:
        DataError: if it is missing, not a file, or not an image that `read_frame` reads.
    """
    name = str(path)
    data = read_bytes(path, name)
    with opened(data, name) as image:
        width, height = image.size
        if image.format == "TIFF":  # later versions of Pillow turn it
            tags = cast("TiffImageFile", image).tag_v2
            width, height = tags[WIDTH], tags[LENGTH]
        return (width, height) if orientation(image, data) >= SIDEWAYS else (height, width)


def orientation(image: "ImageFile", data: bytes) -> int:
    """The EXIF orientation of an image, 1 to 8: 1 if it is upright, or says nothing.

    Args:
        image: the image, before its pixels are read.
        data: its file.

    Raises:
        ValueError: if it is a damaged PNG file.
    """
    names = _chunks(data) if image.format == "PNG" else []
    # Pillow would decode a PNG to its end to look for metadata there.
    if image.format != "TIFF" and b"eXIf" not in names and not any(key in image.info for key in METADATA):
        return 1
    found = image.getexif().get(ORIENTATION, 1)
    return found if found in range(1, 9) else 1


def turned(pixels: Frame, turn: int) -> Frame:
    """Turn pixels as stored so that they are as shown.

    Args:
        pixels: (H, W) or (H, W, …).
        turn: the EXIF orientation, 1 to 8.

    Returns:
        (H, W, …), or (W, H, …) from 5 on.

    >>> turned(np.array([[1, 2, 3]], np.uint8), 6).tolist()
    [[1], [2], [3]]
    """
    if turn == 1:
        return pixels
    if turn >= SIDEWAYS:
        pixels = pixels.swapaxes(0, 1)
    down, right = (-1 if turn in ends else 1 for ends in ({3, 4, 7, 8}, {2, 3, 6, 7}))
    return np.ascontiguousarray(pixels[::down, ::right])


def _jpeg(image: "ImageFile", data: bytes, name: str) -> Frame:
    """Decode a JPEG file with libjpeg-turbo, like OpenCV, but refuse what it warns of."""
    import simplejpeg

    try:
        return np.asarray(simplejpeg.decode_jpeg(data, "RGB", strict=True))
    except ValueError as error:
        if "subsampling" not in str(error):  # which damages nothing
            raise corrupt(name, str(error)) from None
    image.load()
    return _by_opencv(data, name)


def _by_opencv(data: bytes, name: str) -> Frame:
    import cv2

    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise corrupt(name)
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def _chunks(data: bytes) -> list[bytes]:
    """The names of a PNG file's chunks.

    Raises:
        ValueError: if its end is missing, or a checksum is wrong.
    """
    names: list[bytes] = []
    position = FIRST_CHUNK
    while not names or names[-1] != b"IEND":
        if position + 12 > len(data):
            raise ValueError("the end is missing")
        length, name = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if data[end : end + 4] != struct.pack(">I", zlib.crc32(memoryview(data)[position + 4 : end])):
            raise ValueError("a checksum is wrong")
        names.append(name)
        position = end + 4
    return names
