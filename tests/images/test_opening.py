import io
import os
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from vosbench.errors import DataError
from vosbench.images.opening import MOST_PIXELS, opened

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


def encoded(kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, kind)
    return file.getvalue()


def png_of(width: int, height: int) -> bytes:
    """The start of a grey PNG, and nothing of its pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">II4s", zlib.crc32(header), 99, b"IDAT")


def problem(source: Path | bytes) -> str:
    """The error of an image that cannot be read: one line with its name."""
    with pytest.raises(DataError) as caught, opened(source, "some/a.png") as image:
        image.load()
    said = str(caught.value)
    assert "\n" not in said
    assert said.startswith('"some/a.png" ')
    assert caught.value.exit_code == 3
    return said


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_formats_that_are_read(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "file.of_any_name"
    path.write_bytes(encoded(kind))
    for source in (path, path.read_bytes()):
        with opened(source, "a") as image:
            assert image.size == (9, 6)
            assert (np.array(image) == PIXELS).all()


def test_other_formats_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", never)
    for kind in ("EPS", "GIF", "WEBP"):
        assert "not an image that is read here (PNG, JPEG" in problem(encoded(kind))
    assert "not an image that is read here" in problem(b"no image")
    assert "is empty" in problem(b"")


@pytest.mark.skipif(sys.platform == "win32", reason="FIFOs and devices are of POSIX")
def test_only_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.png")
    (tmp_path / "link.png").symlink_to("fifo.png")
    (tmp_path / "lost.png").symlink_to("nothing.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    assert "is a FIFO, not a file" in problem(tmp_path / "fifo.png")
    assert "is a FIFO, not a file" in problem(tmp_path / "link.png")
    assert "is a folder, not a file" in problem(tmp_path)
    assert "is a device, not a file" in problem(Path(os.devnull))
    assert "does not exist" in problem(tmp_path / "lost.png")
    assert "cannot be read" in problem(tmp_path / "loop.png")


def test_huge_files_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(2**40)  # holds no blocks
    assert "1,099,511,627,776 bytes" in problem(path)


HEADERS: dict[str, bytes] = {
    "square": png_of(60_000, 60_000),
    "just": png_of(MOST_PIXELS + 1, 1),
    "pgm": b"P5 99999999 99999999 255\n" + bytes(99),
    "bmp": encoded("BMP")[:18] + struct.pack("<ii", 2**30, 2**30) + encoded("BMP")[26:],
}


@pytest.mark.parametrize("name", HEADERS)
def test_absurd_sizes_are_refused_unread(name: str) -> None:
    assert "more than 67,108,864 are not read" in problem(HEADERS[name])


def test_large_images_are_opened_without_a_warning() -> None:
    with opened(png_of(MOST_PIXELS, 1), "a.png") as image:
        assert image.size == (MOST_PIXELS, 1)


BROKEN: dict[str, Callable[[], bytes]] = {
    "cut header": lambda: encoded("PNG")[:20],
    "signature alone": lambda: encoded("PNG")[:8],
    "short header": lambda: encoded("PNG")[:8] + struct.pack(">I", 4) + b"IHDR" + bytes(8),
    "cut pixels": lambda: encoded("PNG")[:-40],
    "no numbers": lambda: b"P5 wide high 255\n",
    "endless number": lambda: b"P5 " + b"9" * 5000 + b" 3 255\n",
    "negative": lambda: b"P5 -3 -4 255\n" + bytes(12),
    "cut pgm": lambda: b"P5 30 40 255\n" + bytes(12),
    "cut bmp": lambda: encoded("BMP")[:30],
    "cut tiff": lambda: encoded("TIFF")[:12],
    "cut jpeg": lambda: encoded("JPEG")[:100],
    "signature of a jpeg": lambda: b"\xff\xd8",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_one_line(name: str) -> None:
    assert problem(BROKEN[name]()) == '"some/a.png" is corrupt; write or download it again'


def test_errors_of_our_own_pass() -> None:
    with pytest.raises(DataError, match="its own"), opened(encoded("PNG"), "a.png"):
        raise DataError("its own")
