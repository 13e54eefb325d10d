"""Targets and losses of the centre branch, against numbers computed by hand."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vosbench.methods.f2net.attention import gauss
from vosbench.methods.f2net.centre import centre_of, splat_mask, to_cells, to_pixels
from vosbench.methods.f2net.recipe import focal_loss, heat_target, top_centres


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def test_focal_loss_by_hand() -> None:
    logits = torch.tensor([[[[logit(0.8), logit(0.3)], [logit(0.5), logit(0.1)]]]])
    target = torch.tensor([[[[1.0, 0.5], [0.0, 0.0]]]])
    positive = math.log(0.8) * 0.2**2
    negative = math.log(0.7) * 0.3**2 * 0.5**4 + math.log(0.5) * 0.5**2 + math.log(0.9) * 0.1**2
    assert focal_loss(logits, target).item() == pytest.approx(-(positive + negative), rel=1e-5)


def test_focal_loss_divides_each_example_by_its_own_positives() -> None:
    logits = torch.full((2, 1, 1, 2), logit(0.25))
    target = torch.tensor([[1.0, 1.0], [0.0, 0.0]]).reshape(2, 1, 1, 2)
    two = -(2 * math.log(0.25) * 0.75**2) / 2
    none = -(2 * math.log(0.75) * 0.25**2)
    assert focal_loss(logits, target).item() == pytest.approx((two + none) / 2, rel=1e-5)


def test_focal_loss_has_a_gradient_if_the_network_is_confident_and_wrong() -> None:
    logits = torch.tensor([[[[-200.0, 200.0]]]], requires_grad=True)
    target = torch.tensor([[[[1.0, 0.0]]]])
    loss = focal_loss(logits, target)
    assert loss.item() == pytest.approx(400)
    loss.backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad.flatten().tolist() == pytest.approx([-1, 1])


def test_heat_target_peaks_on_the_middle_of_the_box_and_nowhere_for_an_empty_mask() -> None:
    mask = np.zeros((97, 97), dtype=np.bool_)
    mask[40:60, 20:60] = True
    target = heat_target(mask, (25, 25))
    assert np.argwhere(target == 1).tolist() == [[13, 11]]  # nearest rows 11…15, columns 6…15
    splat = splat_mask(mask, (25, 25))
    assert splat is not None
    assert np.array_equal(target, splat[0])
    empty = heat_target(np.zeros((97, 97), dtype=np.bool_), (25, 25))
    assert empty.shape == (25, 25)
    assert not empty.any()


def test_centre_is_the_middle_of_the_box_not_of_the_pixels() -> None:
    mask = np.zeros((50, 80), dtype=np.bool_)
    mask[10:31, 5:8] = True
    mask[10, 5:46] = True
    assert centre_of(mask).tolist() == [25.0, 20.0]
    assert centre_of(np.zeros((51, 81), dtype=np.bool_)).tolist() == [40.0, 25.0]


def test_the_centre_is_that_of_the_released_code() -> None:
    mask = np.zeros((473, 473), dtype=np.bool_)
    mask[100:200, 100:250] = True
    assert centre_of(mask).tolist() == [175.0, 150.0]


def box_mask(side: int, top: int, height: int, left: int, width: int) -> np.ndarray:
    mask = np.zeros((side, side), dtype=np.bool_)
    mask[top : top + height, left : left + width] = True
    return mask


BOXES = {
    "top": st.integers(0, 60),
    "height": st.integers(1, 37),
    "left": st.integers(0, 60),
    "width": st.integers(1, 37),
}


@given(**BOXES)
def test_prior_heat_target_and_track_share_one_centre(top: int, height: int, left: int, width: int) -> None:
    """On a grid of the picture's own size all of them peak on the very pixel."""
    side = 97
    mask = box_mask(side, top, height, left, width)
    x, y = (int(value) for value in centre_of(mask))
    assert np.argwhere(heat_target(mask, (side, side)) == 1).tolist() == [[y, x]]
    splat = splat_mask(mask, (side, side))
    assert splat is not None
    assert splat[0][y, x] == 1
    assert to_pixels(np.array([x, y], np.float64), (side, side), (side, side)).tolist() == [x, y]
    prior = gauss(torch.tensor([[float(x), float(y)]]), (side, side), (side, side), 6.0)[0, 0]
    assert divmod(int(prior.argmax()), side) == (y, x)
    assert top_centres(torch.from_numpy(heat_target(mask, (side, side)))[None, None], (side, side)).tolist() == [[x, y]]


@given(**BOXES)
def test_on_the_heat_map_the_centre_moves_by_at_most_a_cell_and_a_half(
    top: int, height: int, left: int, width: int
) -> None:
    """Nearest neighbours take a cell's first pixel, and the middle of the box is rounded once more."""
    mask = box_mask(97, top, height, left, width)
    splat = splat_mask(mask, (25, 25))
    if splat is None:  # no cell's pixel is in the box
        assert min(height, width) < 4
        return
    y, x = (int(value) for value in np.argwhere(splat[0] == 1)[0])
    away = np.array([x, y]) - to_cells(centre_of(mask).astype(np.float64), (25, 25), (97, 97))
    assert np.abs(away).max() <= 1.5


def test_top_centres_are_pixels_of_the_highest_cells_and_pass_no_gradient() -> None:
    heat = torch.zeros(2, 1, 3, 5, requires_grad=True)
    with torch.no_grad():
        heat[0, 0, 1, 4] = 2
        heat[1, 0, 2, 0] = 1
    centres = top_centres(heat, (24, 40))
    assert not centres.requires_grad
    assert centres.tolist() == [[4.5 * 8 - 0.5, 1.5 * 8 - 0.5], [0.5 * 8 - 0.5, 2.5 * 8 - 0.5]]
