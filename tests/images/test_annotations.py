"""Annotations of one file, of a file per object, and of boxes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vosbench.errors import DataError
from vosbench.images import Annotation, Box, paths_of, read_annotation, read_mask, read_numbers, read_objects
from vosbench.metrics.packed import unpack


def save(path: Path, rows: list[list[int]]) -> Path:
    Image.fromarray(np.array(rows, np.uint8)).save(path)
    return path


@pytest.fixture
def parts(tmp_path: Path) -> tuple[Path, ...]:
    """Three objects; sums of their bytes wrap: 128 + 128 = 256, 255 + 255 = 510."""
    return (
        save(tmp_path / "1.png", [[128, 255, 0, 0]]),
        save(tmp_path / "2.png", [[128, 255, 200, 0]]),
        save(tmp_path / "3.bmp", [[0, 0, 1, 0]]),
    )


def mask_of(annotation: Annotation, codec: str) -> list[list[bool]]:
    return unpack(read_annotation(annotation, codec)).tolist()


def test_the_union_of_objects_is_formed_on_booleans(parts: tuple[Path, ...]) -> None:
    assert mask_of(parts, "above:127") == [[True, True, True, False]]
    assert mask_of(parts, "above:128") == [[False, True, True, False]]
    assert mask_of((parts[0], parts[2]), "above:0") == [[True, True, True, False]]
    assert mask_of(parts[0], "above:127") == read_mask(parts[0], "above:127").tolist()
    assert paths_of(parts) == parts
    assert paths_of(parts[0]) == parts[:1]


def test_objects_are_numbered(parts: tuple[Path, ...]) -> None:
    assert read_objects(parts, "above:0").tolist() == [[1, 1, 2, 0]]
    assert read_numbers(parts[::-1], "above:0").tolist() == [[2, 2, 1, 0]]
    assert read_numbers(parts[0], "ids").tolist() == [[128, 255, 0, 0]]


def test_objects_of_two_sizes_are_refused(parts: tuple[Path, ...], tmp_path: Path) -> None:
    other = save(tmp_path / "4.png", [[0], [0]])
    for read in (read_annotation, read_objects):
        with pytest.raises(DataError, match=r'4.png" is 1×2, but the first object of this frame is 4×1'):
            read((parts[0], other), "above:0")


def test_a_box_is_drawn_in_its_frame(tmp_path: Path) -> None:
    frame = save(tmp_path / "frame.png", [[0] * 5] * 4)
    box = Box(tmp_path / "boxes.csv", frame, 1.9, -2.0, 3.9, 2.2)
    expected = np.zeros((4, 5), np.bool_)
    expected[0:2, 1:3] = True
    assert mask_of(box, "") == expected.tolist()
    assert read_objects(box, "").tolist() == expected.astype(int).tolist()
    assert paths_of(box) == (tmp_path / "boxes.csv",)
    with pytest.raises(DataError, match=r"none.png"):
        mask_of(Box(frame, tmp_path / "none.png", 0, 0, 1, 1), "")
