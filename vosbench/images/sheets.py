"""Pictures with text, next to each other; and files of them: PNG, GIF and video files.

Conventions:
    Pictures are (H, W, 3) uint8, RGB. Text is drawn with the font that Pillow brings along.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from vosbench.files import being_written
from vosbench.images.films import Film
from vosbench.images.films import write as write_film

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

Frame = NDArray[np.uint8]
Corner = Literal["top", "bottom"]
GAP = 4
"""Pixels between pictures."""
PAPER = 255
ROWS_PER_LETTER = 20
"""Rows of a picture for each row of its text."""
SHORTEST = 20
"""Milliseconds of a picture in a GIF file; viewers slow down what is shorter."""


def resized(picture: Frame, size: tuple[int, int]) -> Frame:
    """A picture at another (H, W)."""
    if picture.shape[:2] == size:
        return picture
    import cv2

    smaller = size[0] < picture.shape[0]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size[::-1], interpolation=how), np.uint8)


def to_height(picture: Frame, height: int) -> Frame:
    """A picture of a height, in proportion."""
    return resized(picture, (height, max(1, round(picture.shape[1] * height / picture.shape[0]))))


def inscribed(picture: Frame, text: str, corner: Corner = "top") -> Frame:
    """A picture with a line of text on a dark strip in its upper or lower left corner."""
    from PIL import Image, ImageDraw

    if not text:
        return picture
    font = _font(max(9, picture.shape[0] // ROWS_PER_LETTER))
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image, "RGBA")
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    pad = max(2, round((bottom - top) / 4))
    height = round(bottom - top) + 2 * pad
    y = 0 if corner == "top" else picture.shape[0] - height
    draw.rectangle((0, y, round(right - left) + 2 * pad, y + height), fill=(0, 0, 0, 150))
    draw.text((pad - left, y + pad - top), text, font=font, fill=(255, 255, 255, 255))
    return np.array(image)


@lru_cache(maxsize=16)
def _font(size: int) -> "FreeTypeFont | ImageFont":
    from PIL import ImageFont

    return ImageFont.load_default(size)


def framed(picture: Frame, colour: tuple[int, int, int], width: int = 3) -> Frame:
    """A picture with a border drawn on it."""
    pixels = picture.copy()
    for edge in (pixels[:width], pixels[-width:], pixels[:, :width], pixels[:, -width:]):
        edge[...] = colour
    return pixels


def grid(pictures: Sequence[Frame], columns: int) -> Frame:
    """Pictures in rows, each column as wide as its widest picture and each row as high as its highest.

    Args:
        pictures: at least one; row by row.
        columns: pictures of a row, at least 1.
    """
    rows = [pictures[at : at + columns] for at in range(0, len(pictures), columns)]
    widths = [max(row[at].shape[1] for row in rows if at < len(row)) for at in range(len(rows[0]))]
    heights = [max(picture.shape[0] for picture in row) for row in rows]
    shape = (sum(heights) + GAP * (len(rows) - 1), sum(widths) + GAP * (len(widths) - 1), 3)
    sheet = np.full(shape, PAPER, np.uint8)
    y = 0
    for row, height in zip(rows, heights, strict=True):
        x = 0
        for picture, width in zip(row, widths, strict=False):
            sheet[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
            x += width + GAP
        y += height + GAP
    return sheet


def write(path: Path, pictures: Iterable[Frame], count: int, rate: Fraction) -> None:
    """Write pictures to a file, atomically.

    Args:
        path: a ``.gif`` file, or a video file (`vosbench.images.films.WRITABLE`).
        pictures: of one size; they are taken one by one.
        count: how many there are, at least one.
        rate: pictures per second.

    Raises:
        DataError: if the file cannot be written.
        UsageError: if the suffix is another, or PyAV is not installed.
    """
    taken = iter(pictures)
    first = next(taken)
    if path.suffix.lower() == ".gif":
        _write_gif(path, chain([first], taken), rate)
        return
    film = Film(path, (first.shape[0], first.shape[1]), array("q", range(count)), 1, 1 / rate, rate)
    write_film(path, film, chain([first], taken))


def _write_gif(path: Path, pictures: Iterator[Frame], rate: Fraction) -> None:
    from PIL import Image

    first, *others = (Image.fromarray(picture).quantize(256) for picture in pictures)  # a byte per pixel
    with being_written(path) as part:
        first.save(
            part,
            format="GIF",
            save_all=True,
            append_images=others,
            duration=max(SHORTEST, round(1000 / rate)),
            loop=0,
            disposal=1,
        )
