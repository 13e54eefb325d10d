"""Filtered rows of few bits per pixel, undone as the specification says: filtered here, one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vosbench.images.filters import AVERAGE, MOST_SLOW, PAETH, SUB, UP, unfiltered

ROWS = st.tuples(st.integers(1, 20), st.integers(1, 9)).flatmap(lambda shape: arrays(np.uint8, shape))


def foretold(kind: int, left: int, up: int, corner: int) -> int:
    if kind == PAETH:
        return min((left, up, corner), key=lambda value: abs(value - (left + up - corner)))
    return (0, left, up, (left + up) // 2)[kind]


def filtered(kind: int, row: list[int], above: list[int]) -> list[int]:
    neighbours = zip([0, *row[:-1]], above, [0, *above[:-1]], strict=True)
    return [(value - foretold(kind, *near)) % 256 for value, near in zip(row, neighbours, strict=True)]


@given(rows=ROWS, data=st.data())
def test_rows_are_those_that_were_filtered(rows: np.ndarray, data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from([0, 1, 2, 2, 2, 3, 4]), min_size=len(rows), max_size=len(rows)))
    above = data.draw(arrays(np.uint8, rows.shape[1]))
    previous = [above, *rows[:-1]]
    stored = [
        filtered(kind, row.tolist(), before.tolist()) for kind, row, before in zip(kinds, rows, previous, strict=True)
    ]
    found = unfiltered(np.array(kinds, np.uint8), np.array(stored, np.uint8), above)
    if sum(kind > UP for kind in kinds) > MOST_SLOW:
        assert found is None
    else:
        assert found is not None
        assert found.dtype == np.uint8
        assert np.array_equal(found, rows)


@pytest.mark.parametrize("kinds", [[5], [SUB, 255], [PAETH] * (MOST_SLOW + 1), [AVERAGE] * (MOST_SLOW + 1)])
def test_what_is_unknown_or_slow_is_left_to_others(kinds: list[int]) -> None:
    rows = np.zeros((len(kinds), 3), np.uint8)
    assert unfiltered(np.array(kinds, np.uint8), rows, rows[0]) is None
