"""Files made to do harm, or damaged beyond use: one line, exit code 3, and neither time nor memory."""

import os
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fuzz import seeds
from fuzz.corpus import large
from fuzz.mutations import png_header
from vosbench.cli import app

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="FIFOs, devices and names of bytes are of POSIX")
SECONDS = 60
BYTES = 400 * 2**20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Masks of the toy dataset; they are those of its frames."""
    for name, data in seeds.masks().items():
        path = tmp_path / "masks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "masks"


def score(masks: Path, root: Path) -> str:
    """The only line of an error of the data."""
    words = ["score", masks, "--plugin", TOY, "--dataset", "toy", "--root", root, "--measures", "J", "--jobs", 1]
    done = CliRunner().invoke(app, [str(word) for word in words])
    return refused(done.exit_code, done.stdout, done.stderr)


def refused(code: int, stdout: str, stderr: str, expected: int = 3) -> str:
    assert (code, stdout) == (expected, ""), stderr
    lines = [line for line in stderr.splitlines() if not line.startswith("note: ")]
    assert len(lines) == 1, stderr
    assert lines[0].startswith("error: ")
    assert lines[0].isprintable()
    return lines[0]


def sized(width: int, height: int) -> bytes:
    """A mask with another size in its header."""

    class Chosen:
        def __init__(self) -> None:
            self.left = [0, width, 1, height]

        def randrange(self, _: int) -> int:
            return self.left.pop(0)

        def choice(self, _: object) -> int:
            return self.left.pop(0)

    random = Chosen()
    data = seeds.masks()["v0/00002.png"]
    for _ in range(2):
        data = png_header(data, random)  # type: ignore[arg-type]
    return data


IMAGES: dict[str, tuple[bytes, str]] = {
    "decompression bomb": (
        sized(20_000, 20_000),
        "claims to have 20000×20000 pixels; more than 67,108,864 are not read",
    ),
    "larger than masks": (sized(8000, 8000), "is 8000×8000; masks of more than 33,554,432 pixels are not read"),
    "another size": (sized(5000, 5000), "is 5000×5000, but its annotation is 32×24"),
    "no size": (sized(0, 0), "is corrupt; write or download it again"),
    "cut header": (seeds.masks()["v0/00002.png"][:20], "is corrupt; write or download it again"),
    "cut pixels": (seeds.masks()["v0/00002.png"][:-30], "is corrupt; write or download it again"),
    "absurd PGM": (b"P5 99999999 99999999 255\n", "claims to have 99999999×99999999 pixels"),
    "endless PGM": (b"P5 " + b"9" * 100_000 + b" 24 255\n", "is corrupt; write or download it again"),
    "empty": (b"", "is empty; write or download it again"),
    "text": (b"<svg/>", "is not an image that is read here (PNG, JPEG, BMP, TIFF, PPM or PGM)"),
}


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("pack", [False, True])
def test_images(name: str, folder: Path, toy_root: Path, *, pack: bool) -> None:
    data, said = IMAGES[name]
    (folder / "v0" / "00002.png").write_bytes(data)
    masks = folder
    if pack:
        masks = folder.with_suffix(".zip")
        masks.write_bytes(seeds.zipped(seeds.masks() | {"v0/00002.png": data}))
    error = score(masks, toy_root)
    assert f'"{masks}:v0/00002.png" {said}' in error


def changed(data: bytes, at: int, new: bytes, sign: bytes = b"PK\1\2") -> bytes:
    """A zip file with another field in the list, of its third entry."""
    start = -1
    for _ in range(3):
        start = data.index(sign, start + 1)
    return data[: start + at] + new + data[start + at + len(new) :]


def with_entry(method: int, damage: Callable[[bytes], bytes]) -> bytes:
    """A zip file whose third entry, v0/00002.png, has a damaged stream of the same length."""
    data = seeds.zipped(seeds.masks(), method)
    start = data.index(b"PK\3\4", data.index(b"v0/00001.png"))
    begin = start + 30 + len("v0/00002.png")
    end = data.index(b"PK\3\4", begin)
    return data[:begin] + damage(data[begin:end]) + data[end:]


def huge() -> bytes:
    """A zip file with an entry that says to be of 5.9 GB."""
    data = seeds.zipped(seeds.masks(), zipfile.ZIP_DEFLATED)
    return changed(data, 24, struct.pack("<I", 2**32 - 2))


WHOLE = seeds.zipped(seeds.masks())
ZIPS: dict[str, tuple[bytes, str]] = {
    "declared": (huge(), ':v0/00002.png" unpacks to 4,294,967,294 bytes; more than 67,108,864 are not read'),
    "encrypted": (changed(WHOLE, 8, b"\1\0"), ':v0/00002.png" is encrypted; pack it again without a password'),
    "method 99": (changed(WHOLE, 10, b"\x63\0"), ':v0/00002.png" cannot be read from the zip: NotImplementedError'),
    "deflate": (with_entry(8, lambda data: b"\xff" * len(data)), ':v0/00002.png" cannot be read from the zip: error:'),
    "lzma": (
        with_entry(14, lambda data: data[:9] + b"\xff" * len(data[9:])),
        ':v0/00002.png" cannot be read from the zip: LZMAError',
    ),
    "checksum": (changed(WHOLE, 16, bytes(4)), ':v0/00002.png" cannot be read from the zip: BadZipFile: Bad CRC'),
    "above": (seeds.zipped({"../v0/00002.png": b""}), 'contains the entry "../v0/00002.png", which escapes from it'),
    "absolute": (seeds.zipped({"/v0/00002.png": b""}), 'contains the entry "/v0/00002.png", which escapes from it'),
    "nameless": (WHOLE.replace(b"v0/00002.png", bytes(12)), "contains an entry without a usable name"),
    "undecodable": (
        changed(WHOLE.replace(b"v0/00002.png", b"v0/0000\xff.png"), 8, b"\0\x08"),
        "is neither a folder nor a valid zip file: UnicodeDecodeError",
    ),
    "cut": (WHOLE[:-9], "is neither a folder nor a valid zip file: BadZipFile"),
}


@pytest.mark.parametrize("name", ZIPS)
def test_zips(name: str, tmp_path: Path, toy_root: Path) -> None:
    data, said = ZIPS[name]
    masks = tmp_path / "masks.zip"
    masks.write_bytes(data)
    assert said in score(masks, toy_root)


@POSIX
def test_bytes_in_names(folder: Path, toy_root: Path) -> None:
    os.rename(folder / "v0" / "00002.png", os.fsencode(folder) + b"/v0/0000\xff.png")  # noqa: PTH104 - bytes
    assert r'"v0/0000\udcff.png"' in score(folder, toy_root)


def linked_to_zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


@POSIX
@pytest.mark.parametrize(("make", "kind"), [(os.mkfifo, "FIFO"), (linked_to_zero, "device")])
@pytest.mark.parametrize("at", ["masks/v0/00002.png", "toy/masks/v0/00002.png", "masks"])
def test_what_is_no_file(
    at: str, make: Callable[[Path], None], kind: str, folder: Path, tmp_path: Path, toy_root: Path
) -> None:
    path = tmp_path / at
    if at == "masks":
        folder = path = tmp_path / "masks.zip"
    else:
        path.unlink()
    make(path)
    assert f"is a {kind}, not a file" in limited("score", folder, "--jobs", 1, "--measures", "J", root=toy_root)


@POSIX
@pytest.mark.parametrize(("make", "kind"), [(os.mkfifo, "FIFO"), (linked_to_zero, "device")])
def test_frames_that_are_no_files(make: Callable[[Path], None], kind: str, tmp_path: Path, toy_root: Path) -> None:
    path = toy_root / "frames" / "v0" / "00002.png"
    path.unlink()
    make(path)
    error = limited("run", "--method", "brightness", "--out", tmp_path / "out", root=toy_root, expected=4)
    assert f'"{path}" is a {kind}, not a file' in error


@POSIX
def test_ghostscript_is_not_started(folder: Path, tmp_path: Path, toy_root: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("gs", "gswin32c", "gswin64c"):
        (programs / name).write_text(f"#!/bin/sh\ntouch '{tmp_path}/started'\n")
        (programs / name).chmod(0o755)
    (folder / "v0" / "00002.png").write_bytes(seeds.images()["other/EPS"])
    error = limited("score", folder, "--jobs", 1, root=toy_root, PATH=str(programs))
    assert "is not an image that is read here" in error
    assert not (tmp_path / "started").exists()


@POSIX
@pytest.mark.parametrize("at", [0, 1])
def test_large_images_take_no_memory(at: int, folder: Path, tmp_path: Path, toy_root: Path) -> None:
    name, data = list(large().items())[at]
    (folder / "v0" / "00002.png").write_bytes(data)
    side = name.removeprefix("png/")
    assert f"is {side}×{side}" in limited("score", folder, "--jobs", 1, root=toy_root, PEAK=str(tmp_path / "peak"))
    assert int((tmp_path / "peak").read_text()) < BYTES


MEASURED = """
import os
from pathlib import Path
from fuzz.memory import peak
from vosbench.cli import main
try:
    main()
finally:
    Path(os.environ["PEAK"]).write_text(str(peak()))
"""


def limited(*words: str | Path | int, root: Path, expected: int = 3, **environment: str) -> str:
    """The only line of an error of the data, of a process that takes little time."""
    start = ["-c", MEASURED] if "PEAK" in environment else ["-m", "vosbench"]
    command = [sys.executable, *start, *words, "--plugin", TOY, "--dataset", "toy", "--root", root]
    paths = [str(TOY.parents[1]), str(TOY.parents[2]), os.environ.get("PYTHONPATH", "")]
    known = {**os.environ, **environment, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, timeout=SECONDS, env=known
    )
    return refused(done.returncode, done.stdout, done.stderr, expected)
