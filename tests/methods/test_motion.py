"""The baseline without weights: each step on cases worked by hand, and the whole on videos."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from vosbench.dataset import Video
from vosbench.errors import DataError
from vosbench.images import write_png
from vosbench.method import Setup
from vosbench.method.motion.appearance import BINS, bins, border, centred, evidence
from vosbench.method.motion.background import agreement, plane, repeats, residual, texture
from vosbench.method.motion.saliency import AHEAD, CHUNK, KEPT, Moving, along, logistic, moving, odds, otsu, propagated
from vosbench.method.testing import check_predictor, sample_video
from vosbench.methods.motion import method

H, W = 60, 80
RANDOM = np.random.default_rng(0)
ONES = np.ones((H, W), np.float32)


def quadratic(coefficients: list[list[float]]) -> np.ndarray:
    """A flow that the background model describes exactly."""
    return (plane(H, W).terms @ np.array(coefficients, np.float32)).reshape(H, W, 2)


def test_a_quadratic_motion_is_background_and_what_differs_is_not() -> None:
    flow = quadratic([[3, -1], [0.5, 0.2], [-0.4, 0.3], [0.2, 0], [0, 0.1], [0.1, -0.2]])
    flow[20:40, 30:50] += (2, 1)
    speed = residual(flow, ONES, ONES)
    assert np.abs(speed[20:40, 30:50] - np.hypot(2, 1)).max() < 0.05
    speed[20:40, 30:50] = 0
    assert speed.max() < 0.05


def test_an_object_at_the_lower_border_is_not_taken_for_the_background() -> None:
    flow = quadratic([[1, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0]])
    flow[H // 3 :, 20:60] += (0, 4)
    speed = residual(flow, ONES, ONES)
    assert speed[H // 2, W // 2] > 3
    assert speed[5, 5] < 0.5


def test_speed_counts_as_far_as_flow_is_trusted() -> None:
    flow = quadratic([[0, 0]] * 6)
    flow[20:40, 30:50] = (4, 0)
    assert residual(flow, ONES / 2, ONES / 4)[30, 40] == pytest.approx(0.5, abs=0.02)


def test_flat_areas_are_not_trusted() -> None:
    grey = np.full((H, W), 90, np.uint8)
    grey[:, W // 2 :] = RANDOM.integers(0, 255, (H, W // 2))
    trust = texture(grey)
    assert trust[:, : W // 2 - 8].max() == 0
    assert trust[:, W // 2 + 8 :].min() > 0.9


def test_flow_that_does_not_lead_back_is_not_trusted() -> None:
    there = np.zeros((H, W, 2), np.float32)
    there[..., 0] = 3
    assert agreement(there, -there)[5:-5, 5:-5].min() > 0.99
    assert agreement(there, there).max() < 0.01


def test_repeated_frames() -> None:
    grey = RANDOM.integers(0, 255, (H, W), dtype=np.uint8)
    assert repeats(grey, grey)
    assert not repeats(grey, np.roll(grey, 1, axis=1))


def test_otsu_is_that_of_opencv() -> None:
    for seed in range(5):
        random = np.random.default_rng(seed)
        values = np.concatenate([random.normal(0.2, 0.05, 500), random.normal(0.7, 0.1, 300 + 100 * seed)])
        values = values.clip(0, 1).astype(np.float32)
        levels = np.minimum(values * 256, 255).astype(np.uint8)
        threshold, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)
        assert otsu(values) == (threshold + 1) / 256


def test_moving_pixels_have_positive_odds() -> None:
    speed = RANDOM.random((H, W)).astype(np.float32) * np.float32(0.2)
    speed[20:40, 30:50] = 3
    found = moving(speed)
    assert found[20:40, 30:50].min() > 1
    assert found[:15].max() < 0
    assert (moving(np.zeros((H, W), np.float32)) < 0).all()


def test_odds_and_probabilities() -> None:
    assert odds(np.array([0.5], np.float32)) == 0
    assert odds(np.array([0, 1], np.float32)).tolist() == pytest.approx([-np.log(51), np.log(51)], abs=1e-5)
    assert logistic(np.array([0], np.float32)) == 0.5


def test_values_are_found_along_the_flow() -> None:
    values = RANDOM.random((H, W)).astype(np.float32)
    flow = np.zeros((H, W, 2), np.float32)
    flow[..., 0] = 2
    assert np.array_equal(along(values, flow)[:, :-2], values[:, 2:])


@pytest.mark.parametrize("count", [1, 2, CHUNK + AHEAD - 1, CHUNK + AHEAD, 2 * CHUNK + AHEAD + 3])
def test_propagation_is_the_mean_of_both_directions(count: int) -> None:
    still = np.zeros((2, 2, 2), np.float32)
    values = RANDOM.normal(size=count).astype(np.float32)
    frames = [
        Moving(np.full((2, 2), value, np.float32), still if t < count - 1 else None, still if t else None)
        for t, value in enumerate(values)
    ]
    forward, backward = values.copy(), values.copy()
    for t in range(1, count):
        forward[t] = (1 - KEPT) * values[t] + KEPT * forward[t - 1]
        backward[-1 - t] = (1 - KEPT) * values[-1 - t] + KEPT * backward[-t]
    found = [float(each[0, 0]) for each in propagated(frames)]
    assert found == pytest.approx(((forward + backward) / 2).tolist(), abs=0.1)  # a chunk forgets 0.8¹⁶ of the rest
    assert found[-AHEAD:] == pytest.approx(((forward + backward) / 2)[-AHEAD:].tolist(), abs=1e-5)


def test_colours_that_are_only_of_the_object_speak_for_it() -> None:
    objects, others = np.zeros(BINS**3), np.zeros(BINS**3)
    objects[1000] = others[3000] = 50
    found = evidence(objects, others)
    assert found[1000] == 3
    assert found[3000] == -3
    assert found[50] == 0
    assert np.array_equal(evidence(objects, objects), np.zeros(BINS**3, np.float32))


def test_bins_are_of_lab() -> None:
    frame = RANDOM.integers(0, 255, (4, 5, 3), dtype=np.uint8)
    lab = cv2.cvtColor(frame, cv2.COLOR_RGB2LAB).astype(int) // 16
    assert np.array_equal(bins(frame), lab @ [256, 16, 1])


def test_priors_of_position() -> None:
    assert border(50, 100).sum() == 50 * 100 - 42 * 92
    middle = centred(51, 101)
    assert middle[25, 50] == pytest.approx(0.6)
    assert middle[0, 0] < 0


def test_it_keeps_the_contract(tmp_path: Path) -> None:
    check_predictor(method.load(Setup()), sample_video(tmp_path), needs=method.needs)


def moving_square(folder: Path, still: tuple[int, ...] = ()) -> Video:
    """A textured square that moves over a textured background, and rests in some frames."""
    random = np.random.default_rng(3)
    ground = cv2.GaussianBlur(random.integers(0, 120, (120, 200, 3), dtype=np.uint8), (0, 0), 1)
    square = cv2.GaussianBlur(random.integers(130, 255, (40, 40, 3), dtype=np.uint8), (0, 0), 1)
    frames, annotations, left = [], {}, 40
    for t in range(12):
        left += 0 if t in still else 4
        picture, mask = np.roll(ground, -t, axis=1), np.zeros((120, 200), np.uint8)
        picture[40:80, left : left + 40], mask[40:80, left : left + 40] = square, 255
        frames.append(folder / "frames" / f"{t:05d}.png")
        annotations[t] = folder / "masks" / f"{t:05d}.png"
        write_png(frames[-1], picture)
        write_png(annotations[t], mask)
    return Video(name="square", frames=tuple(frames), annotations=annotations)


def test_it_finds_what_moves_even_if_it_rests(tmp_path: Path) -> None:
    video = moving_square(tmp_path, still=(5, 6))
    for t, found in enumerate(method.load(Setup()).predict(video)):
        truth = cv2.imread(str(video.annotations[t]), cv2.IMREAD_GRAYSCALE) > 0
        mask = found > 0.5
        assert (mask & truth).sum() / (mask | truth).sum() > 0.7, t


def test_videos_in_which_nothing_moves_and_of_one_frame(tmp_path: Path) -> None:
    write_png(tmp_path / "0.png", RANDOM.integers(0, 255, (30, 50, 3), dtype=np.uint8))
    write_png(tmp_path / "black.png", np.zeros((30, 50, 3), np.uint8))
    for frames in (("0.png",), ("0.png",) * 4, ("black.png",) * 3):
        maps = list(method.load(Setup()).predict(Video(name="v", frames=tuple(tmp_path / name for name in frames))))
        assert len(maps) == len(frames)
        assert all(np.isfinite(found).all() for found in maps)


def test_frames_of_two_sizes_are_refused(tmp_path: Path) -> None:
    write_png(tmp_path / "0.png", np.zeros((30, 50, 3), np.uint8))
    write_png(tmp_path / "1.png", np.zeros((30, 52, 3), np.uint8))
    video = Video(name="v", frames=(tmp_path / "0.png", tmp_path / "1.png"))
    with pytest.raises(DataError, match="another size than the frame before"):
        list(method.load(Setup()).predict(video))
