"""AD-Net's gating and pruning, rule by rule, on synthetic masks and detections."""

from dataclasses import replace

import numpy as np
import pytest

from vosbench.errors import DataError
from vosbench.methods.adnet import masks, pruning
from vosbench.methods.adnet.detections import Detection
from vosbench.methods.adnet.masks import Mask, boxed, gated, near, overlap

SIZE = (480, 854)
FULL = np.ones(SIZE, dtype=np.bool_)


def rectangle(x: int, y: int, width: int, height: int, size: tuple[int, int] = SIZE) -> Mask:
    mask = np.zeros(size, dtype=np.bool_)
    mask[y : y + height, x : x + width] = True
    return mask


def detection(x1: float, y1: float, x2: float, y2: float, category: int = 0) -> Detection:
    mask = rectangle(int(x1), int(y1), int(x2 - x1), int(y2 - y1))
    return Detection(box=(x1, y1, x2, y2), score=0.9, category=category, mask=mask)


# Gating


def test_a_first_frame_is_not_gated() -> None:
    assert np.array_equal(gated(FULL, None), FULL)


@pytest.mark.parametrize(
    ("last", "acts"),
    [
        (rectangle(100, 100, 100, 50), False),  # 5000
        (rectangle(100, 100, 73, 69), True),  # 5037
        (rectangle(100, 100, 250, 400) & ~rectangle(100, 100, 1, 1), True),  # 99999
        (rectangle(100, 50, 250, 400), False),  # 100000
    ],
)
def test_gating_acts_strictly_between_two_areas(last: Mask, *, acts: bool) -> None:
    assert (not np.array_equal(gated(FULL, last), FULL)) == acts


def test_gating_keeps_what_lies_near_the_last_mask() -> None:
    last = rectangle(300, 200, 100, 80)
    assert np.array_equal(gated(FULL, last), rectangle(250, 150, 200, 180))
    ring = FULL & ~rectangle(260, 160, 180, 160)
    assert np.array_equal(gated(ring, last), rectangle(250, 150, 200, 180) & ring)


def test_specks_of_the_last_mask_do_not_count() -> None:
    last = rectangle(300, 200, 100, 80)
    assert np.array_equal(near(last | rectangle(20, 20, 14, 300)), near(last))


def test_a_last_mask_that_is_thin_everywhere_gates_all_away() -> None:
    thin = rectangle(50, 100, 700, 14)
    assert 5_000 < thin.sum() < 100_000
    assert not gated(FULL, thin).any()


def test_a_mask_at_the_border_is_opened_as_if_it_went_on() -> None:
    corner = rectangle(0, 0, 100, 80)
    assert np.array_equal(near(corner), rectangle(0, 0, 150, 130))


def test_constants_follow_the_size_of_the_frame() -> None:
    assert [masks.side(n, SIZE) for n in (15, 31, 101)] == [15, 31, 101]
    assert [masks.side(n, (960, 1708)) for n in (15, 31, 101)] == [31, 63, 203]
    assert masks.area(5_000, SIZE) == 5_000
    assert masks.area(5_000, (960, 1708)) == 20_000
    assert masks.side(15, (4, 4)) == 1
    small = np.ones((240, 427), dtype=np.bool_)
    last = rectangle(100, 100, 50, 25, (240, 427))  # a quarter of 5000
    assert np.array_equal(gated(small, last), small)
    assert not np.array_equal(gated(small, last | rectangle(100, 125, 8, 1, (240, 427))), small)


# The contour step of pruning

BODY = rectangle(200, 100, 250, 200)
SPECK = rectangle(700, 400, 40, 40)


def test_the_rectangle_around_the_largest_part_is_kept() -> None:
    assert np.array_equal(boxed(BODY | SPECK, None), BODY)
    fringe = rectangle(440, 285, 24, 15)  # within the grown body's rectangle
    assert np.array_equal(boxed(BODY | SPECK | fringe, None), BODY | fringe)


@pytest.mark.parametrize(
    "mask",
    [
        BODY,  # one part
        rectangle(200, 100, 200, 192) | SPECK,  # exactly 40000
        rectangle(100, 50, 245, 402) | SPECK,  # more than 100000
        rectangle(50, 50, 90, 200) | rectangle(250, 50, 90, 200) | rectangle(450, 50, 90, 200),  # three of 27369, grown
    ],
    ids=["single", "small", "large", "equals"],
)
def test_the_rectangle_is_left_out(mask: Mask) -> None:
    assert np.array_equal(boxed(mask, None), mask)


def test_the_rectangle_must_overlap_the_last_mask() -> None:
    mask = BODY | SPECK
    assert np.array_equal(boxed(mask, BODY), BODY)
    for far in (np.zeros_like(BODY), rectangle(600, 300, 200, 150), rectangle(215, 100, 60, 200)):
        assert np.array_equal(boxed(mask, far), mask)


def test_overlap_of_nothing_is_whole() -> None:
    none = np.zeros(SIZE, dtype=np.bool_)
    assert overlap(none, none) == 1
    assert overlap(BODY, none) == 0
    assert overlap(BODY, BODY) == 1


# Pruning by detections

SMALL = [detection(10 + 60 * i, 10, 40 + 60 * i, 40, category=9) for i in range(4)]


def keeps_of(frame: list[Detection], frames: int = 1) -> list[Mask]:
    return pruning.keep_masks([frame] * frames, SIZE)


def test_a_video_with_few_detections_is_left_alone() -> None:
    assert keeps_of([]) == []
    assert keeps_of(SMALL[:3], 40) == []
    assert len(keeps_of(SMALL, 40)) == 40


def test_what_stands_still_is_pruned() -> None:
    large = detection(300, 200, 400, 300, category=9)
    frame = [*SMALL, large]
    assert all(keep.all() for keep in keeps_of(frame, 27))  # 27 ≤ 0.4 · 69.3 = 27.72
    for keep in keeps_of(frame, 28):
        assert not any(keep[small.mask].any() for small in SMALL)
        assert keep[large.mask].all()


def test_what_moves_is_not_pruned() -> None:
    frames = [
        [*SMALL[:3], detection(300, 200, 400, 300), detection(20 + 15 * t, 300, 50 + 15 * t, 330, category=9)]
        for t in range(28)
    ]
    for keep, frame in zip(pruning.keep_masks(frames, SIZE), frames, strict=True):
        assert keep[frame[-1].mask].all()
        assert not keep[frame[0].mask].any()


@pytest.mark.parametrize(("height", "pruned"), [(235, True), (236, False)])
def test_large_boxes_may_stand_still(height: int, *, pruned: bool) -> None:
    box, larger = detection(10, 100, 210, 100 + height, category=9), detection(400, 100, 800, 400, category=9)  # 47000
    keep = keeps_of([box, larger, *SMALL[:2]], 28)[0]
    assert not keep[box.mask].any() if pruned else keep[box.mask].all()


def test_all_boxes_as_large_as_the_largest_are_spared() -> None:
    frame = [*SMALL]
    assert all(keep.all() for keep in keeps_of(frame, 28))


def test_overlap_counts_the_pixels_of_the_corners() -> None:
    boxes = np.array([[0, 0, 9, 9], [0, 0, 9, 4], [20, 20, 30, 30]], dtype=np.float64)
    assert pruning.overlaps(boxes[0], boxes).tolist() == [1, 0.5, 0]
    assert pruning.areas(boxes).tolist() == [81, 36, 100]


USUAL = 10_000.0
LARGE = detection(350, 150, 500, 350)  # 30000
OTHER = detection(600, 150, 700, 299)  # 14900


@pytest.mark.parametrize(
    ("frame", "usual", "holds"),
    [
        ([LARGE, OTHER], USUAL, True),
        ([OTHER, LARGE], USUAL, True),
        ([LARGE, OTHER], 30_000.0, False),  # not above the usual
        ([LARGE, detection(600, 150, 700, 300)], USUAL, False),  # exactly twice
        ([detection(0, 0, 100, 100), detection(300, 300, 310, 310)], 1.0, False),  # exactly 10000
        ([replace(LARGE, category=2), OTHER], USUAL, True),  # car
        ([replace(LARGE, category=1), OTHER], USUAL, False),  # bicycle
        ([detection(0, 0, 300, 100), detection(400, 0, 410, 10)], USUAL, False),  # three times as wide as high
        ([detection(0, 0, 299, 100), detection(400, 0, 410, 10)], USUAL, True),
    ],
)
def test_a_largest_box_dominates(frame: list[Detection], usual: float, *, holds: bool) -> None:
    assert pruning.dominates(frame, usual, SIZE) == holds


@pytest.mark.parametrize(
    ("box", "gone"),
    [
        (detection(500, 150, 599, 250), True),  # below a third, however near
        (detection(500, 150, 600, 250), False),  # a third, and near
        (detection(600, 150, 700, 250), True),  # a third, and 275 away
        (detection(600, 150, 699, 250, category=2), False),  # of another category
        (detection(350, 150, 420, 250), False),  # overlaps by 0.23
    ],
)
def test_boxes_are_suppressed_by_the_largest(box: Detection, *, gone: bool) -> None:
    assert pruning.is_suppressed([LARGE, box], SIZE).tolist() == [False, gone]


def test_far_boxes_are_suppressed_only_outside_the_middle() -> None:
    """The centre's x decides, never its y, although the released code calls the x ``cy``."""
    target = detection(10, 200, 160, 400)  # centre (85, 300)
    inside, outside = detection(400, 10, 500, 120), detection(600, 10, 700, 120)
    near_by = detection(165, 200, 275, 300)  # centre (220, 250): outside 300…600 but 185 away
    assert pruning.is_suppressed([target, inside, outside, near_by], SIZE).tolist() == [False, False, True, False]


PERSON, CHILD = detection(350, 150, 500, 350), detection(700, 400, 720, 420)


def video_of(change: dict[int, list[Detection]], length: int) -> list[list[Detection]]:
    """Frames of eight equal boxes, none of which dominates, except for the changed ones."""
    return [change.get(t, [*SMALL, *SMALL]) for t in range(length)]


def test_suppression_is_decided_at_every_frame_with_several_boxes() -> None:
    frames = video_of({0: [CHILD], 2: [PERSON, CHILD], 3: [CHILD], 4: [], 5: [PERSON, CHILD]}, 7)
    keeps = pruning.keep_masks(frames, SIZE)
    assert [bool(keep.all()) for keep in keeps] == [True, True, False, True, True, False, True]
    assert np.array_equal(~keeps[2], CHILD.mask)


def test_pruning_stops_if_suppression_begins_late() -> None:
    assert len(pruning.keep_masks(video_of({20: [PERSON, CHILD], 25: [PERSON, CHILD]}, 27), SIZE)) == 27
    assert len(pruning.keep_masks(video_of({21: [PERSON, CHILD]}, 27), SIZE)) == 21


def test_a_mask_of_the_wrong_size_is_refused() -> None:
    odd = replace(CHILD, mask=np.ones((3, 4), dtype=np.bool_))
    with pytest.raises(DataError, match=r"\(3, 4\)"):
        pruning.keep_masks(video_of({2: [PERSON, odd]}, 5), SIZE)


# Run lengths


def test_run_lengths_restore_masks() -> None:
    rng = np.random.default_rng(0)
    for mask in (rng.random((7, 5)) > 0.5, np.ones((2, 3), dtype=np.bool_), np.zeros((2, 3), dtype=np.bool_)):
        counts = masks.encode(mask)
        assert counts.sum() == mask.size
        assert np.array_equal(masks.decode(counts, mask.shape), mask)
    with pytest.raises(ValueError, match="run lengths"):
        masks.decode(np.array([1, 2]), (2, 2))
