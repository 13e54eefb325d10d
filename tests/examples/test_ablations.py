"""The ablations' example: which rows there are, and the arithmetic of its table."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from factories import make_record
from vosbench.records import record
from vosbench.registry import load_method

EXAMPLE = Path(__file__).parents[2] / "examples" / "ablations.py"


@pytest.fixture(scope="module")
def ablations() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ablations", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_row_is_a_variant(ablations: ModuleType) -> None:
    for name in (*ablations.ADNET, *ablations.F2NET, *ablations.FIRST.values()):
        _, variant = load_method(name)
        assert variant.startswith("tiny")


def test_means_spread_and_differences(ablations: ModuleType, tmp_path: Path) -> None:
    scores = {"adnet.tiny-base": ((0.5, 0.4), (0.7, 0.4)), "adnet.tiny": ((0.6, 0.3), (0.9, 0.6))}
    for seed in (0, 1):
        for variant in ablations.ADNET:
            j, f = scores.get(variant, ((0.1, 0.2), (0.1, 0.2)))[seed]
            one = make_record(variant, {"J_mean": j, "F_mean": f}, dataset="sample", protocol="sample@1")
            record.write(tmp_path / f"records-{seed}" / "sample" / f"{variant}.json", one, [])
    found = ablations.table(ablations.ADNET, (0, 1), ablations.Steps(9, 7), tmp_path)
    rows = {row[0]: row[1:] for row in found.rows}
    assert list(rows) == list(ablations.ADNET)
    assert rows["adnet.tiny-base"][:3] == ("0.600 ± 0.141", "+0.000 ± 0.000", "+0.0000")
    # J: 0.6 − 0.5 and 0.9 − 0.7; the paper has 78.26 and 75.41, F 77.11 and 75.58.
    assert rows["adnet.tiny"][:3] == ("0.750 ± 0.212", "+0.150 ± 0.071", "+0.0285")
    assert rows["adnet.tiny"][3:] == ("0.450 ± 0.212", "+0.050 ± 0.212", "+0.0153")
    # J differs by 0.1 and 0.2, whose interval holds 0; the other rows lose 0.4 and 0.6, whose interval does too.
    assert found.notes[2].endswith("(Student's t): J: none; F: none")
    assert ablations.is_clear([0.1, 0.12, 0.11])
    assert not ablations.is_clear([0.1, 0.2, -0.05])
    assert not ablations.is_clear([0.1])
    assert "7 steps on train, from the ResNet of deeplabv3.tiny after 9 steps" in found.notes[0]
