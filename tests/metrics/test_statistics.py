import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vosbench.metrics import decay, mean, recall
from vosbench.metrics.statistics import bin_edges


def test_decay_golden_table(reference: Path) -> None:
    golden = json.loads((reference / "metrics_reference.json").read_text())["decay"]["table"]
    assert len(golden) == 25
    for count, expected in golden.items():
        assert list(bin_edges(int(count))) == expected["ids"]
        values = list(np.linspace(1, 0, int(count)) ** 2)
        assert decay(values) == pytest.approx(expected["decay"], abs=1e-12)


@given(st.integers(1, 3000))
def test_bin_edges_round_half_away_from_zero(count: int) -> None:
    assert list(bin_edges(count)) == list(np.floor(np.linspace(1, count, 5) + 0.5 + 1e-10).astype(int) - 1)


def test_recall_is_strict() -> None:
    assert recall([0.5, 0.5000001]) == 0.5


def test_no_values_have_no_mean() -> None:
    assert mean([]) is None
    assert recall([]) is None
    assert decay([]) is None


def test_one_frame_has_no_decay() -> None:
    assert decay([0.3]) == 0.0
