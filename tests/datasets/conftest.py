"""Small trees in the layouts of other people's copies."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vosbench.dataset import Dataset, Listed

Put = Callable[..., None]
Reduced = Callable[[str, Mapping[str, Listed]], Dataset]
IMAGES = {"jpg": "JPEG", "png": "PNG", "bmp": "BMP", "ppm": "PPM", "pgm": "PPM"}


@cache
def picture(kind: str, suffix: str) -> bytes:
    """A frame, or an object of 4×3 pixels in some encoding, as a file."""
    mask = np.zeros((6, 8), np.uint8)
    mask[2:5, 2:6] = 1
    if kind == "frame":
        image = Image.fromarray(np.full((6, 8, 3), 90, np.uint8))
    elif kind == "palette":
        image = Image.fromarray(mask * np.uint8(2))
        image.putpalette([0, 0, 0] + [9] * 765)
    elif kind == "inverted255":
        image = Image.fromarray(np.uint8(255) - mask * np.uint8(255))
    elif kind == "colour":
        image = Image.fromarray(np.where(mask[..., None], [0, 255, 255], 255).astype(np.uint8))
    elif kind == "rgb255":
        image = Image.fromarray(np.repeat(mask[..., None], 3, axis=2) * np.uint8(255))
    else:
        image = Image.fromarray(mask * np.uint8({"binary255": 255, "binary01": 1, "labels": 40}[kind]))
    file = BytesIO()
    image.save(file, IMAGES[suffix], **({"quality": 95} if suffix == "jpg" else {}))
    return file.getvalue()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of a dataset."""
    return tmp_path / "root"


@pytest.fixture
def put(root: Path) -> Put:
    """Write files below it: paths with ``{n}`` for each of some numbers; empty if no images."""

    def write(path: str, kind: str = "frame", numbers: Iterable[int] = (0,)) -> None:
        for number in numbers:
            file = root / path.format(n=number)
            file.parent.mkdir(parents=True, exist_ok=True)
            suffix = file.suffix[1:].lower()
            file.write_bytes(picture(kind, suffix) if suffix in IMAGES else b"")

    return write


@pytest.fixture
def reduced(monkeypatch: pytest.MonkeyPatch) -> Reduced:
    """A dataset with a shorter list."""

    def reduce(name: str, listing: Mapping[str, Listed]) -> Dataset:
        module = import_module(f"vosbench.datasets.{name.replace('-', '_')}")
        monkeypatch.setattr(module, "listing", lambda _split: listing)
        return replace(module.dataset, listing=lambda _split: listing)

    return reduce
