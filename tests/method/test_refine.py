"""The guided filter."""

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2")

from vosbench.method import FloatMap  # noqa: E402 - needs OpenCV
from vosbench.method.refine import CELLS, RADIUS, SMOOTH, Frame, fitted, guided, refined  # noqa: E402

H, W = 60, 90


def edge(height: int = H, width: int = W) -> tuple[FloatMap, Frame]:
    """A blurred map, and a frame whose colour, not brightness, changes where the map is 0.5."""
    frame = np.zeros((height, width, 3), np.uint8)
    frame[:, : width // 2] = 200, 0, 0
    frame[:, width // 2 :] = 0, 102, 0
    sharp = (np.arange(width) >= width // 2).astype(np.float32)
    blurred = cv2.GaussianBlur(np.tile(sharp, (height, 1)), (0, 0), 4 * width / W)
    return np.asarray(blurred, np.float32), frame


def test_one_channel_is_linear_regression_in_windows() -> None:
    random = np.random.default_rng(0)
    values, guide = random.random((2, H, W), np.float32)
    radius, smooth = 3, 0.01
    slopes, offsets = np.zeros((H, W)), np.zeros((H, W))
    for y in range(radius, H - radius):
        for x in range(radius, W - radius):
            window = np.s_[y - radius : y + radius + 1, x - radius : x + radius + 1]
            p, i = values[window].astype(np.float64), guide[window].astype(np.float64)
            slopes[y, x] = ((i * p).mean() - i.mean() * p.mean()) / (i.var() + smooth)
            offsets[y, x] = p.mean() - slopes[y, x] * i.mean()
    y, x = 20, 40
    window = np.s_[y - radius : y + radius + 1, x - radius : x + radius + 1]
    expected = slopes[window].mean() * guide[y, x] + offsets[window].mean()
    assert guided(values, guide, radius, smooth)[y, x] == pytest.approx(expected, abs=1e-5)


def test_an_edge_of_brightness_becomes_one_of_the_map() -> None:
    frame = np.zeros((H, W), np.float32)
    frame[:, W // 2 :] = 200 / 255
    blurred = np.asarray(cv2.GaussianBlur((frame > 0).astype(np.float32), (0, 0), 4), np.float32)
    filtered = guided(blurred, frame, 8, 1e-3)
    jump = W // 2
    assert filtered[30, jump] - filtered[30, jump - 1] > 5 * (blurred[30, jump] - blurred[30, jump - 1])
    assert guided(np.full((H, W), 0.3, np.float32), frame, 8, 1e-3) == pytest.approx(0.3, abs=1e-5)


def test_three_channels_are_ridge_regression() -> None:
    random = np.random.default_rng(1)
    values, *guide = random.random((4, 7, 7), np.float32)
    x = np.stack([plane.ravel() for plane in guide], axis=1).astype(np.float64)
    centred = x - x.mean(axis=0)
    y = values.ravel().astype(np.float64)
    expected = np.linalg.solve(centred.T @ centred / len(y) + 0.02 * np.eye(3), centred.T @ (y - y.mean()) / len(y))
    tiled = [np.tile(plane, (5, 5)) for plane in (values, *guide)]  # every window of 7×7 holds each pixel once
    slopes, offset = fitted(tiled[0], tiled[1:], 3, 0.02)
    assert [slope[17, 17] for slope in slopes] == pytest.approx(expected, abs=1e-4)
    assert offset[17, 17] == pytest.approx(y.mean() - expected @ x.mean(axis=0), abs=1e-4)


@pytest.mark.parametrize("size", [(240, 427), (480, 854), (1080, 1920)])
def test_an_edge_of_colour_becomes_one_of_the_map(size: tuple[int, int]) -> None:
    blurred, frame = edge(*size)
    drawn = refined(blurred, frame)
    jump = size[1] // 2
    row = size[0] // 2
    assert drawn[row, jump + 1] - drawn[row, jump - 2] > 2 * (blurred[row, jump + 1] - blurred[row, jump - 2])
    assert drawn.dtype == np.float32
    assert drawn.shape == size


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3, 2), (H, W), (700, 900)])
@pytest.mark.parametrize(("level", "expected"), [(0.0, 0.0), (0.25, 0.1), (0.5, 0.5), (1.0, 1.0)])
def test_a_constant_map_stays_and_is_surer(size: tuple[int, int], level: float, expected: float) -> None:
    frame = np.random.default_rng(2).integers(0, 256, (*size, 3), np.uint8)
    drawn = refined(np.full(size, level, np.float32), frame)
    assert drawn == pytest.approx(expected, abs=1e-4)
    assert 0 <= drawn.min() <= drawn.max() <= 1


def test_small_frames_keep_their_size_and_have_smaller_windows() -> None:
    values, frame = edge()
    radius = round(RADIUS * (H * W / CELLS) ** 0.5)
    planes = [np.asarray(plane, np.float32) / np.float32(255) for plane in cv2.split(frame)]
    slopes, offset = fitted(values, planes, radius, SMOOTH)
    expected = np.clip(
        sum((slope * plane for slope, plane in zip(slopes, planes, strict=True)), offset), 1e-6, 1 - 1e-6
    )
    odds = np.log(expected / (1 - expected))
    np.testing.assert_allclose(refined(values, frame), 1 / (1 + np.exp(-2 * odds)), atol=1e-5)
