from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from factories import disk_mask
from vosbench.images import overlay, sheets

FRAME = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
MASK = disk_mask(60, 80, 30, 40, 12)


def test_colours_of_labels_are_those_of_the_challenge() -> None:
    """The first of the PASCAL VOC development kit, as its documentation lists them."""
    listed = [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128), (128, 0, 128), (0, 128, 128)]
    listed += [(128, 128, 128), (64, 0, 0), (192, 0, 0), (64, 128, 0), (192, 128, 0), (64, 0, 128)]
    assert [overlay.label_colour(label) for label in range(13)] == listed
    assert overlay.label_colour(255) == (224, 224, 192)
    assert len({overlay.label_colour(label) for label in range(256)}) == 256


def test_fill_mixes_inside_alone() -> None:
    for opacity in (0.0, 0.3, 1.0):
        shown = overlay.filled(FRAME, [(MASK, (10, 20, 30))], opacity)
        assert (shown[~MASK] == FRAME[~MASK]).all()
        expected = (1 - opacity) * FRAME[MASK] + opacity * np.array((10, 20, 30))
        assert np.abs(shown[MASK] - expected).max() <= 0.5


def test_outline_is_a_ring_around_the_object() -> None:
    shown = overlay.outlined(FRAME, [(MASK, (1, 2, 3))], 2)
    changed = (shown != FRAME).any(axis=2)
    assert not (changed & MASK).any()
    assert changed[disk_mask(60, 80, 30, 40, 13) & ~MASK].all()
    assert not changed[~disk_mask(60, 80, 30, 40, 15)].any()
    assert (overlay.outlined(FRAME, [(MASK, (1, 2, 3))], 0) == FRAME).all()


def test_errors_are_a_partition() -> None:
    prediction = disk_mask(60, 80, 30, 46, 12)
    right, too_much, missed = (mask for mask, _ in overlay.errors_of(prediction, MASK))
    assert (right.astype(int) + too_much + missed == (prediction | MASK)).all()
    assert (right | too_much == prediction).all()
    assert (right | missed == MASK).all()


def test_a_grid_keeps_pictures_of_several_sizes() -> None:
    pictures = [
        np.full((height, width, 3), level, np.uint8) for height, width, level in ((4, 6, 1), (2, 9, 2), (5, 3, 3))
    ]
    sheet = sheets.grid(pictures, 2)
    assert sheet.shape == (4 + sheets.GAP + 5, 6 + sheets.GAP + 9, 3)
    for picture, (y, x) in zip(pictures, ((0, 0), (0, 6 + sheets.GAP), (4 + sheets.GAP, 0)), strict=True):
        assert (sheet[y : y + picture.shape[0], x : x + picture.shape[1]] == picture).all()
    assert (sheet == sheets.PAPER).all(axis=2).sum() == sheet[..., 0].size - 24 - 18 - 15


def test_text_stays_in_its_corner() -> None:
    for corner, rows in (("top", slice(0, 20)), ("bottom", slice(-20, None))):
        changed = (sheets.inscribed(FRAME, "J 0.5", corner) != FRAME).any(axis=2)  # type: ignore[arg-type]
        assert changed.sum() == changed[rows, :60].sum() > 50
    assert sheets.inscribed(FRAME, "") is FRAME


def test_gif_is_read_again(tmp_path: Path) -> None:
    pictures = [np.full((20, 30, 3), level, np.uint8) for level in (0, 120, 240)]
    sheets.write(tmp_path / "a.gif", pictures, 3, Fraction(5))
    with Image.open(tmp_path / "a.gif") as image:
        assert (image.n_frames, image.size, image.info["duration"]) == (3, (30, 20), 200)  # type: ignore[attr-defined]
        for index, picture in enumerate(pictures):
            image.seek(index)
            assert (np.array(image.convert("RGB")) == picture).all()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_video_file_is_decoded_again(tmp_path: Path, suffix: str) -> None:
    av = pytest.importorskip("av", reason="needs the extra video")
    pictures = [np.full((25, 31, 3), level, np.uint8) for level in (20, 120, 220, 60)]
    sheets.write(tmp_path / f"a{suffix}", iter(pictures), 4, Fraction(8))
    with av.open(str(tmp_path / f"a{suffix}")) as container:
        frames = list(container.decode(video=0))
        assert container.streams.video[0].average_rate == 8
    assert len(frames) == 4
    for frame, picture in zip(frames, pictures, strict=True):
        assert (frame.height, frame.width) == (26, 32)  # even, as the format needs
        assert np.abs(frame.to_ndarray(format="rgb24").astype(int) - picture[0, 0]).mean() < 6
