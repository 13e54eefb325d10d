import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vosbench.errors import DataError
from vosbench.images import files as images
from vosbench.images import read_frame, size

OBJECT = np.array([[0, 1, 1], [0, 0, 1]], np.uint8) * np.uint8(255)


def save(path: Path) -> Path:
    Image.fromarray(OBJECT).save(path)
    return path


def test_alpha(tmp_path: Path) -> None:
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[0, 0, :3] = 255
    path = tmp_path / "mask.png"
    Image.fromarray(pixels).save(path)
    assert images.read_mask(path, "binary255").sum() == 1
    pixels[1, 1, 3] = 9
    Image.fromarray(pixels).save(path)
    with pytest.raises(DataError, match="opaque"):
        images.read_mask(path, "binary255")


def test_corrupt_and_missing_files(tmp_path: Path) -> None:
    path = save(tmp_path / "mask.png")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match="corrupt"):
        images.read_mask(path, "binary255")
    with pytest.raises(DataError, match="is not an image"):
        images.read_mask(b"no image", "binary255", "a.png")
    with pytest.raises(DataError, match="does not exist"):
        images.read_mask(tmp_path / "none.png", "binary255")


@pytest.mark.parametrize("bits", [8, 16])
def test_maps_are_rounded_and_written_whole(tmp_path: Path, bits: int) -> None:
    values = np.linspace(0, 1, 1000, dtype=np.float32).reshape(20, 50)
    path = tmp_path / "deep" / "map.png"
    images.write_map(path, values, bits)
    pixels, mode = images.read_pixels(path, "map")
    assert mode == ("L" if bits == 8 else "I;16")
    assert np.abs(pixels / (2**bits - 1) - values).max() <= 0.5 / (2**bits - 1) + 1e-7
    assert (images.read_mask(path, "map") == (np.rint(values.astype(float) * (2**bits - 1)) * 2 > 2**bits - 1)).all()
    assert [entry.name for entry in path.parent.iterdir()] == ["map.png"]
    assert images.is_complete(path)


def test_colour_survives_a_round_trip(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    images.write_png(tmp_path / "a.png", pixels)
    assert (read_frame(tmp_path / "a.png") == pixels).all()
    assert size(tmp_path / "a.png") == (5, 7)


def test_half_a_file_is_not_complete(tmp_path: Path) -> None:
    path = save(tmp_path / "mask.png")
    path.write_bytes(path.read_bytes()[:-1])
    assert not images.is_complete(path)
    assert not images.is_complete(tmp_path / "none.png")
    path.write_bytes(b"")
    assert not images.is_complete(path)


def test_bytes_and_files_read_the_same() -> None:
    buffer = io.BytesIO()
    Image.fromarray(OBJECT).save(buffer, "PNG")
    assert (images.read_mask(buffer.getvalue(), "map") == (OBJECT > 0)).all()
