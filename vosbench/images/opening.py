"""Open image files that people bring, which may be damaged, of another kind, or made to do harm."""

import io
import logging
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vosbench.errors import DataError, VosbenchError

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

MOST_PIXELS = 2**26
"""A larger image is refused before anything of it is decoded."""
MOST_BYTES = 2**30
"""A larger file is refused before it is read."""
SCAN, MOST_SCANS = b"\xff\xda", 100
"""Each scan of a progressive JPEG goes over all pixels; usual files have 10."""
IMAGE_LENGTH = 257
"""The tag of the rows of a TIFF file."""

# Otherwise what Pillow thinks of damaged metadata is printed next to our errors.
logging.getLogger("PIL").addHandler(logging.NullHandler())
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

# These are called directly, since `PIL.Image.open` only warns about large images, and tries other formats too: an EPS
# file of any name starts Ghostscript. They are imported when one is needed, which most masks do not.
READERS = {
    b"\x89PNG\r\n\x1a\n": "Png",
    b"\xff\xd8": "Jpeg",
    b"BM": "Bmp",
    **{b"P%d" % kind: "Ppm" for kind in range(1, 7)},
    b"II*\0": "Tiff",
    b"MM\0*": "Tiff",
}
FORMATS = "PNG, JPEG, BMP, TIFF, PPM or PGM"
KINDS = {stat.S_IFDIR: "folder", stat.S_IFIFO: "FIFO", stat.S_IFSOCK: "socket"}


def check_file(path: Path, name: str, most: int = MOST_BYTES) -> None:
    """Check that a path is a file, or a link to one, that can be opened without waiting.

    Args:
        path: the file.
        name: its name in errors.
        most: the largest number of bytes.

    Raises:
        DataError: if it does not exist, or is a folder, a FIFO, a device, or larger than that.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        raise DataError(f'"{name}" does not exist') from None
    except (OSError, ValueError) as error:
        raise DataError(f'"{name}" cannot be read: {getattr(error, "strerror", None) or error}') from None
    if not stat.S_ISREG(found.st_mode):
        raise DataError(f'"{name}" is a {KINDS.get(stat.S_IFMT(found.st_mode), "device")}, not a file')
    if found.st_size > most:
        raise DataError(f'"{name}" has {found.st_size:,} bytes; more than {most:,} are not read')


def read_bytes(path: Path, name: str) -> bytes:
    """Read a file; see `check_file`.

    Raises:
        DataError: if it is not a file, or cannot be read.
    """
    check_file(path, name)
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f'"{name}" cannot be read: {error.strerror}') from None


@contextmanager
def opened(source: Path | bytes, name: str) -> Iterator["ImageFile"]:
    """Open an image: its header is read, its pixels are not.

    Whatever fails inside the block, such as Pillow while it decodes, becomes a `DataError` that names the file.

    Args:
        source: a file, or its bytes.
        name: its name in errors.

    Yields:
        the image, of at most `MOST_PIXELS`.

    Raises:
        DataError: if it is not a file, or not an image of a format that is read; if it is corrupt or too large.
    """
    data = read_bytes(source, name) if isinstance(source, Path) else source
    kind = next((reader for start, reader in READERS.items() if data.startswith(start)), None)
    if kind is None:
        what = "is empty" if not data else f"is not an image that is read here ({FORMATS})"
        raise DataError(f'"{name}" {what}; write or download it again')
    reader = getattr(import_module(f"PIL.{kind}ImagePlugin"), f"{kind}ImageFile")
    try:
        with reader(io.BytesIO(data)) as image:
            _check_size(image.width, image.height, name)
            _check_parts(image, data, name)
            yield image
    except VosbenchError:
        raise
    except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError, struct.error, zlib.error, …
        raise corrupt(name) from error


def corrupt(name: str, why: str = "") -> DataError:
    """The error of a file that is damaged or cut off."""
    return DataError(f'"{name}" is corrupt{f" ({why})" if why else ""}; write or download it again')


def _check_size(width: int, height: int, name: str) -> None:
    if width * height > MOST_PIXELS:
        raise DataError(f'"{name}" claims to have {width}×{height} pixels; more than {MOST_PIXELS:,} are not read')


def _check_parts(image: Any, data: bytes, name: str) -> None:  # noqa: ANN401 - of five classes
    """Refuse TIFF files without pixels for all rows, which would be black, and JPEG files of endless refinement."""
    if image.format == "TIFF":
        rows = max((extents[3] for _, extents, *_ in image.tile if extents), default=0)
        broken = rows < image.tag_v2[IMAGE_LENGTH]  # later versions of Pillow turn the height
    else:
        broken = image.format == "JPEG" and data.count(SCAN) > MOST_SCANS
    if broken:
        raise corrupt(name)
