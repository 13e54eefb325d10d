"""Sampling examples: boxes, rotations, squares, colours; and the losses of masks, by hand."""

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vosbench.dataset import Video
from vosbench.errors import DataError
from vosbench.images import write_png
from vosbench.method.nn import augment as examples
from vosbench.method.nn.augment import Box, Look, Shot
from vosbench.method.nn.losses import MOST, enlarge, mask_loss, official_loss, overlap_loss
from vosbench.method.nn.views import AlignedView, SquashedView


def shot(height: int = 40, width: int = 60) -> Shot:
    rng = np.random.default_rng(3)
    mask = np.zeros((height, width), dtype=np.bool_)
    mask[10:22, 30:41] = True
    return Shot(rng.integers(0, 256, (height, width, 3), dtype=np.uint8), mask)


def test_boxes_enclose_the_foreground_and_reach_every_edge() -> None:
    mask, rng = shot().mask, np.random.default_rng(0)
    boxes = [examples.enclosing(mask, rng) for _ in range(2000)]
    assert all(box.cut(shot()).mask.sum() == mask.sum() for box in boxes)
    edges = np.array(boxes)
    assert edges.min(axis=0).tolist() == [0, 22, 0, 41]
    assert edges.max(axis=0).tolist() == [10, 40, 30, 60]
    assert np.allclose(edges.mean(axis=0), [5, 31, 15, 50.5], atol=0.6)  # uniform on each side


def test_an_empty_mask_is_enclosed_by_the_frame() -> None:
    assert examples.enclosing(np.zeros((9, 7), dtype=np.bool_), np.random.default_rng(0)) == Box(0, 9, 0, 7)


def test_rotations_have_the_probabilities_of_the_paper() -> None:
    rng = np.random.default_rng(0)
    counts = np.bincount([examples.turns(0.51, rng) for _ in range(20_000)], minlength=8) / 20_000
    assert np.allclose(counts, [0.51, *[0.07] * 7], atol=0.012)


def test_an_upright_sample_is_what_the_method_sees_when_it_runs() -> None:
    sample = examples.turned(shot(), (33, 49), 0)
    assert np.array_equal(sample.frame, AlignedView(height=33, width=49).prepare(shot().frame).numpy())
    assert (sample.weight == 1).all()
    squashed = examples.squashed(shot(), 33)
    assert np.array_equal(squashed.frame, SquashedView(side=33).prepare(shot().frame).numpy())


@pytest.mark.parametrize("turn", [2, 4, 6])
def test_right_angles_are_exact_on_a_square(turn: int) -> None:
    upright, rotated = (examples.turned(shot(), (33, 33), t) for t in (0, turn))
    for before, after in zip(upright, rotated, strict=True):
        assert np.allclose(np.rot90(before, turn // 2, axes=(1, 2)), after, atol=0.5)
    assert (rotated.weight == 1).all()


def test_corners_of_diagonal_rotations_have_no_colour_or_weight() -> None:
    sample = examples.turned(shot(), (65, 65), 1)
    share = sample.weight.mean()
    assert share == pytest.approx(2 * (math.sqrt(2) - 1), abs=0.02)  # a regular octagon in its square
    outside = cv2.erode(1 - sample.weight[0], np.ones((5, 5), dtype=np.uint8)) > 0
    assert (sample.frame[:, outside] == 0).all()
    assert not (sample.mask[0] > sample.weight[0]).any()


def test_a_look_is_the_same_for_every_frame() -> None:
    look = Look.sample(1.0, 1.0, np.random.default_rng(1))
    first, second = look.at(shot()), look.at(shot())
    assert np.array_equal(first.frame, second.frame)
    assert np.array_equal(first.mask, shot().mask[:, ::-1])
    plain = Look.sample(0.0, 0.0, np.random.default_rng(1)).at(shot())
    assert np.array_equal(plain.frame, shot().frame)


def test_looks_exchange_colours_and_negate_them() -> None:
    frame = np.array([[[10, 20, 30]]], dtype=np.uint8)
    mask = np.ones((1, 1), dtype=np.bool_)
    assert Look(channels=(2, 0, 1), negative=True).at(Shot(frame, mask)).frame.tolist() == [[[225, 245, 235]]]
    looks = {Look.sample(0.0, 1.0, rng) for rng in map(np.random.default_rng, range(200))}
    assert len(looks) == 12


def test_a_mask_of_the_wrong_size_is_named(tmp_path: Path) -> None:
    write_png(tmp_path / "f.png", shot().frame)
    write_png(tmp_path / "m.png", np.zeros((4, 4), dtype=np.uint8))
    video = Video(name="v", frames=(tmp_path / "f.png",), annotations={0: tmp_path / "m.png"})
    with pytest.raises(DataError, match=r"m\.png\" has size \(4, 4\), but its frame has \(40, 60\)"):
        examples.read(video, 0)


def test_a_shot_has_the_union_of_all_objects(tmp_path: Path) -> None:
    frame, left, right = (tmp_path / f"{name}.png" for name in ("frame", "left", "right"))
    write_png(frame, np.zeros((2, 4, 3), np.uint8))
    for path, column in ((left, 0), (right, 3)):
        mask = np.zeros((2, 4), np.uint8)
        mask[:, column] = 255
        write_png(path, mask)
    shot = examples.read(Video(name="a", frames=(frame,), annotations={0: (left, right)}), 0)
    assert shot.mask.tolist() == [[True, False, False, True]] * 2


def test_without_annotations_there_is_nothing_to_train_on() -> None:
    with pytest.raises(DataError, match="none of 1 is annotated"):
        examples.annotated([Video(name="v", frames=(Path("f.png"),))])


def test_mask_loss_counts_only_weighted_pixels_and_examples_equally() -> None:
    logits = torch.tensor([[[[0.0, 5.0]]], [[[0.0, 0.0]]]])
    mask = torch.tensor([[[[1.0, 0.0]]], [[[1.0, 1.0]]]])
    weight = torch.tensor([[[[1.0, 0.0]]], [[[1.0, 1.0]]]])
    assert mask_loss(logits, mask, weight).item() == pytest.approx(math.log(2))
    wrong = math.log(1 + math.exp(5))
    assert mask_loss(logits, mask).item() == pytest.approx((3 * math.log(2) + wrong) / 4)


def test_overlap_loss_by_hand_and_for_empty_masks() -> None:
    logits = torch.tensor([[[[99.0, 99.0, -99.0, 0.0]]]])
    mask = torch.tensor([[[[1.0, 0.0, 0.0, 1.0]]]])
    assert overlap_loss(logits, mask).item() == pytest.approx(1 - (1.5 + 1) / (3 + 1))
    assert overlap_loss(logits, mask, torch.tensor([[[[1.0, 0.0, 1.0, 0.0]]]])).item() == pytest.approx(0)
    nothing = torch.full_like(logits, -99.0)
    assert overlap_loss(nothing, torch.zeros_like(mask)).item() == 0
    both = overlap_loss(torch.cat([logits, nothing]), torch.cat([mask, torch.zeros_like(mask)]))
    assert both.item() == pytest.approx(0.375 / 2)  # a mean over examples, not over pixels


def test_official_loss_by_hand_and_for_an_empty_mask() -> None:
    logits, mask = torch.zeros(1, 1, 1, 4), torch.tensor([[[[1.0, 0, 0, 0]]]])
    assert official_loss(logits, mask).item() == pytest.approx(4 * math.log(2) + 0.8 * 0.5)
    assert official_loss(logits, torch.zeros_like(mask)).item() == pytest.approx(MOST * math.log(2) + 0.8 * 0.5)


def test_corners_are_aligned_on_request() -> None:
    ramp = torch.tensor([[[[0.0, 1.0]]]])
    assert enlarge(ramp, (1, 5), aligned=True).flatten().tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert enlarge(ramp, (1, 4), aligned=False).flatten().tolist() == [0, 0.25, 0.75, 1]
