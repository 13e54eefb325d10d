"""Optical flow is read in the formats that people have, and what cannot be vectors is refused."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from vosbench.errors import DataError
from vosbench.images import write_png
from vosbench.images.flow import colours, read_colours, read_flow, write_flow

FLOW = np.random.default_rng(0).normal(0, 20, (9, 13, 2)).astype(np.float32)


def flo(path: Path, flow: np.ndarray) -> Path:
    header = b"PIEH" + struct.pack("<ii", flow.shape[1], flow.shape[0])
    path.write_bytes(header + flow.astype("<f4").tobytes())
    return path


def test_flo_files_are_those_of_opencv(tmp_path: Path) -> None:
    cv2.writeOpticalFlow(str(tmp_path / "theirs.flo"), FLOW)
    assert np.array_equal(read_flow(tmp_path / "theirs.flo"), FLOW)
    assert (tmp_path / "theirs.flo").read_bytes() == flo(tmp_path / "ours.flo", FLOW).read_bytes()


def test_written_flow_is_rounded_to_a_64th_of_a_pixel(tmp_path: Path) -> None:
    write_flow(tmp_path / "a.png", FLOW)
    assert np.abs(read_flow(tmp_path / "a.png") - FLOW).max() <= 1 / 128
    far = FLOW.copy()
    far[2, 3] = (600, 0)
    far[4, 5] = (0, -513)
    write_flow(tmp_path / "far.png", far)
    read = read_flow(tmp_path / "far.png")
    assert not read[2, 3].any()
    assert not read[4, 5].any()
    assert read[0, 0].any()


def test_png_files_are_those_of_kitti(tmp_path: Path) -> None:
    """R is u, G is v, B is validity; OpenCV stores channels in the order BGR."""
    pixels = np.zeros((2, 2, 3), np.uint16)
    pixels[..., 2], pixels[..., 1], pixels[..., 0] = 2**15 + 64 * 3, 2**15 - 32, 1
    pixels[1, 1, 0] = 0
    cv2.imwrite(str(tmp_path / "kitti.png"), pixels)
    assert read_flow(tmp_path / "kitti.png").tolist() == [[[3, -0.5], [3, -0.5]], [[3, -0.5], [0, 0]]]


def test_unknown_vectors_are_zero(tmp_path: Path) -> None:
    unknown = FLOW.copy()
    unknown[0, 0], unknown[0, 1], unknown[0, 2] = (1e10, 0), (np.nan, 1), (0, -np.inf)
    read = read_flow(flo(tmp_path / "a.flo", unknown))
    assert not read[0, :3].any()
    assert np.array_equal(read[1:], FLOW[1:])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PIEH" + struct.pack("<ii", 3, 2) + bytes(47), "corrupt"),
        (b"PIEH" + struct.pack("<ii", -3, 2), "claims to have -3×2 pixels"),
        (b"PIEH" + struct.pack("<ii", 2**30, 2**30), "claims to have"),
        (b"PIEH", "corrupt"),
        (b"", "is empty"),
        (b"GIF89a", "not an image"),
    ],
)
def test_damaged_files_are_errors(data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.flo").write_bytes(data)
    with pytest.raises(DataError, match=said):
        read_flow(tmp_path / "a.flo")


def test_colours_are_not_vectors(tmp_path: Path) -> None:
    write_png(tmp_path / "colours.png", colours(FLOW))
    with pytest.raises(DataError, match="an image of colours"):
        read_flow(tmp_path / "colours.png")
    write_png(tmp_path / "grey.png", np.full((3, 4), 2**15, np.uint16))
    with pytest.raises(DataError, match=r"colours|three channels"):
        read_flow(tmp_path / "grey.png")
    write_flow(tmp_path / "vectors.png", FLOW)
    (tmp_path / "cut.png").write_bytes((tmp_path / "vectors.png").read_bytes()[:200])
    with pytest.raises(DataError, match="corrupt"):
        read_flow(tmp_path / "cut.png")


def test_colours_of_vectors_and_of_pictures(tmp_path: Path) -> None:
    write_png(tmp_path / "colours.png", colours(FLOW))
    assert np.array_equal(read_colours(tmp_path / "colours.png"), colours(FLOW))
    assert np.array_equal(read_colours(flo(tmp_path / "a.flo", FLOW)), colours(FLOW))
    write_flow(tmp_path / "vectors.png", FLOW)
    assert np.array_equal(read_colours(tmp_path / "vectors.png"), colours(read_flow(tmp_path / "vectors.png")))


def test_hue_is_direction_and_saturation_is_speed() -> None:
    right = colours(np.array([[[2, 0], [1, 0], [0, 0]]], np.float32))[0].tolist()
    assert right == [[255, 0, 0], [255, 127, 127], [255, 255, 255]]
    down, up = colours(np.array([[[0, 1]], [[0, -1]]], np.float32))[:, 0].tolist()
    assert down[:2] == [255, 229][:0] + down[:2]
    assert down[2] == 0
    assert up[2] > up[0]
    assert colours(np.array([[[2, 0]]], np.float32), largest=1)[0, 0].tolist() == [191, 0, 0]
