"""The centre of the object: peaks, motion, Gauss maps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vosbench.methods.f2net.centre import (
    Guide,
    Track,
    expect,
    find_peaks,
    gauss_at,
    radius,
    select,
    splat,
    splat_mask,
    to_cells,
    to_pixels,
)

HEAT, IMAGE = (119, 119), (473, 473)


def heat_with(*peaks: tuple[int, int, float]) -> np.ndarray:
    heat = np.zeros(HEAT, dtype=np.float32)
    for x, y, score in peaks:
        heat[y, x] = score
    return heat


def test_peaks_are_local_maxima_and_the_highest_come_first() -> None:
    heat = heat_with((10, 20, 0.4), (11, 20, 0.3), (50, 60, 0.9), (0, 0, 0.2), (118, 118, 0.1))
    cells, scores = find_peaks(heat, 3)
    assert cells.tolist() == [[50, 60], [10, 20], [0, 0]]
    assert scores == pytest.approx([0.9, 0.4, 0.2])
    assert len(find_peaks(heat, 10)[0]) == 4


def test_no_peak_in_an_empty_map() -> None:
    assert len(find_peaks(np.zeros(HEAT, dtype=np.float32), 5)[0]) == 0


def test_cells_lie_on_the_pixels_they_cover() -> None:
    assert to_pixels(np.array([59.0, 59.0]), HEAT, IMAGE) == pytest.approx([236, 236])
    assert to_pixels(np.array([0.0, 1.0]), HEAT, IMAGE) == pytest.approx([473 / 238 - 0.5, 3 * 473 / 238 - 0.5])
    point = np.array([12.5, 400.25])
    assert to_pixels(to_cells(point, HEAT, IMAGE), HEAT, IMAGE) == pytest.approx(point)


@given(
    start=st.tuples(st.integers(0, 400), st.integers(0, 400)),
    velocity=st.tuples(st.integers(-20, 20), st.integers(-20, 20)),
    frames=st.integers(2, 30),
    history=st.integers(1, 12),
)
def test_a_constant_velocity_is_predicted_exactly(
    start: tuple[int, int], velocity: tuple[int, int], frames: int, history: int
) -> None:
    centres = np.array([np.add(start, np.multiply(velocity, t)) for t in range(frames)], dtype=np.float64)
    assert expect(centres, history) == pytest.approx(np.add(start, np.multiply(velocity, frames)), abs=1e-9)
    assert (expect(centres[-(history + 1) :], history) == expect(centres, history)).all()


def test_the_mean_of_the_last_velocities() -> None:
    centres = np.random.default_rng(0).normal(200, 50, (20, 2))
    for history in (1, 5, 10):
        mean = np.diff(centres, axis=0)[-history:].mean(axis=0)
        assert expect(centres, history) == pytest.approx(centres[-1] + mean)
    assert (expect(centres[:1], 10) == centres[0]).all()


def test_the_first_centre_is_the_highest_peak_and_later_ones_the_nearest() -> None:
    heat = heat_with((20, 20, 0.5), (90, 90, 0.9))
    near, far = to_pixels(np.array([[20.0, 20.0], [90.0, 90.0]]), HEAT, IMAGE)
    none = np.zeros((0, 2))
    assert (select(heat, none, IMAGE, Guide()) == far).all()
    assert (select(heat, near[None], IMAGE, Guide()) == near).all()
    assert (select(heat, near[None], IMAGE, Guide(select="max")) == far).all()
    assert (select(heat, near[None], IMAGE, Guide(peaks=1)) == far).all()


def test_distances_differ_on_the_diagonal() -> None:
    heat = heat_with((40, 40, 0.9), (30, 46, 0.8))
    straight, diagonal = to_pixels(np.array([[30.0, 46.0], [40.0, 40.0]]), HEAT, IMAGE)
    at = to_pixels(np.array([[30.0, 30.0]]), HEAT, IMAGE)
    assert (select(heat, at, IMAGE, Guide(distance="l1")) == straight).all()
    assert (select(heat, at, IMAGE, Guide(distance="l2")) == diagonal).all()


def test_without_peaks_the_expected_point_is_kept_inside() -> None:
    nothing = np.zeros(HEAT, dtype=np.float32)
    leaving = np.array([[400.0, 10.0], [440.0, 4.0], [470.0, 1.0]])
    assert select(nothing, leaving, IMAGE, Guide()) == pytest.approx([472, 0])
    assert select(nothing, np.zeros((0, 2)), IMAGE, Guide()) == pytest.approx([236, 236])


def test_target_of_a_mask() -> None:
    mask = np.zeros(HEAT, dtype=bool)
    mask[40:76, 10:46] = True
    target = splat_mask(mask, HEAT)
    assert target is not None
    gauss, reach = target
    assert reach == radius(36, 36) == 9
    assert np.unravel_index(gauss.argmax(), HEAT) == (58, 28)
    assert gauss.max() == 1
    assert (gauss > 0).sum() == 19 * 19
    assert gauss[58, 28 + 9] == pytest.approx(np.exp(-(9**2) / (2 * (19 / 6) ** 2)))


def test_an_empty_mask_has_no_target() -> None:
    assert splat_mask(np.zeros((480, 854), dtype=bool), HEAT) is None
    assert splat(HEAT, (0, 0), 0).sum() == 1


def test_a_full_mask_has_one() -> None:
    target = splat_mask(np.ones((480, 854), dtype=bool), HEAT)
    assert target is not None
    assert target[0][59, 59] == 1


def test_a_target_is_cut_at_the_border() -> None:
    assert splat((5, 5), (0, 4), 2).shape == (5, 5)
    assert splat((5, 5), (-9, -9), 2).sum() == 0


def test_the_track_remembers_one_point_more_than_velocities() -> None:
    guide = Guide(history=3)
    track = Track.begin(HEAT)
    assert not track.gauss.any()
    for t in range(9):
        track = track.after(np.array([float(t), 0.0]), np.zeros((9, 9), dtype=bool), IMAGE, guide)
    assert track.centres[:, 0].tolist() == [5, 6, 7, 8]


def test_an_empty_mask_falls_back_to_the_centre() -> None:
    full, empty = np.ones((10, 10), dtype=bool), np.zeros((10, 10), dtype=bool)
    centre = to_pixels(np.array([30.0, 80.0]), HEAT, IMAGE)
    begin = Track.begin(HEAT)
    assert not begin.after(centre, empty, IMAGE, Guide()).gauss.any()
    seen = begin.after(centre, full, IMAGE, Guide())
    fallen = seen.after(centre, empty, IMAGE, Guide())
    assert fallen.reach == seen.reach == radius(119, 119)
    assert np.unravel_index(fallen.gauss.argmax(), HEAT) == (80, 30)


def test_the_previous_map_can_be_of_the_centre_or_zero() -> None:
    full = np.ones((10, 10), dtype=bool)
    centre = to_pixels(np.array([30.0, 80.0]), HEAT, IMAGE)
    begin = Track.begin(HEAT)
    around = begin.after(centre, full, IMAGE, Guide(previous="centre")).gauss
    assert np.allclose(around, gauss_at(HEAT, np.array([30.0, 80.0]), 15 * 119 / 473))
    assert not begin.after(centre, full, IMAGE, Guide(previous="zero")).gauss.any()
