from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vosbench.errors import DataError, UsageError
from vosbench.images import files as images
from vosbench.images.codecs import codec, luma


def save(path: Path, pixels: np.ndarray, mode: str, **options: object) -> Path:
    image = Image.fromarray(pixels.astype(np.uint16 if mode == "I;16" else np.uint8))
    if mode == "P":
        image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0] + [7] * (253 * 3))
    elif mode == "1":
        image = Image.fromarray(pixels.astype(np.uint8)).convert("1", dither=Image.Dither.NONE)
    image.save(path, **options)
    return path


OBJECT = np.array([[0, 1, 1], [0, 0, 1]], bool)


@pytest.mark.parametrize(
    ("name", "pixels", "mode", "suffix"),
    [
        ("binary255", OBJECT * 255, "L", "png"),
        ("binary255", OBJECT * 255, "1", "png"),
        ("binary255", np.repeat(OBJECT[..., None] * 255, 3, axis=2), "RGB", "png"),
        ("binary01", OBJECT * 1, "L", "png"),
        ("palette", OBJECT * np.array([[1, 2, 1], [1, 1, 2]]), "P", "png"),
        ("nonzero", OBJECT * np.array([[9, 10, 255], [1, 1, 20]]), "L", "pgm"),
        ("map", np.where(OBJECT, 128, 127), "L", "png"),
        ("map", np.where(OBJECT, 32768, 32767), "I;16", "png"),
        ("luma127", np.where(OBJECT, 140, 100), "L", "bmp"),
        ("ppm_nonwhite", np.where(OBJECT[..., None], [0, 255, 255], [255, 255, 255]), "RGB", "ppm"),
    ],
)
def test_every_codec(tmp_path: Path, name: str, pixels: np.ndarray, mode: str, suffix: str) -> None:
    path = save(tmp_path / f"mask.{suffix}", pixels, mode)
    assert (images.read_mask(path, name) == OBJECT).all()
    assert (images.read_mask(path.read_bytes(), name, "bytes") == OBJECT).all()


def test_jpeg_noise_is_read_by_luma127(tmp_path: Path) -> None:
    mask = np.zeros((32, 32), bool)
    mask[7:23, 5:22] = True
    path = save(tmp_path / "mask.jpg", mask * 255, "L", quality=60)
    assert len(np.unique(images.read_pixels(path, "mask")[0])) > 2
    assert (images.read_mask(path, "luma127") == mask).all()


@pytest.mark.parametrize(
    ("name", "pixels", "mode", "said"),
    [
        ("binary255", OBJECT * 1, "L", "contains the values 1"),
        ("binary01", OBJECT * 255, "L", "contains the values 255"),
        ("palette", OBJECT * 255, "P", "contains the values 255"),
        ("binary255", OBJECT * 1, "P", 'is stored as "P"'),
        ("ppm_nonwhite", OBJECT * 255, "L", 'is stored as "L"'),
    ],
)
def test_wrong_encodings_are_errors(tmp_path: Path, name: str, pixels: np.ndarray, mode: str, said: str) -> None:
    path = save(tmp_path / "mask.png", pixels, mode)
    with pytest.raises(DataError, match=said) as caught:
        images.read_mask(path, name)
    assert "mask.png" in str(caught.value)


def test_unknown_codec() -> None:
    with pytest.raises(UsageError, match='no codec "mpa"'):
        codec("mpa")


def test_luma_of_primaries() -> None:
    primaries = np.eye(3, dtype=np.uint8)[None] * 255
    assert luma(primaries).tolist() == [[76, 150, 29]]
