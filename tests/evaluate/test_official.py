"""Reproduce the official DAVIS-2016 leaderboard from its masks."""

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest

from vosbench.dataset.selection import Choice, select
from vosbench.evaluate.score import all_rows, score
from vosbench.registry import load_dataset

SUBMISSIONS = ["ags", "andiff", "epo+", "fseg", "osvos", "pdb", "sfls", "tis"]


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_official_leaderboard(real_data: Path, reference: Path, name: str) -> None:
    selection = select(load_dataset("davis16"), Choice(root=real_data / "DAVIS", measures=("J", "F")))
    record, scored, _ = score(real_data / "davis16_results" / f"{name}.zip", selection)
    rows = [row for row in all_rows(scored) if row.measure != "T"]
    with (reference / "official_davis16_val.csv").open() as file:
        official = next(row for row in csv.DictReader(file) if row["method"] == name)
    for key in ("J_mean", "J_recall", "J_decay", "F_mean", "F_recall", "F_decay"):
        value = record.scores[key]
        assert value is not None
        assert f"{value:.3f}" == official[key], key
    frames = json.loads((real_data / "davis16_results" / f"{name}.official_per_frame.json").read_text())
    wrong = [
        row
        for row in rows
        if abs(Decimal(row.value) - Decimal(frames[row.video][row.measure][row.frame - 1])) > Decimal("0.0005")
    ]
    assert not wrong
    assert len(rows) == 2 * 1336
