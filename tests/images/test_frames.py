import io
import os
import random
import struct
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from vosbench.errors import DataError
from vosbench.images import read_frame, size

RNG = np.random.default_rng(0)
SMOOTH = cv2.resize(RNG.integers(0, 256, (8, 11, 3), dtype=np.uint8), (67, 45), interpolation=cv2.INTER_CUBIC)
PIXELS = np.clip(SMOOTH.astype(int) + RNG.integers(-9, 10, SMOOTH.shape), 0, 255).astype(np.uint8)
MODES = {
    "PNG": ("RGB", "L", "P", "RGBA", "1"),
    "JPEG": ("RGB", "L", "CMYK"),
    "BMP": ("RGB", "L", "P", "1"),
    "TIFF": ("RGB", "L", "P", "RGBA"),
    "PPM": ("RGB", "L", "1"),
}


def encoded(kind: str, mode: str = "RGB", **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(file, kind, **options)
    return file.getvalue()


def write(folder: Path, data: bytes) -> Path:
    path = folder / "00003.jpg"
    path.write_bytes(data)
    return path


def refused(path: Path) -> str:
    """The error of a file, which names it in one line."""
    said = problem(path)
    assert said.startswith(f'"{path}" ')
    assert "\n" not in said
    return said


def problem(path: Path) -> str:
    try:
        read_frame(path)
    except DataError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("kind", "mode"), [(kind, mode) for kind, modes in MODES.items() for mode in modes])
def test_pixels_are_those_of_opencv(kind: str, mode: str, tmp_path: Path) -> None:
    path = write(tmp_path, encoded(kind, mode))
    assert (read_frame(path) == cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1]).all()


@pytest.mark.parametrize("sampling", [0, 1, 2, "4:1:1"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("quality", [5, 75, 100])
def test_every_jpeg_is_decoded_as_opencv_does(
    sampling: int | str, quality: int, tmp_path: Path, *, progressive: bool
) -> None:
    for mode in ("RGB", "L", "CMYK"):
        data = encoded("JPEG", mode, subsampling=sampling, progressive=progressive, quality=quality)
        path = write(tmp_path, data)
        assert (read_frame(path) == cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1]).all()


def test_rare_sampling(tmp_path: Path) -> None:
    _, data = cv2.imencode(".jpg", PIXELS, [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440])
    path = write(tmp_path, data.tobytes())
    assert (read_frame(path) == cv2.imread(str(path))[..., ::-1]).all()
    strange = encoded("JPEG", "CMYK", subsampling=1)  # libjpeg-turbo's simple interface has no name for it
    assert "corrupt" in refused(write(tmp_path, strange[: len(strange) // 2]))


def damages(data: bytes, chance: random.Random) -> dict[str, bytes]:
    """Files that no longer hold the whole picture, damaged where a JPEG's pixels are."""
    start = data.find(b"\xff\xda") + 14
    where = chance.randrange(start, len(data) - 300)
    return {
        "cut": data[: chance.randrange(2, len(data) - 1)],
        "end missing": data[:-2],
        "zeros": data[:where] + bytes(200) + data[where + 200 :],
        "removed": data[:where] + data[where + 200 :],
    }


@pytest.mark.parametrize("progressive", [False, True])
def test_damaged_jpegs_are_refused(tmp_path: Path, *, progressive: bool) -> None:
    data = encoded("JPEG", progressive=progressive, quality=90)
    found = dict.fromkeys(("cut", "end missing", "zeros", "removed"), 0)
    for seed in range(30):
        for kind, damaged in damages(data, random.Random(seed)).items():
            found[kind] += problem(write(tmp_path, damaged)).startswith(f'"{tmp_path / "00003.jpg"}" is ')
    assert (found["cut"], found["end missing"]) == (30, 30)
    assert min(found.values()) >= 15  # of what leaves a valid file, nobody can tell


def test_real_frames_raise_no_false_alarm(real_data: Path, tmp_path: Path) -> None:
    paths = [path for path in sorted(real_data.rglob("*.jpg")) if "labels" not in path.parts][::40]
    assert len(paths) > 50
    for path in paths:
        assert (read_frame(path) == cv2.imread(str(path))[..., ::-1]).all()
        data = path.read_bytes()
        assert "corrupt (" in refused(write(tmp_path, data[: len(data) // 2]))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_damage_of_other_formats_is_refused(kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = encoded(kind)
    for length in {*range(0, len(data) - 1, 97), len(data) - 13}:
        refused(write(tmp_path, data[:length]))
    if kind == "PNG":
        for where in range(8, len(data), 31):
            refused(write(tmp_path, data[:where] + bytes([data[where] ^ 64]) + data[where + 1 :]))
    assert capfd.readouterr() == ("", "")  # nor do libraries print anything


def test_a_png_with_right_checksums_but_no_pixels(tmp_path: Path) -> None:
    data = encoded("PNG")
    start, body = data.index(b"IDAT"), b"IDAT" + b"\x78\x9c" + bytes(50)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    assert "is corrupt;" in refused(write(tmp_path, data[: start - 4] + chunk + data[-12:]))


def test_what_is_not_a_frame(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "none.png")
    assert "is a folder, not a file" in refused(tmp_path)
    assert "not an image that is read here" in refused(write(tmp_path, b"%!PS-Adobe-3.0 EPSF-3.0\n"))
    assert "more than 67,108,864 are not read" in refused(write(tmp_path, b"P5 99999999 99999999 255\n"))
    assert "is empty" in refused(write(tmp_path, b""))
    with pytest.raises(DataError, match="does not exist"):
        size(tmp_path / "none.png")


@pytest.mark.skipif(sys.platform == "win32", reason="FIFOs are of POSIX")
def test_a_fifo_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "00000.jpg")
    assert "is a FIFO, not a file" in refused(tmp_path / "00000.jpg")
    with pytest.raises(DataError, match="is a FIFO"):
        size(tmp_path / "00000.jpg")


def rotated(kind: str, turn: int) -> bytes:
    if kind == "TIFF":
        return encoded("TIFF", tiffinfo={ExifTags.Base.Orientation: turn})
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turn
    return encoded(kind, exif=exif)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_frames_are_turned_as_viewers_show_them(kind: str, turn: int, tmp_path: Path) -> None:
    path = write(tmp_path, rotated(kind, turn))
    with Image.open(path) as image:
        shown = np.array(ImageOps.exif_transpose(image))
    frame = read_frame(path)
    assert size(path) == frame.shape[:2] == ((45, 67) if turn < 5 else (67, 45))
    assert (frame == shown).all()
    assert frame.flags.c_contiguous


def test_orientation_behind_the_pixels_of_a_png(tmp_path: Path) -> None:
    data = rotated("PNG", 6)
    start = data.index(b"eXIf") - 4
    end = start + 12 + struct.unpack_from(">I", data, start)[0]
    path = write(tmp_path, data[:start] + data[end:-12] + data[start:end] + data[-12:])
    assert size(path) == (67, 45)
    assert (read_frame(path) == np.rot90(PIXELS, -1)).all()


def test_orientation_of_no_meaning(tmp_path: Path) -> None:
    for turn in (0, 9, 60_000):
        path = write(tmp_path, rotated("PNG", turn))
        assert size(path) == (45, 67)
        assert (read_frame(path) == PIXELS).all()


def test_other_metadata_are_ignored(tmp_path: Path) -> None:
    info = PngInfo()
    info.add_text("Software", "a camera")
    assert (read_frame(write(tmp_path, encoded("PNG", pnginfo=info))) == PIXELS).all()
