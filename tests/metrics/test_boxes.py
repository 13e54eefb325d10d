"""Boxes of maps, against components found pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vosbench.metrics.boxes import Edges, box_of_map, box_overlap, largest_box, scaled

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9))


def components(mask: np.ndarray) -> list[Edges]:
    """The boxes of the parts of a mask that touch at edges or corners."""
    left, boxes = {(int(y), int(x)) for y, x in np.argwhere(mask)}, []
    while left:
        stack, part = [left.pop()], []
        while stack:
            y, x = stack.pop()
            part.append((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            stack += near
        rows, columns = zip(*part, strict=True)
        boxes.append((min(columns), min(rows), max(columns) + 1, max(rows) + 1))
    return boxes


def area(box: Edges) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def on_border(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    height, width = shape
    return [(y, x) for y in range(height) for x in range(width) if y in {0, height - 1} or x in {0, width - 1}]


@given(SHAPES.flatmap(lambda shape: arrays(np.uint8, shape, elements=st.sampled_from([0, 25, 26, 127, 128, 255]))))
def test_the_box_is_that_of_the_part_with_the_largest_box(levels: np.ndarray) -> None:
    border = [levels[place] > 127.5 for place in on_border(levels.shape)]
    upright = 255 - levels if sum(border) / len(border) > 0.5 else levels
    found, parts = box_of_map(levels), components(upright > 0.1 * 255)
    if not parts:
        assert found is None
        return
    assert found in parts
    assert area(found) == max(map(area, parts))


def test_the_largest_box_counts_not_the_largest_part() -> None:
    mask = np.zeros((9, 12), np.bool_)
    mask[0:4, 0:4] = True  # 16 pixels, a box of 16
    mask[5, 0:6] = mask[5:9, 5] = True  # 9 pixels, a box of 24
    assert largest_box(mask) == (0, 5, 6, 9)
    mask[1:3, 1:3] = False
    assert largest_box(mask[:5]) == (0, 0, 4, 4)


def test_maps_that_are_mostly_bright_at_the_border_are_inverted() -> None:
    levels = np.full((6, 6), 200, np.uint8)
    levels[2:4, 1:5] = 10
    assert box_of_map(levels) == (0, 0, 6, 6)  # 55 at the border is still more than a tenth of 255
    levels[levels == 200] = 240
    assert box_of_map(levels) == (1, 2, 5, 4)
    levels[0] = levels[:, 0] = 127  # 11 of the 20 pixels of the border
    assert box_of_map(levels) == (0, 0, 6, 6)


def test_overlap_by_hand() -> None:
    assert box_overlap((0, 0, 4, 4), (2, 0, 6, 4)) == pytest.approx(8 / 24)
    assert box_overlap((0, 0, 4, 4), (0.5, 0.5, 3.5, 3.5)) == pytest.approx(9 / 16)
    assert box_overlap((0, 0, 4, 4), (4, 0, 8, 4)) == 0
    assert box_overlap(None, (0, 0, 1, 1)) == box_overlap((0, 0, 1, 1), None) == 0
    assert scaled((1, 2, 3, 4), (10, 20), (20, 30)) == (1.5, 4, 4.5, 8)
