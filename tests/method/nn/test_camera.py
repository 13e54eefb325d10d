"""Framing, light, degradation and distractors of training examples."""

from pathlib import Path

import numpy as np
import pytest

from vosbench.dataset import Video
from vosbench.images import write_png
from vosbench.method.nn.augment import Shot
from vosbench.method.nn.camera import Light, Window, capped, coverage, degraded
from vosbench.method.nn.distractors import distracted, sample_donor


def shot(height: int = 40, width: int = 60, seed: int = 0) -> Shot:
    """Noise, with a bright rectangle as the object."""
    frame = np.random.default_rng(seed).integers(0, 90, (height, width, 3), dtype=np.uint8)
    mask = np.zeros((height, width), dtype=np.bool_)
    mask[10:20, 15:35] = True
    frame[mask] += 120
    return Shot(frame, mask)


def rngs(count: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in range(count)]


def test_windows_are_the_frame_crops_or_more_than_the_frame() -> None:
    mask = shot().mask
    windows = [Window.sample(mask, 0.2, 0.3, rng) for rng in rngs(400)]
    whole = [window for window in windows if window == Window(0, 40, 0, 60)]
    larger = [window for window in windows if window.top < 0 or window.bottom > 40]
    assert 90 < len(whole) < 150
    assert 55 < len(larger) < 105
    for window in larger:
        assert 1.1 * 40 - 1 <= window.bottom - window.top <= 1.8 * 40 + 1
        assert window.top <= 0
        assert window.bottom >= 40
    crops = [window for window in windows if window not in whole and window not in larger]
    for window in crops:
        assert 0 <= window.top < window.bottom <= 40
        assert 0 <= window.left < window.right <= 60
        assert 0.01 <= window.cut(shot()).mask.mean() <= 0.85
        assert 0.5 * np.exp(-0.15) - 0.02 <= (window.right - window.left) / 60 <= 1


def test_frames_without_foreground_are_not_cropped() -> None:
    empty = np.zeros((40, 60), dtype=np.bool_)
    assert {Window.sample(empty, 0, 0, rng) for rng in rngs(10)} == {Window(0, 40, 0, 60)}


def test_a_larger_window_shows_reflections() -> None:
    source = shot()
    cut = Window(-3, 45, -2, 60).cut(source)
    assert cut.frame.shape == (48, 62, 3)
    assert np.array_equal(cut.frame[3:43, 2:], source.frame)
    assert np.array_equal(cut.mask[3:43, 2:], source.mask)
    assert np.array_equal(cut.frame[0, 2:], source.frame[2])
    assert np.array_equal(cut.frame[47, 2:], source.frame[35])
    assert np.array_equal(cut.frame[3:43, 0], source.frame[:, 1])
    small = Window(5, 15, 20, 40).cut(source)
    assert np.array_equal(small.frame, source.frame[5:15, 20:40])


def test_light_step_by_step() -> None:
    frame = shot().frame
    light = Light((1.2, 0.9, 1.0), 10.0, 0.8, 0.5)
    levels = frame.astype(np.float64) * light.gains + 10
    levels = (levels - levels.mean()) * 0.8 + levels.mean()
    grey = levels @ (0.299, 0.587, 0.114)
    expected = grey[..., None] + 0.5 * (levels - grey[..., None])
    assert np.abs(light.at(frame) - np.clip(expected, 0, 255)).max() < 1  # OpenCV computes in fixed point


def test_light_is_sampled_as_often_as_set() -> None:
    assert {Light.sample(0, 0, rng) for rng in rngs(20)} == {Light()}
    lights = [Light.sample(0.8, 0.05, rng) for rng in rngs(400)]
    assert 290 < sum(light.offset != 0 for light in lights) < 350
    assert 8 < sum(light.saturation == 0 for light in lights) < 35
    assert all(0.7 * 0.9 <= gain <= 1.3 * 1.1 for light in lights for gain in light.gains)
    grey = Light(saturation=0.0).at(shot().frame)
    assert np.array_equal(grey[..., 0], grey[..., 1])
    frame = shot().frame
    assert Light().at(frame) is frame


@pytest.mark.parametrize("place", [0, 1, 2])
def test_each_degradation_changes_a_frame_a_little(place: int) -> None:
    frame = shot(64, 64).frame
    chances = tuple(float(i == place) for i in range(3))
    for rng in rngs(5):
        worse = degraded(frame, chances, rng)
        assert worse.shape == frame.shape
        assert worse.dtype == np.uint8
        assert 0 < np.abs(worse.astype(float) - frame).mean() < 40
        assert abs(float(worse.mean()) - float(frame.mean())) < 3
    assert degraded(frame, (0, 0, 0), np.random.default_rng(0)) is frame


def test_large_pictures_are_reduced() -> None:
    small = capped(shot(), 30)
    assert small.frame.shape == (20, 30, 3)
    assert small.mask.sum() == 5 * 11  # at least half of the four pixels, also at both sides
    assert capped(shot(), 60).frame.shape == (40, 60, 3)


def test_coverage_is_the_share_of_each_cell() -> None:
    mask = np.zeros((8, 8), dtype=np.bool_)
    mask[:2, :3] = True
    assert np.array_equal(coverage(mask, (2, 2)), np.array([[6 / 16, 0], [0, 0]], dtype=np.float32))


# Distractors


def test_a_distractor_is_in_both_frames_and_not_in_the_mask() -> None:
    first, current = shot(seed=1), shot(seed=2)
    donor = Shot(np.full((30, 30, 3), 255, dtype=np.uint8), np.pad(np.ones((10, 10), dtype=np.bool_), 10))
    changed = 0
    for rng in rngs(20):
        before, after = distracted(first, current, donor, rng)
        for old, new in ((first, before), (current, after)):
            pasted = (new.frame == 255).all(axis=2)
            assert not (new.mask & pasted).any()
            assert (new.mask <= old.mask).all()
            assert new.mask.sum() >= 0.9 * old.mask.sum()
        areas = [int((x.frame == 255).all(axis=2).sum()) for x in (before, after)]
        assert areas[0] == areas[1] <= 1.3 * 200
        changed += areas[0] > 0
    assert changed > 12
    assert np.array_equal(first.frame, shot(seed=1).frame)  # the frames themselves are unchanged


def test_a_distractor_moves_with_the_background_or_stands_still() -> None:
    frame = np.random.default_rng(5).integers(0, 90, (70, 90, 3), dtype=np.uint8)
    mask = np.zeros((64, 80), dtype=np.bool_)
    mask[2:6, 2:6] = True
    first, current = Shot(frame[:64, :80].copy(), mask), Shot(frame[4:68, 3:83].copy(), mask)
    donor = Shot(np.full((30, 30, 3), 255, dtype=np.uint8), np.pad(np.ones((10, 10), dtype=np.bool_), 10))
    moves = set()
    for rng in rngs(30):
        places = []
        for each in distracted(first, current, donor, rng):
            rows, columns = np.nonzero((each.frame == 255).all(axis=2))
            places.append((int(rows.min()), int(columns.min())) if len(rows) else None)
        if places[0] and places[1] and min(places[1]) > 0:
            moves.add((places[1][0] - places[0][0], places[1][1] - places[0][1]))
    assert {(0, 0), (-4, -3)} <= moves


def test_without_an_object_nothing_is_pasted() -> None:
    first, current = shot(seed=1), shot(seed=2)
    empty = Shot(shot().frame, np.zeros((40, 60), dtype=np.bool_))
    assert distracted(first, current, empty, np.random.default_rng(0)) == (first, current)
    full = Shot(first.frame, np.ones((40, 60), dtype=np.bool_))
    assert distracted(full, full, shot(), np.random.default_rng(0))[0] is full  # any place would hide too much


def test_donors_are_other_videos(tmp_path: Path) -> None:
    videos = []
    for name in ("a", "b"):
        source = shot(seed=len(videos))
        write_png(tmp_path / f"{name}.png", source.frame)
        write_png(tmp_path / f"{name}-mask.png", source.mask * np.uint8(255))
        videos.append(
            Video(name=name, frames=(tmp_path / f"{name}.png",), annotations={0: tmp_path / f"{name}-mask.png"})
        )
    bare = Video(name="c", frames=videos[0].frames)
    for rng in rngs(5):
        donor = sample_donor([*videos, bare], videos[0], 384, rng)
        assert donor is not None
        assert np.array_equal(donor.frame, shot(seed=1).frame)
    assert sample_donor([videos[0], bare], videos[0], 384, np.random.default_rng(0)) is None
